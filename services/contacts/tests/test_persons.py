"""A person's card: made from a name and a phone, changed field by field, shown only to those who may see it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest

from chassis.dates import to_date
from contacts.tables import organization, person
from crm.contacts.v1 import contacts_pb2 as pb
from services.contacts.tests.world import (
    HQ,
    MOSCOW,
    MOSCOW_SELLER,
    OWN_SELLER,
    STEWARD,
    TULA,
    TULA_SELLER,
    Contacts,
    DataSets,
    Refusal,
    a_person,
    a_phone,
    an_email,
    id_of,
)


def update(person_id: str, etag: str, *paths: str, **values: Any) -> pb.UpdatePersonRequest:
    request = pb.UpdatePersonRequest(person=pb.Person(id=person_id, **values), etag=etag)
    request.update_mask.paths.extend(paths or values)
    return request


def test_a_name_and_a_phone_are_enough(contacts: Contacts) -> None:
    answer = contacts.create(name="Всеволод Гранин", phone="8 (495) 123-45-67")
    assert not answer.existed
    [channel] = answer.person.channels
    assert (channel.value, channel.raw, channel.verified) == ("+74951234567", "8 (495) 123-45-67", True)
    [event] = contacts.events("PersonCreated")
    assert event.person.personal.phones == ["+74951234567"]
    assert (event.person.unit_ids, event.person.creator_id) == ([MOSCOW], STEWARD.user_id)
    assert contacts.count(person) == 1


@pytest.mark.parametrize(
    ("raw", "unit", "value", "problem"),
    [
        ("+7 (495) 123-45-67", TULA, "+74951234567", ""),
        ("8 495 123 45 67", TULA, "+74951234567", ""),
        ("84951234567", MOSCOW, "+74951234567", ""),
        ("123-45-67", MOSCOW, "+74951234567", ""),
        ("25-67-89", TULA, "+74872256789", ""),
        ("25-67-89", HQ, "", "area_code_unknown"),
        ("12", MOSCOW, "", "not_a_phone"),
    ],
)
def test_telephones_are_read_as_their_branch_would_dial_them(
    contacts: Contacts, raw: Any, unit: Any, value: Any, problem: Any
) -> None:
    """Scenario C14."""
    [channel] = contacts.create(name="Иван", phone=raw, unit_id=unit).person.channels
    assert (channel.value, channel.raw, channel.problem) == (value, raw, problem)


def test_a_card_grows_to_a_full_profile_without_a_new_record(contacts: Contacts) -> None:
    made = contacts.create(name="Всеволод Гранин", phone="+74951234567").person
    answer = contacts.call(
        "UpdatePerson",
        update(
            made.id, made.etag,
            birth_date=to_date(date(1976, 3, 14)), given_name="Всеволод", middle_name="Борисович", family_name="Гранин",
            tax_id="500100732259", address=pb.Address(city="Тула"), attributes={"хобби": "парус"}, owner_id=id_of("x"),
            affiliations=[
                pb.Affiliation(organization_name="Эпоха", role="архитектор", end_date=to_date(date(2022, 1, 31))),
                pb.Affiliation(organization_name="Гранин и Ко", role="директор", start_date=to_date(date(2022, 2, 1))),
            ],
        ),
    ).person  # fmt: skip
    shown = contacts.call("GetPerson", pb.GetPersonRequest(person_id=made.id)).person
    assert answer == shown
    assert (shown.id, shown.etag) == (made.id, "2")
    assert [one.organization_name for one in shown.affiliations] == ["Гранин и Ко", "Эпоха"]
    [event] = contacts.events("PersonUpdated")
    assert event.person.organization_ids == [shown.affiliations[0].organization_id]
    assert event.person.personal.birth_date == "1976-03-14"
    assert contacts.count(organization) == 2


def test_a_second_employer_never_removes_the_first(contacts: Contacts) -> None:
    contacts.create(name="Иван", phone="+74951234567", affiliations=[pb.Affiliation(organization_name="Первая")])
    card = contacts.create(
        name="Иван", phone="+74951234567", affiliations=[pb.Affiliation(organization_name="Вторая", role="снабженец")]
    ).person
    assert {one.organization_name for one in card.affiliations} == {"Первая", "Вторая"}


def test_a_stale_version_is_refused_with_the_present_values(contacts: Contacts, refusal: Refusal) -> None:
    made = contacts.create(name="Иван").person
    contacts.call("UpdatePerson", update(made.id, "1", display_name="Пётр"))
    error = refusal("UpdatePerson", update(made.id, "1", display_name="Анна"))
    assert error.reason == "STALE_ETAG"
    assert json.loads(error.metadata["current"])["displayName"] == "Пётр"
    assert refusal("UpdatePerson", update(made.id, "", display_name="Анна")).violations[0].field == "etag"


def test_an_identity_of_another_card_cannot_be_taken(contacts: Contacts, refusal: Refusal) -> None:
    holder = contacts.create(name="Иван", phone="+74951234567").person
    other = contacts.create(name="Иван", phone="+74957654321").person
    error = refusal("UpdatePerson", update(other.id, "1", channels=[a_phone("8 495 123-45-67")]))
    assert error.reason == "MATCH_KEY_TAKEN"
    assert error.metadata == {"record_type": "person", "record_id": holder.id, "shared": "name and phone"}


def test_a_corrected_phone_frees_the_identity_it_was(contacts: Contacts) -> None:
    wrong = contacts.create(name="Иван", phone="+74951234567").person
    contacts.call("UpdatePerson", update(wrong.id, "1", channels=[a_phone("+74957654321")]))
    assert not contacts.create(name="Иван", phone="+74951234567").existed
    assert contacts.create(name="Иван", phone="+74957654321").person.id == wrong.id


def test_an_update_that_says_the_same_is_no_change(contacts: Contacts) -> None:
    made = contacts.create(name="Иван", phone="+74951234567").person
    answer = contacts.call("UpdatePerson", update(made.id, "1", display_name="Иван"))
    assert answer.person.etag == "1"
    assert contacts.events("PersonUpdated") == []


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"display_name": ""}, "person.display_name"),
        ({"display_name": "x" * 301}, "person.display_name"),
        ({"display_name": "a\x00b"}, "person.display_name"),
        ({"birth_date": {"year": 2023, "month": 2, "day": 30}}, "person.birth_date"),
        ({"birth_date": {"year": 2999, "month": 1, "day": 1}}, "person.birth_date"),
        ({"tax_id": "7707083894"}, "person.tax_id"),
        ({"owner_id": "me"}, "person.owner_id"),
        ({"channels": [{"kind": 99, "value": "x"}]}, "person.channels"),
        ({"channels": [{"kind": 5, "value": "x" * 501}]}, "person.channels"),
        ({"address": {"city": "x" * 501}}, "person.address"),
        ({"attributes": {str(n): "x" for n in range(51)}}, "person.attributes"),
        ({"affiliations": [{}]}, "person.affiliations.organization_id"),
        ({"affiliations": [{"organization_name": "x" * 301}]}, "person.affiliations.organization_name"),
    ],
)
def test_bad_values_are_refused_by_field_and_nothing_is_half_done(
    contacts: Contacts, refusal: Refusal, values: Any, field: Any
) -> None:
    person_values: dict[str, Any] = {"display_name": "Иван", "unit_id": MOSCOW, **values}
    error = refusal("CreatePerson", pb.CreatePersonRequest(person=pb.Person(**person_values)))
    assert (error.reason, error.violations[0].field) == ("FIELD_INVALID", field)
    assert (contacts.count(person), contacts.count(organization)) == (0, 0)


def test_unknown_ids_are_told_apart(contacts: Contacts, refusal: Refusal) -> None:
    for person_id in (id_of("nobody"), "nonsense", "", "\x00"):
        assert refusal("GetPerson", pb.GetPersonRequest(person_id=person_id)).reason == "PERSON_NOT_FOUND"
        assert refusal("UpdatePerson", update(person_id, "1", display_name="x")).reason == "PERSON_NOT_FOUND"
    strange = pb.Person(display_name="x", unit_id=MOSCOW, affiliations=[pb.Affiliation(organization_id=id_of("none"))])
    assert refusal("CreatePerson", pb.CreatePersonRequest(person=strange)).reason == "ORGANIZATION_NOT_FOUND"
    for unit_id in (id_of("nowhere"), "nonsense"):
        request = pb.CreatePersonRequest(person=a_person(unit_id=unit_id))
        assert refusal("CreatePerson", request).reason == "UNIT_NOT_KNOWN"
    made = contacts.create(name="Иван").person
    error = refusal("UpdatePerson", update(made.id, "1", "unit_ids", display_name="x"))
    assert error.violations[0].field == "update_mask"


def test_a_repeated_request_id_has_one_effect_also_when_both_run_at_once(contacts: Contacts, refusal: Refusal) -> None:
    request = pb.CreatePersonRequest(request_id="r1", person=a_person("Иван", "+74951234567"))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: contacts.call("CreatePerson", request), range(8)))
    assert all(answer == answers[0] for answer in answers)
    assert not answers[0].existed
    assert len(contacts.events("PersonCreated", "PersonUpdated")) == 1
    other = pb.CreatePersonRequest(request_id="r1", person=a_person("Пётр"))
    assert refusal("CreatePerson", other).reason == "REQUEST_ID_REUSED"


def test_another_branch_neither_reads_lists_searches_nor_counts(contacts: Contacts, refusal: Refusal) -> None:
    ours = contacts.create(MOSCOW_SELLER, name="Гранин Всеволод", phone="+74951234567").person
    get = pb.GetPersonRequest(person_id=ours.id)
    assert contacts.call("GetPerson", get, MOSCOW_SELLER).person == ours
    assert refusal("GetPerson", get, TULA_SELLER).reason == "PERSON_NOT_FOUND"
    many = pb.BatchGetPersonsRequest(person_ids=[ours.id, "nonsense"])
    search = pb.SearchCustomersRequest(query="Гранин")
    for access, seen in ((MOSCOW_SELLER, 1), (TULA_SELLER, 0), (STEWARD, 1)):
        assert len(contacts.call("BatchGetPersons", many, access).persons) == seen
        assert len(contacts.call("ListPersons", pb.ListPersonsRequest(), access).persons) == seen
        assert len(contacts.call("SearchCustomers", search, access).hits) == seen
        assert contacts.call("CountCustomers", pb.CountCustomersRequest(), access).persons == seen
    change = update(ours.id, "1", display_name="Чужой")
    assert refusal("UpdatePerson", change, TULA_SELLER).reason == "PERSON_NOT_FOUND"
    foreign = pb.CreatePersonRequest(person=a_person(unit_id=MOSCOW))
    assert refusal("CreatePerson", foreign, TULA_SELLER).reason == "NOT_PERMITTED"
    request = pb.ImportPersonsRequest(unit_id=MOSCOW, source="s", rows=[pb.PersonRow()])
    assert refusal("ImportPersons", request, TULA_SELLER).reason == "NOT_PERMITTED"


def test_a_customer_of_two_branches_is_one_card_seen_by_both_and_counted_once(contacts: Contacts) -> None:
    ours = contacts.create(MOSCOW_SELLER, name="Гранин", phone="+74951234567", individual_customer=True)
    theirs = contacts.create(STEWARD, name="гранин", phone="8 495 123 45 67", unit_id=TULA)
    assert theirs.existed
    assert theirs.person.id == ours.person.id
    for access in (MOSCOW_SELLER, TULA_SELLER):
        count = contacts.call("CountCustomers", pb.CountCustomersRequest(), access)
        assert (count.persons, count.individual_customers) == (1, 1)
    assert contacts.call("CountCustomers", pb.CountCustomersRequest()).persons == 1
    assert contacts.call("CountCustomers", pb.CountCustomersRequest(unit_id=TULA)).persons == 1


def test_whoever_sees_only_own_cards_owns_what_they_make(contacts: Contacts, refusal: Refusal) -> None:
    own = contacts.create(OWN_SELLER, name="Мой").person
    assert own.owner_id == OWN_SELLER.user_id
    other = contacts.create(MOSCOW_SELLER, name="Не мой").person
    assert [one.id for one in contacts.call("ListPersons", pb.ListPersonsRequest(), OWN_SELLER).persons] == [own.id]
    assert refusal("GetPerson", pb.GetPersonRequest(person_id=other.id), OWN_SELLER).reason == "PERSON_NOT_FOUND"


def test_pages_follow_the_name_without_gap_or_repeat(contacts: Contacts, refusal: Refusal) -> None:
    for n in range(25):
        contacts.create(name=f"Иван {n % 5}", email=f"u{n}@example.ru")
    seen, token = [], ""
    while True:
        answer = contacts.call("ListPersons", pb.ListPersonsRequest(page_size=7, page_token=token))
        seen += [(one.display_name, one.id) for one in answer.persons]
        token = answer.next_page_token
        if not token:
            break
    assert len(seen) == len(set(seen)) == 25
    assert seen == sorted(seen)
    token = contacts.call("ListPersons", pb.ListPersonsRequest(page_size=7)).next_page_token
    for bad in ("nonsense", token[:-4], token + "A"):
        assert refusal("ListPersons", pb.ListPersonsRequest(page_token=bad)).reason == "PAGE_TOKEN_INVALID"
    elsewhere = pb.ListPersonsRequest(page_token=token, unit_id=TULA)
    assert refusal("ListPersons", elsewhere).reason == "PAGE_TOKEN_INVALID"
    assert refusal("ListPersons", pb.ListPersonsRequest(page_size=501)).violations[0].field == "page_size"


def test_hostile_texts_come_back_byte_for_byte(contacts: Contacts, shared_data: DataSets) -> None:
    texts = json.loads((shared_data("strings-hostile") / "blns.json").read_text(encoding="utf-8"))
    usable = [text for text in texts if text.strip() and "\x00" not in text and len(text) <= 300]
    assert len(usable) > 450
    for start in range(0, len(usable), 100):
        rows = [
            pb.PersonRow(
                person=pb.Person(
                    display_name=text, family_name=f"{start + n} {text}"[:300], attributes={"text": text},
                    address=pb.Address(street=text),
                    channels=[an_email(text), pb.Channel(kind=pb.CHANNEL_KIND_MESSENGER, value=text)],
                ),
                external_id=f"{start + n}", role=text[:200], organization_name=text,
            )
            for n, text in enumerate(usable[start : start + 100])
        ]  # fmt: skip
        fates = contacts.import_persons(*rows, run="r1", source="hostile")
        asked = pb.BatchGetPersonsRequest(person_ids=[one.record_id for one in fates])
        found = {one.id: one for one in contacts.call("BatchGetPersons", asked).persons}
        for text, fate in zip(usable[start : start + 100], fates, strict=True):
            card = found[fate.record_id]
            assert card.display_name == text.strip()
            assert card.attributes["text"] == text
            assert card.address.street == text.strip()
            assert text.strip() in {one.raw for one in card.channels}
