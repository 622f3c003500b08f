"""Activities of a merged customer name the survivor, done ones too; undone, those that still do go back."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from crm.contacts.events.v1 import contacts_events_pb2 as contacts
from scheduling.tables import organization, person
from services.scheduling.tests.desk import Desk, id_of

A, B, C = id_of("first card"), id_of("second card"), id_of("third card")
FIRM, OTHER = id_of("a firm"), id_of("another firm")
MERGE = id_of("merge")


def a_card(person_id: str, name: str = "Anna") -> contacts.PersonState:
    personal = contacts.PersonPersonal(display_name=name)
    return contacts.PersonState(id=person_id, unit_ids=[id_of("moscow")], personal=personal)


def merge(desk: Desk, kind: Any = contacts.PersonMerged, merged: str = A, survivor: str = B, version: int = 5) -> None:
    if kind in (contacts.PersonMerged, contacts.PersonUnmerged):
        news = kind(person=a_card(merged), survivor_id=survivor, merge_id=MERGE)
    else:
        news = kind(organization=contacts.OrganizationState(id=merged), survivor_id=survivor, merge_id=MERGE)
    desk.hear(news, version=version)


def test_activities_go_to_the_survivor_and_each_is_told_once(desk: Desk) -> None:
    mine, guest, theirs = desk.plan(person_id=A), desk.plan(participant_person_ids=[C, A]), desk.plan(person_id=B)
    done = desk.plan(person_id=A)
    desk.complete(done)
    merge(desk)
    merge(desk)
    assert [desk.get(one.id).person_id for one in (mine, done, theirs)] == [B, B, B]
    assert list(desk.get(guest.id).participant_person_ids) == [C, B]
    told = {one.message.activity.id: list(one.message.changed.paths) for one in desk.told("ActivityUpdated")}
    assert told == {mine.id: ["person_id"], done.id: ["person_id"], guest.id: ["participant_person_ids"]}
    assert len(desk.told("ActivityUpdated")) == 3


def test_what_is_planned_with_a_merged_customer_is_the_survivors(desk: Desk) -> None:
    merge(desk)
    assert desk.plan(person_id=A).person_id == B
    known = desk.plan()
    assert desk.change(known, "person_id", person_id=A).person_id == B


def test_undone_activities_go_back_but_not_those_given_to_another_customer(desk: Desk) -> None:
    mine, guest, given = desk.plan(person_id=A), desk.plan(participant_person_ids=[A]), desk.plan(person_id=A)
    merge(desk)
    desk.change(desk.get(given.id), "person_id", person_id=C)
    merge(desk, contacts.PersonUnmerged, version=6)
    assert [desk.get(one.id).person_id for one in (mine, given)] == [A, C]
    assert list(desk.get(guest.id).participant_person_ids) == [A]


def test_who_asks_with_the_id_of_a_merged_customer_finds_the_survivors_activities(desk: Desk) -> None:
    made = [desk.plan(person_id=A).id, desk.plan(person_id=B).id]
    merge(desk)
    assert set(desk.listed(person_id=A)) == set(made)
    merge(desk, contacts.PersonUnmerged, version=6)
    assert desk.listed(person_id=A) == made[:1]


def test_organizations_likewise(desk: Desk) -> None:
    mine = desk.plan(organization_id=FIRM)
    merge(desk, contacts.OrganizationMerged, FIRM, OTHER)
    assert desk.get(mine.id).organization_id == OTHER
    merge(desk, contacts.OrganizationUnmerged, FIRM, OTHER, version=6)
    assert desk.get(mine.id).organization_id == FIRM


def test_late_news_of_a_merged_card_changes_nothing(desk: Desk) -> None:
    mine = desk.plan(person_id=A)
    merge(desk)
    desk.hear(contacts.PersonUpdated(person=a_card(A, "Old name")), version=4)
    assert desk.get(mine.id).person_id == B
    assert desk.plan(person_id=A).person_id == B


def test_what_an_undone_import_had_made_is_known_to_no_unit(desk: Desk) -> None:
    firm = contacts.OrganizationState(id=FIRM, display_name="Wega", unit_ids=[id_of("moscow")])
    desk.hear(contacts.PersonCreated(person=a_card(A)), version=1)
    desk.hear(contacts.OrganizationCreated(organization=firm), version=1)
    desk.hear(contacts.PersonRemoved(person=a_card(A)), version=3)
    desk.hear(contacts.OrganizationRemoved(organization=firm), version=3)
    desk.hear(contacts.PersonUpdated(person=a_card(A)), version=2)
    one, other = (sa.select(table.c.unit_ids).where(table.c.id.in_((A, FIRM))) for table in (person, organization))
    assert desk.work(lambda work: work.execute(one.union_all(other)).scalars().all()) == [[], []]
