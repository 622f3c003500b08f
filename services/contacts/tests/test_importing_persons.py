"""Rows of files become cards: one a customer, each row with one fate, nothing lost, nothing twice."""

from __future__ import annotations

import csv
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.dates import to_date
from chassis.testing.eventually import eventually
from contacts.cards import EMAIL, PHONE, Affiliation, Channel, PersonCard
from contacts.keys import add_organization_keys, person_keys
from contacts.tables import affiliation, organization, person, possible_duplicate, provenance
from contacts.turns import begin_turn
from crm.contacts.v1 import contacts_pb2 as pb
from services.contacts.tests.world import MOSCOW, TULA, Contacts, DataSets, Refusal, a_phone, a_row, an_email, fates_of


def a_crowd(count: int) -> list[pb.PersonRow]:
    return [
        a_row(f"Иван {n}", phone=f"8 (916) 000-{n:02d}-00", organization=f"ООО Рога {n % 3}", role="директор")
        for n in range(count)
    ]


def test_rows_become_cards_with_their_organizations(contacts: Contacts) -> None:
    fates = contacts.import_persons(*a_crowd(30), run="r1")
    assert Counter(fates_of(fates)) == {"created": 30}
    assert (contacts.count(organization), contacts.count(affiliation)) == (3, 30)
    assert len(contacts.events("PersonCreated")) == 30
    assert len(contacts.events("OrganizationCreated")) == 3
    shown = contacts.call("GetPerson", pb.GetPersonRequest(person_id=fates[0].record_id)).person
    [membership] = shown.affiliations
    assert (membership.organization_name, membership.role) == ("ООО Рога 0", "директор")
    assert membership.organization_id == fates[0].organization_id


def test_every_imported_value_knows_its_file_sheet_row_and_user(contacts: Contacts) -> None:
    [fate] = contacts.import_persons(a_row("Иван", phone="+79160000000"), run="r1")
    with contacts.database.transaction() as work:
        row = work.execute(sa.select(provenance)).one()
    assert (row.record_id, row.run_id, row.file, row.sheet, row.row) == (
        fate.record_id,
        "r1",
        "клиенты.xlsx",
        "Лист1",
        2,
    )
    assert row.user_id


def test_the_same_file_again_changes_nothing(contacts: Contacts) -> None:
    rows = [*a_crowd(20), a_row("ИВАН 3", phone="+79160000300", organization="ооо рога 0")]
    first = contacts.import_persons(*rows, run="r1")
    assert fates_of(first) == ["created"] * 20 + ["merged"]
    assert first[20].record_id == first[3].record_id
    before = contacts.snapshot()
    assert fates_of(contacts.import_persons(*rows, run="r2")) == ["unchanged"] * 21
    assert contacts.snapshot() == before


def test_two_rows_of_one_person_that_disagree_are_stable_when_read_again(contacts: Contacts) -> None:
    rows = [
        a_row("Catherine Gray", email="gray@example.com", external_id=number, address=pb.Address(street=street))
        for number, street in (("359", "8671 Appalachia Dr."), ("360", "8671 Appalachia Drive"))
    ]
    first = contacts.import_persons(*rows, run="r1")
    assert fates_of(first) == ["created", "merged"]
    assert first[1].reason == "value_kept"
    before = contacts.snapshot()
    assert fates_of(contacts.import_persons(*rows, run="r2")) == ["unchanged", "unchanged"]
    assert contacts.snapshot() == before


def test_a_changed_row_updates_its_own_card(contacts: Contacts) -> None:
    contacts.import_persons(a_row("Иван Петров", phone="+79160000001", external_id="7", organization="Рога"), run="r1")
    changed = a_row("Иван Сидоров", phone="+79160000002", external_id="7", organization="Рога", role="снабженец")
    [fate] = contacts.import_persons(changed, run="r2")
    assert fates_of([fate]) == ["updated"]
    assert set(fate.changed_fields) == {"display_name", "channels", "affiliations"}
    shown = contacts.call("GetPerson", pb.GetPersonRequest(person_id=fate.record_id)).person
    assert shown.display_name == "Иван Сидоров"
    assert [one.value for one in shown.channels] == ["+79160000001", "+79160000002"]
    assert shown.affiliations[0].role == "снабженец"
    [event] = contacts.events("PersonUpdated")
    assert event.person.personal.display_name == "Иван Сидоров"
    assert set(event.changed.paths) == {"display_name", "channels", "affiliations"}
    [back] = contacts.import_persons(a_row("Иван Петров", external_id="7", organization="Рога"), run="r3")
    assert fates_of([back]) == ["updated"], "a value that went away and came back is a change"


