"""An import is undone: what it made goes, what it changed is as before, what changed since stays and is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.access import Access
from contacts.import_changes import forget_imports
from contacts.tables import import_change, import_run, match_key, organization, person, provenance
from crm.contacts.v1 import contacts_pb2 as pb
from services.contacts.tests.world import (
    MOSCOW_SELLER,
    STEWARD,
    TULA,
    TULA_SELLER,
    Contacts,
    Refusal,
    a_row,
    an_email,
    fates_of,
    id_of,
)

FIRST, SECOND = id_of("first run"), id_of("second run")


def undo(contacts: Contacts, record_ids: list[str], run: str = SECOND, access: Access = STEWARD, **more: Any) -> Any:
    """Undo a run's persons."""
    request = pb.UndoImportRequest(run_id=run, record_type="person", record_ids=record_ids, **more)
    return contacts.call("UndoImport", request, access)


def undo_mentioned(contacts: Contacts, run: str = SECOND, **more: Any) -> Any:
    """Undo the organizations that a run's rows mentioned."""
    return contacts.call("UndoImport", pb.UndoImportRequest(run_id=run, record_type="organization", **more))


def kept_of(answer: Any) -> list[tuple[str, str, list[str]]]:
    """What stays, with the reason and the fields."""
    return [(one.record_id, one.reason, list(one.fields)) for one in answer.kept]


def a_card(contacts: Contacts, person_id: str) -> pb.Person:
    """The person."""
    found: pb.Person = contacts.call("GetPerson", pb.GetPersonRequest(person_id=person_id)).person
    return found


def merge(contacts: Contacts, survivor: str, other: str) -> None:
    """Make two persons one."""
    cards = [pb.MergedCard(id=one, etag=a_card(contacts, one).etag) for one in (survivor, other)]
    contacts.call("MergeCustomers", pb.MergeCustomersRequest(record_type="person", survivor_id=survivor, cards=cards))


def load(contacts: Contacts, *rows: pb.PersonRow, run: str = SECOND, **more: Any) -> list[str]:
    """Import persons; their ids."""
    return [one.record_id for one in contacts.import_persons(*rows, run=run, **more)]


def test_what_an_import_made_is_gone_with_its_organizations_and_can_be_imported_anew(contacts: Contacts) -> None:
    before = contacts.snapshot()
    rows = [
        a_row(f"Иван {n}", phone=f"8 (916) 000-0{n}-00", organization=f"ООО Рога {n % 2}", external_id=str(n))
        for n in range(5)
    ]
    made = load(contacts, *rows)
    answer = undo(contacts, made)
    assert (answer.removed, answer.restored, len(answer.kept)) == (5, 0, 0)
    firms = undo_mentioned(contacts)
    assert (firms.removed, len(firms.kept), firms.next_after_id) == (2, 0, "")
    assert contacts.snapshot()[:-1] == before[:-1]
    assert contacts.count(provenance) == contacts.count(import_change) == 0
    assert contacts.call("SearchCustomers", pb.SearchCustomersRequest(query="Иван")).hits == []
    gone = contacts.events("PersonRemoved")
    assert {one.person.id for one in gone} == set(made)
    assert {one.person.run_id for one in gone} == {SECOND}
    assert len(contacts.events("OrganizationRemoved")) == 2
    assert fates_of(contacts.import_persons(*rows, run=id_of("third run"))) == ["created"] * 5


def test_values_of_before_are_back_field_by_field(contacts: Contacts) -> None:
    old = a_row("Анна Белова", phone="+79161112233", external_id="7", attributes={"хобби": "шахматы"})
    [anna] = load(contacts, old, run=FIRST)
    before = a_card(contacts, anna)
    keys = contacts.count(match_key)
    new = a_row(
        "Анна Чернова", phone="+79161112233", email="anna@example.com", external_id="7", organization="ООО Копыта",
        role="бухгалтер", attributes={"хобби": "лыжи", "город": "Тула"}, tags=["vip"],
    )  # fmt: skip
    assert fates_of(contacts.import_persons(new, run=SECOND)) == ["updated"]
    assert a_card(contacts, anna).display_name == "Анна Чернова"
    foretold = undo(contacts, [anna], dry_run=True)
    assert a_card(contacts, anna).display_name == "Анна Чернова"
    answer = undo(contacts, [anna])
    assert (answer.removed, answer.restored, kept_of(answer)) == (0, 1, [])
    assert (foretold.restored, kept_of(foretold)) == (1, [])
    after = a_card(contacts, anna)
    for one in (before, after):
        one.ClearField("etag")
        one.ClearField("update_time")
    assert after == before
    assert undo_mentioned(contacts).removed == 1
    assert contacts.count(match_key) == keys
    [*_, told] = contacts.events("PersonUpdated")
    assert (told.person.personal.display_name, told.person.run_id) == ("Анна Белова", SECOND)
    assert {"display_name", "attributes", "channels", "affiliations", "tags"} <= set(told.changed.paths)
    assert fates_of(contacts.import_persons(old, run=id_of("third run"))) == ["unchanged"]
    assert fates_of(contacts.import_persons(new, run=id_of("fourth run"))) == ["updated"]


