"""Reports count one customer where two cards were merged, in whatever order the news comes, and two once undone."""

from __future__ import annotations

import random
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.ids import new_id
from crm.contacts.events.v1 import contacts_events_pb2 as contacts
from reporting.freshness import digest
from reporting.rebuilding import forget_everything
from reporting.tables import interaction
from services.reporting.tests.world import Told, deliver, reader_of, table_of

MERGE = new_id()


def counted(reporting: Any) -> tuple[str, str, str]:
    totals = table_of(reporting.run("customers", reader_of("hq")), "totals")[0]
    return totals["organizations"], totals["persons"], totals["individual_customers"]


def a_state(person_id: str, unit: str) -> contacts.PersonState:
    personal = contacts.PersonPersonal(display_name="Anna")
    return contacts.PersonState(
        id=person_id, unit_ids=[unit], unit_id=unit, individual_customer=True, personal=personal
    )


def test_a_merged_card_is_counted_nowhere_until_the_merge_is_undone(reporting: Any) -> None:
    world = reporting.world
    unit = world.a_unit("hq", kind="company")
    survivor, merged = (world.a_person(name, [unit], individual_customer=True) for name in ("Ann", "Anna"))
    world.an_organization("Vega", [unit])
    firm = world.an_organization("Wega", [unit])
    assert counted(reporting) == ("2", "2", "2")
    told = {"survivor_id": survivor, "merge_id": MERGE}
    world.tell(contacts.PersonMerged(person=a_state(merged, unit), **told), version=5)
    lost = contacts.OrganizationState(id=firm, unit_ids=[unit], unit_id=unit)
    world.tell(contacts.OrganizationMerged(organization=lost, **told), version=5)
    assert counted(reporting) == ("1", "1", "1")
    world.tell(contacts.PersonUpdated(person=a_state(merged, unit)), version=4)
    assert counted(reporting) == ("1", "1", "1")
    world.tell(contacts.PersonUnmerged(person=a_state(merged, unit), **told), version=6)
    assert counted(reporting) == ("1", "2", "2")


def test_what_an_undone_import_had_made_is_counted_nowhere_whatever_comes_late(reporting: Any) -> None:
    world = reporting.world
    unit = world.a_unit("hq", kind="company")
    world.a_person("Ann", [unit], individual_customer=True)
    gone = world.a_person("Anna", [unit], individual_customer=True)
    firm = world.an_organization("Wega", [unit])
    assert counted(reporting) == ("1", "2", "2")
    world.tell(contacts.PersonRemoved(person=a_state(gone, unit)), version=3)
    lost = contacts.OrganizationState(id=firm, unit_ids=[unit], unit_id=unit)
    world.tell(contacts.OrganizationRemoved(organization=lost), version=3)
    assert counted(reporting) == ("0", "1", "1")
    world.tell(contacts.PersonUpdated(person=a_state(gone, unit)), version=2)
    assert counted(reporting) == ("0", "1", "1")


def test_an_interaction_is_the_survivors_once_it_was_moved(reporting: Any) -> None:
    world = reporting.world
    unit = world.a_unit("hq", kind="company")
    talk, survivor = world.an_interaction(unit, new_id()), new_id()
    state = contacts.InteractionState(id=talk, kind="call", unit_id=unit, person_id=survivor)
    world.tell(contacts.InteractionMoved(interaction=state), version=2)
    with reporting.database.transaction() as work:
        assert work.execute(sa.select(interaction.c.person_id)).scalars().all() == [survivor]


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_news_does_not_matter(reporting: Any, seed: int) -> None:
    world = reporting.world
    unit, survivor = world.a_unit("hq", kind="company"), new_id()
    merged = world.a_person("Anna", [unit])
    news = [
        contacts.PersonUpdated(person=a_state(merged, unit)),
        contacts.PersonMerged(person=a_state(merged, unit), survivor_id=survivor, merge_id=MERGE),
    ]
    for version, message in enumerate(news, start=2):
        world.tell(message, version=version)
    told: list[Told] = list(world.told)
    with reporting.database.transaction() as work:
        first = digest(work)
    with reporting.database.transaction() as work:
        forget_everything(work)
    random.Random(seed).shuffle(told)
    deliver(reporting.database, told, batch=1)
    with reporting.database.transaction() as work:
        assert digest(work) == first