def test_another_branch_adds_facts_and_never_overwrites(contacts: Contacts) -> None:
    [ours] = contacts.import_persons(
        a_row("Иван Петров", phone="+79160000001", birth_date=to_date(date(1976, 3, 14)), attributes={"рост": "180"}),
        run="r1",
    )
    [theirs] = contacts.import_persons(
        a_row("Петров Иван", phone="8-916-000-00-01", email="ivan@example.ru", attributes={"рост": "182", "вес": "80"}),
        run="r2", source="tula-excel", unit_id=TULA,
    )  # fmt: skip
    assert fates_of([theirs]) == ["merged"]
    assert theirs.record_id == ours.record_id
    assert theirs.reason == "value_kept"
    assert "attributes.рост" in theirs.message
    shown = contacts.call("GetPerson", pb.GetPersonRequest(person_id=ours.record_id)).person
    assert shown.display_name == "Иван Петров"
    assert dict(shown.attributes) == {"рост": "180", "вес": "80"}
    assert set(shown.unit_ids) == {MOSCOW, TULA}
    assert {one.value for one in shown.channels} == {"+79160000001", "ivan@example.ru"}
    assert contacts.count(person) == 1


def test_what_people_changed_is_not_undone_by_reading_the_old_file_again(contacts: Contacts) -> None:
    row = a_row("Иван Петров", phone="+79160000001", external_id="7")
    [fate] = contacts.import_persons(row, run="r1")
    new = pb.Person(id=fate.record_id, display_name="Иван Иванович Петров", channels=[a_phone("+79160000009")])
    request = pb.UpdatePersonRequest(person=new, etag="1")
    request.update_mask.paths.extend(["display_name", "channels"])
    contacts.call("UpdatePerson", request)
    before = contacts.snapshot()
    assert fates_of(contacts.import_persons(row, run="r2")) == ["unchanged"]
    assert contacts.snapshot() == before


@pytest.mark.parametrize("shared", [{"phone": "+79160000001"}, {"email": "office@example.ru"}])
def test_one_phone_or_email_with_two_names_is_two_cards_and_a_pair_to_look_at(contacts: Contacts, shared: Any) -> None:
    fates = contacts.import_persons(a_row("Анна Кузнецова", **shared), a_row("Пётр Волков", **shared), run="r1")
    assert fates_of(fates) == ["created", "created"]
    [pair] = contacts.call("ListPossibleDuplicates", pb.ListPossibleDuplicatesRequest()).possible_duplicates
    assert (pair.first_name, pair.second_name) == ("Анна Кузнецова", "Пётр Волков")
    assert pair.reason == ("phone" if "phone" in shared else "e-mail")


def test_namesakes_in_one_organization_stay_apart_when_their_contacts_differ(contacts: Contacts) -> None:
    fates = contacts.import_persons(
        a_row("Иван Петров", "+79160000001", "a@example.ru", "Рога"),
        a_row("Иван Петров", "+79160000002", "b@example.ru", "Рога"),
        a_row("Иван Петров", "", "", "Рога"),
        run="r1",
    )
    assert fates_of(fates) == ["created", "created", "merged"]
    assert fates[2].record_id == fates[0].record_id


def test_two_numbers_of_one_source_are_two_people_even_where_only_the_name_is_known(contacts: Contacts) -> None:
    rows = [a_row("Иван Петров", external_id="1"), a_row("Иван Петров", external_id="2")]
    assert fates_of(contacts.import_persons(*rows, run="r1")) == ["created", "created"]
    assert fates_of(contacts.import_persons(*rows, run="r2")) == ["unchanged", "unchanged"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"tax_id": "500100732259"}, {"tax_id": "526317984689"}),
        ({"birth_date": to_date(date(1976, 3, 14))}, {"birth_date": to_date(date(1999, 1, 1))}),
        ({"given_name": "Seth", "family_name": "Reed"}, {"given_name": "Reed", "family_name": "Seth"}),
    ],
)
def test_a_reason_against_keeps_two_cards_and_lists_them(contacts: Contacts, one: Any, other: Any) -> None:
    fates = contacts.import_persons(
        a_row("Seth Reed", "+79160000001", "a@example.ru", **one),
        a_row("Seth Reed", "+79160000001", "a@example.ru", **other),
        run="r1",
    )
    assert fates_of(fates) == ["created", "created"]
    assert contacts.count(possible_duplicate) == 1