def test_a_field_changed_since_stays_and_is_told_while_the_others_go_back(contacts: Contacts) -> None:
    [anna] = load(contacts, a_row("Анна", phone="+79161112233", external_id="7", attributes={"a": "1"}), run=FIRST)
    load(contacts, a_row("Анна Белова", phone="+79161112233", external_id="7", attributes={"a": "2"}))
    card = a_card(contacts, anna)
    card.display_name = "Анна Серова"
    update = pb.UpdatePersonRequest(person=card, etag=card.etag)
    update.update_mask.paths.append("display_name")
    contacts.call("UpdatePerson", update)
    answer = undo(contacts, [anna])
    assert (answer.restored, kept_of(answer)) == (1, [(anna, "changed_since", ["display_name"])])
    assert (a_card(contacts, anna).display_name, a_card(contacts, anna).attributes["a"]) == ("Анна Серова", "1")
    again = undo(contacts, [anna])
    assert (again.removed, again.restored, again.unchanged, len(again.kept)) == (0, 0, 1, 0)


def test_two_rows_of_one_run_are_taken_back_in_turn(contacts: Contacts) -> None:
    [anna] = load(contacts, a_row("Анна Белова", phone="+79161112233"), run=FIRST)
    for email in ("one@example.com", "two@example.com"):
        load(contacts, a_row("Анна Белова", phone="+79161112233", email=email), source="tula-1c")
    assert len(a_card(contacts, anna).channels) == 3
    assert undo(contacts, [anna]).restored == 1
    assert len(a_card(contacts, anna).channels) == 1


def test_what_was_made_and_then_changed_talked_to_merged_or_said_again_stays(contacts: Contacts) -> None:
    names = ("Борис", "Вера", "Глеб", "Дина", "Егор", "Жанна")
    rows = [a_row(name, phone=f"+7916000000{n}") for n, name in enumerate(names)]
    changed, talked, merged, said, used, free = load(contacts, *rows)
    [survivor] = load(contacts, a_row("Глеб Старший", phone="+79169999999"), run=FIRST)
    card = a_card(contacts, changed)
    card.tags.append("vip")
    update = pb.UpdatePersonRequest(person=card, etag=card.etag)
    update.update_mask.paths.append("tags")
    contacts.call("UpdatePerson", update)
    note = pb.Interaction(kind=pb.INTERACTION_KIND_NOTE, person_id=talked, summary="перезвонить")
    contacts.call("LogInteraction", pb.LogInteractionRequest(interaction=note))
    merge(contacts, survivor, merged)
    load(contacts, a_row("Дина", phone="+79160000003"), run=FIRST, source="tula-1c", unit_id=TULA)
    answer = undo(contacts, [changed, talked, merged, said, used, free], used_ids=[used])
    assert answer.removed == 1
    reasons = {one.record_id: one.reason for one in answer.kept}
    assert reasons == {
        changed: "changed_since", talked: "has_interactions", merged: "merged", said: "changed_since", used: "in_use"
    }  # fmt: skip
    assert {one.display_name for one in answer.kept} == {"Борис", "Вера", "Глеб Старший", "Дина", "Егор"}
    assert contacts.count(person) == 5
    assert a_card(contacts, survivor).display_name == "Глеб Старший"


def test_the_survivor_of_a_merge_is_not_taken_for_what_the_import_made(contacts: Contacts) -> None:
    [old] = load(contacts, a_row("Глеб Старший", phone="+79169999999", external_id="1"), run=FIRST)
    made, same = load(
        contacts,
        a_row("Глеб", phone="+79160000000", external_id="2"),
        a_row("Глеб Старший", phone="+79169999999", email="gleb@example.com", external_id="1"),
    )
    assert same == old
    merge(contacts, old, made)
    answer = undo(contacts, [made, old])
    assert (answer.removed, answer.restored) == (0, 1)
    assert [one.value for one in a_card(contacts, old).channels] == ["+79169999999", "+79160000000"]


