"""Every caller is told live, and by webhooks, of the records that the rules, read one by one, let him see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chassis.access import OWN, READ, SUBTREE, Access, Denial, Grant
from chassis.ids import new_id
from chassis.naming import routing_key
from crm.contacts.events.v1 import contacts_events_pb2 as contacts
from crm.deals.events.v1 import deals_events_pb2 as deals
from crm.platform.v1 import events_pb2
from crm.scheduling.events.v1 import scheduling_events_pb2 as scheduling
from gateway.web.news import Fact, read_fact
from units.records import ACTIVITY, CUSTOMER, DEAL, INTERACTION
from units.testing import may, some_accesses

CALLERS = 300
PATHS = ("hq", "hq.ru", "hq.ru.moscow", "hq.ru.tula", "hq.ruhr", "hq.de")
ANNA, BORIS = new_id(), new_id()
TOLD: dict[str, tuple[str, str, Callable[[str, str], Any]]] = {
    CUSTOMER: (
        "contacts",
        "person",
        lambda one, owner: contacts.PersonCreated(person=contacts.PersonState(id=one, owner_id=owner)),
    ),
    INTERACTION: (
        "contacts",
        "interaction",
        lambda one, owner: contacts.InteractionLogged(interaction=contacts.InteractionState(id=one, author_id=owner)),
    ),
    DEAL: ("deals", "deal", lambda one, owner: deals.DealOpened(deal=deals.DealState(id=one, owner_id=owner))),
    ACTIVITY: (
        "scheduling",
        "activity",
        lambda one, owner: scheduling.ActivityCreated(activity=scheduling.ActivityState(id=one, owner_id=owner)),
    ),
}


@pytest.mark.parametrize("records", TOLD)
def test_every_caller_is_told_live_of_the_records_that_the_rules_allow_and_of_no_other(records: str) -> None:
    service, aggregate, tell = TOLD[records]
    cases = told = 0
    for path in PATHS:
        for owner in ("", ANNA, BORIS):
            one = new_id()
            message = tell(one, owner)
            key = routing_key(service, aggregate, "told", 1, one, path)
            event = events_pb2.Event(
                type=message.DESCRIPTOR.full_name, routing_key=key, data=message.SerializeToString()
            )
            fact = read_fact(event)
            assert fact is not None
            for caller in some_accesses(records, PATHS, (ANNA, BORIS), new_id(), CALLERS):
                expected = may(caller, READ, records, path, owner)
                assert fact.is_for(caller) == expected, (caller, path, owner)
                cases, told = cases + 1, told + expected
    assert cases == CALLERS * len(PATHS) * 3
    assert 0.2 < told / cases < 0.8


def fact_of(service: str, aggregate: str, message: Any) -> Fact:
    key = routing_key(service, aggregate, "told", 1, new_id(), "hq.de")
    event = events_pb2.Event(type=message.DESCRIPTOR.full_name, routing_key=key, data=message.SerializeToString())
    found = read_fact(event)
    assert found is not None
    return found


def test_who_made_a_record_that_is_somebody_elses_by_now_is_told_nothing_of_it() -> None:
    anna = Access(ANNA, grants=(Grant(READ, OWN), Grant(READ, SUBTREE, "hq.ru")))
    person = contacts.PersonState(id=new_id(), owner_id=BORIS, creator_id=ANNA)
    deal = deals.DealState(id=new_id(), owner_id=BORIS, creator_id=ANNA)
    assert not fact_of("contacts", "person", contacts.PersonUpdated(person=person)).is_for(anna)
    assert not fact_of("deals", "deal", deals.DealUpdated(deal=deal)).is_for(anna)


def test_who_has_a_part_in_an_activity_is_told_of_it_whoever_owns_it() -> None:
    anna = Access(ANNA, grants=(Grant(READ, SUBTREE, "hq.ru"),))
    fact = fact_of(
        "scheduling",
        "activity",
        scheduling.ActivityUpdated(
            activity=scheduling.ActivityState(id=new_id(), owner_id=BORIS, participant_user_ids=[ANNA])
        ),
    )
    assert fact.is_for(anna)
    assert not fact.is_for(replace(anna, denials=(Denial("hq.de"),)))
    assert not fact.is_for(replace(anna, user_id=new_id()))