def test_a_number_that_names_two_people_refuses_the_second(contacts: Contacts) -> None:
    first = a_row("Иван Петров", external_id="7", birth_date=to_date(date(1976, 3, 14)))
    contacts.import_persons(first, run="r1")
    other = a_row("Пётр Петров", external_id="7", birth_date=to_date(date(1980, 1, 1)))
    stranger = a_row("Анна Волкова", external_id="7")
    fates = contacts.import_persons(other, stranger, run="r2")
    assert fates_of(fates) == ["refused", "refused"]
    assert [one.reason for one in fates] == ["birth_date_differs", "external_id_names_another"]
    assert "Иван Петров" in fates[0].message
    assert contacts.count(person) == 1


def test_bad_rows_are_refused_by_field_and_the_rest_is_taken(contacts: Contacts) -> None:
    fates = contacts.import_persons(
        a_row("", phone="+79160000001"),
        a_row("x" * 301),
        a_row("Иван", birth_date=pb.Person(birth_date={"year": 2023, "month": 2, "day": 30}).birth_date),
        a_row("NUL\x00NUL"),
        a_row("Пётр", organization_external_id="404"),
        a_row("Анна"),
        run="r1",
    )
    assert fates_of(fates) == ["refused"] * 5 + ["created"]
    assert [one.reason for one in fates[:5]] == [
        "field_missing", "field_too_long", "field_invalid", "field_nul", "field_organization_not_found",
    ]  # fmt: skip
    assert "person.birth_date" in fates[2].message
    assert contacts.count(person) == 1


def test_a_telephone_that_cannot_be_resolved_is_kept_and_flagged(contacts: Contacts) -> None:
    rows = [a_row("Иван", phone="123-45-67", unit_id=MOSCOW), a_row("Пётр", channels=[a_phone("12")])]
    fates = contacts.import_persons(*rows, run="r1", unit_id=MOSCOW)
    cards = [contacts.call("GetPerson", pb.GetPersonRequest(person_id=one.record_id)).person for one in fates]
    assert cards[0].channels[0].value == "+74951234567"
    assert (cards[1].channels[0].raw, cards[1].channels[0].problem) == ("12", "not_a_phone")
    assert fates_of(contacts.import_persons(*rows, run="r2", source="other")) == ["merged", "merged"]
    assert contacts.count(person) == 2


def test_a_flawed_tax_id_is_no_identity_and_is_kept_as_written(contacts: Contacts) -> None:
    [fate] = contacts.import_persons(a_row("Иван", tax_id="7707083894"), run="r1")
    shown = contacts.call("GetPerson", pb.GetPersonRequest(person_id=fate.record_id)).person
    assert (shown.tax_id, dict(shown.attributes)) == ("", {"tax_id": "7707083894"})
    assert "tax id" in fate.message


def test_a_dry_run_tells_the_same_fates_and_changes_nothing(contacts: Contacts) -> None:
    contacts.import_persons(*a_crowd(5), run="r1")
    before = contacts.snapshot()
    rows = [*a_crowd(8), a_row("", phone="+79160000000"), a_row("Иван 7", phone="89160000700")]
    asked = contacts.import_persons(*rows, run="r2", dry_run=True)
    assert contacts.snapshot() == before
    assert all(not one.record_id for one in asked[5:8])
    assert fates_of(asked) == fates_of(contacts.import_persons(*rows, run="r2"))
    assert fates_of(asked) == ["unchanged"] * 5 + ["created"] * 3 + ["refused", "merged"]


def test_the_same_request_id_answers_the_same_and_changes_nothing_twice(contacts: Contacts) -> None:
    once = contacts.import_persons(*a_crowd(5), run="r1", request_id="batch-1")
    before = contacts.snapshot()
    assert contacts.import_persons(*a_crowd(5), run="r1", request_id="batch-1") == once
    assert contacts.snapshot() == before