def test_an_organization_with_members_of_others_or_below_it_stays(contacts: Contacts) -> None:
    load(contacts, a_row("Иван", phone="+79160000000", organization="ООО Рога"))
    load(contacts, a_row("Пётр", phone="+79160000001", organization="ООО Рога"), run=FIRST)
    assert [one.reason for one in undo_mentioned(contacts, dry_run=True).kept] == ["has_members"]
    answer = undo_mentioned(contacts)
    assert (answer.removed, [one.display_name for one in answer.kept]) == (0, ["ООО Рога"])
    third = id_of("third run")
    below = pb.OrganizationRow(organization=pb.Organization(display_name="Филиал"), parent_name="Головная")
    [branch] = contacts.import_organizations(below, run=third)
    assert [one.reason for one in undo_mentioned(contacts, third).kept] == ["has_children"]
    request = pb.UndoImportRequest(run_id=third, record_type="organization", record_ids=[branch.record_id])
    assert contacts.call("UndoImport", request).removed == 1
    assert undo_mentioned(contacts, third).removed == 1
    assert contacts.count(organization) == 1


def test_identities_of_other_spellings_go_with_the_card(contacts: Contacts) -> None:
    rows = [
        a_row("Catherine Gray", email="gray@example.com", external_id="1"),
        a_row("Catherine Grey", phone="+442071838750", external_id="1", channels=[an_email("gray@example.com")]),
    ]
    made = load(contacts, *rows)
    undo(contacts, made)
    assert contacts.count(person) == contacts.count(match_key) == 0


def test_only_who_may_import_in_the_unit_of_the_run_undoes_it(contacts: Contacts, refusal: Refusal) -> None:
    made = load(contacts, a_row("Иван", phone="+79160000000"))
    request = pb.UndoImportRequest(run_id=SECOND, record_type="person", record_ids=made)
    assert refusal("UndoImport", request, TULA_SELLER).reason == "NOT_PERMITTED"
    request.dry_run = True
    assert refusal("UndoImport", request, TULA_SELLER).reason == "NOT_PERMITTED"
    assert undo(contacts, made, access=MOSCOW_SELLER).removed == 1


def test_only_cards_of_the_run_are_touched(contacts: Contacts) -> None:
    mine = load(contacts, a_row("Иван", phone="+79160000000"))
    theirs = load(contacts, a_row("Пётр", phone="+79160000001"), run=FIRST)
    answer = undo(contacts, [*mine, *theirs, id_of("nobody")])
    assert (answer.removed, answer.unchanged) == (1, 1)
    assert a_card(contacts, theirs[0]).display_name == "Пётр"


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (pb.UndoImportRequest(run_id=id_of("never"), record_type="person"), "IMPORT_NOT_KEPT"),
        (pb.UndoImportRequest(run_id=SECOND, record_type="deal"), "FIELD_INVALID"),
        (pb.UndoImportRequest(run_id=SECOND, record_type="person", record_ids=["x"] * 501), "FIELD_INVALID"),
        (pb.UndoImportRequest(run_id=SECOND, record_type="person", after_id="x"), "FIELD_INVALID"),
    ],
)
def test_what_cannot_be_undone_is_refused(
    contacts: Contacts, refusal: Refusal, request_: pb.UndoImportRequest, reason: str
) -> None:
    load(contacts, a_row("Иван", phone="+79160000000"))
    assert refusal("UndoImport", request_).reason == reason


def test_what_imports_changed_is_forgotten_after_its_days(contacts: Contacts, refusal: Refusal) -> None:
    made = load(contacts, a_row("Иван", phone="+79160000000", organization="ООО Рога"))
    forget_imports(contacts.database, 30)
    assert contacts.count(import_run) == contacts.count(import_change) == 1
    with contacts.database.transaction() as work:
        work.execute(sa.update(import_run).values(create_time=import_run.c.create_time - timedelta(days=31)))
    forget_imports(contacts.database, 30)
    assert contacts.count(import_run) == contacts.count(import_change) == 0
    request = pb.UndoImportRequest(run_id=SECOND, record_type="person", record_ids=made)
    assert refusal("UndoImport", request).reason == "IMPORT_NOT_KEPT"
