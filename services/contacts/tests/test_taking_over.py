"""A unit that was split off takes over the customers of those who went: seen there from now on, and no longer here."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from contacts.taking_over import take_over_customers
from crm.contacts.v1 import contacts_pb2 as pb
from crm.directory.events.v1 import directory_events_pb2 as events
from services.contacts.tests.world import MOSCOW, TULA, Contacts, an_access, id_of
from units.visibility import UnitNotKnown

GOER = id_of("goer")


class News(NamedTuple):
    """An event as the handler gets it."""

    message: Any


def hear(contacts: Contacts, into: str = TULA) -> None:
    told = events.UnitUserMoved(unit_id=into, from_unit_id=MOSCOW, user_id=GOER)
    with contacts.database.transaction() as work:
        take_over_customers(work, [News(told)])


def names(contacts: Contacts, unit_id: str) -> set[str]:
    found = contacts.call("ListPersons", pb.ListPersonsRequest(), an_access(unit_id)).persons
    return {one.display_name for one in found}


def test_customers_go_with_who_is_responsible_and_the_others_stay(contacts: Contacts) -> None:
    contacts.create(name="Goes Along", unit_id=MOSCOW, owner_id=GOER)
    contacts.create(name="Stays Here", unit_id=MOSCOW, owner_id=id_of("stayer"))
    works = pb.Organization(display_name="Vega Works", unit_id=MOSCOW, owner_id=GOER)
    contacts.call("CreateOrganization", pb.CreateOrganizationRequest(organization=works))
    contacts.events()
    hear(contacts)
    assert (names(contacts, MOSCOW), names(contacts, TULA)) == ({"Stays Here"}, {"Goes Along"})
    told = contacts.events("PersonUpdated", "OrganizationUpdated")
    assert [sorted(one.changed.paths) for one in told] == [["unit_id", "unit_ids"]] * 2
    hear(contacts)
    assert contacts.events() == []


def test_it_waits_for_news_of_the_unit_that_takes_over(contacts: Contacts) -> None:
    contacts.create(name="Goes Along", unit_id=MOSCOW, owner_id=GOER)
    with pytest.raises(UnitNotKnown):
        hear(contacts, id_of("a unit on its way"))
    assert names(contacts, MOSCOW) == {"Goes Along"}


def test_everybodys_customers_of_a_unit_are_counted_without_a_change(contacts: Contacts) -> None:
    contacts.create(name="One", unit_id=MOSCOW, owner_id=GOER)
    contacts.create(name="Two", unit_id=MOSCOW, owner_id=id_of("stayer"))
    asked = pb.HandOverCustomersRequest(unit_id=MOSCOW, dry_run=True)
    assert contacts.call("HandOverCustomers", asked).remaining == 2