def test_more_rows_than_a_batch_holds_are_refused_whole(contacts: Contacts, refusal: Refusal) -> None:
    rows = [pb.PersonRow()] * 1001
    error = refusal("ImportPersons", pb.ImportPersonsRequest(rows=rows, unit_id=MOSCOW, source="s"))
    assert (error.reason, error.violations[0].field) == ("FIELD_INVALID", "rows")


@pytest.mark.timeout(300)
def test_the_prospects_of_adventure_works_are_2058_persons(contacts: Contacts, shared_data: DataSets) -> None:
    path = shared_data("contacts-adventureworks-prospects") / "ProspectiveBuyer.csv"
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        read = list(csv.reader(file, delimiter="|"))
    rows = [
        pb.PersonRow(
            person=pb.Person(
                given_name=one[2], middle_name=one[3], family_name=one[4],
                birth_date=to_date(date.fromisoformat(one[5][:10])), individual_customer=True,
                channels=[an_email(one[8]), a_phone(one[21])],
                address=pb.Address(street=one[16], city=one[18], region=one[19], postal_code=one[20]),
            ),
            external_id=one[0],
        )
        for one in read
    ]  # fmt: skip
    for run in ("r1", "r2"):
        fates = [
            fate
            for start in range(0, len(rows), 1000)
            for fate in contacts.import_persons(*rows[start : start + 1000], run=run, source="aw")
        ]
        expected = {"created": 2058, "merged": 1} if run == "r1" else {"unchanged": 2059}
        assert Counter(fates_of(fates)) == expected
        assert contacts.count(person) == 2058


def test_a_batch_waits_for_the_one_it_comes_after_and_only_while_that_is_under_way(contacts: Contacts) -> None:
    asked = {"request_id": "run::2", "after_request_id": "run::1"}
    with ThreadPoolExecutor(1) as second:
        with contacts.database.transaction() as first:
            begin_turn(first, "run::1")
            coming = second.submit(contacts.import_persons, a_row("Иван", phone="+79160000000"), run="r", **asked)
            eventually(lambda: waits_for_a_lock(contacts), within=20)
            assert contacts.count(person) == 0
        assert fates_of(coming.result(timeout=30)) == ["created"]
    repeated = contacts.import_persons(a_row("Иван", phone="+79160000000"), run="r", request_id="run::2")
    assert fates_of(repeated) == ["created"]  # answered from what it did, though it does not say whom it came after
    assert contacts.count(person) == 1


def test_a_batch_that_arrives_before_the_one_it_comes_after_lets_it_go_first(contacts: Contacts) -> None:
    asked = {"request_id": "run::2", "after_request_id": "run::1"}
    row = {"phone": "+79160000000"}
    with ThreadPoolExecutor(1) as second:
        early = second.submit(contacts.import_persons, a_row("Иван", **row), run="r", **asked)
        eventually(lambda: holds_a_lock(contacts), within=20)
        assert not early.done()
        first = contacts.import_persons(a_row("Иван", **row), run="r", request_id="run::1")
        assert fates_of(first) == ["created"]
        assert fates_of(early.result(timeout=30)) == ["merged"]
    assert contacts.count(person) == 1


def test_one_that_never_comes_is_waited_for_a_few_seconds(contacts: Contacts) -> None:
    asked = {"request_id": "run::2", "after_request_id": "run::1"}
    assert fates_of(contacts.import_persons(a_row("Иван", phone="+79160000000"), run="r", **asked)) == ["created"]


def holds_a_lock(contacts: Contacts) -> bool:
    with contacts.database.transaction() as work:
        return bool(work.execute(sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")).scalar_one())


def waits_for_a_lock(contacts: Contacts) -> bool:
    with contacts.database.transaction() as work:
        waiting = sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return bool(work.execute(waiting).scalar_one())


def test_identities_of_a_member_are_those_of_the_whole_card() -> None:
    for channels in ([], [Channel(EMAIL, "a@example.com", "a@example.com"), Channel(PHONE, "+79160000000", "916")]):
        alone = PersonCard(id="p", display_name="Иван", unit_id=MOSCOW, channels=channels)
        whole = replace(alone, affiliations=[Affiliation("m", TULA, "ООО Рога")])
        assert add_organization_keys(person_keys(alone), whole) == person_keys(whole)
