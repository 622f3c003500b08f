"""One card per organization: joined across spellings, kept apart by tax ids, found by what a workbook says."""

from __future__ import annotations

import csv
from collections import Counter
from typing import Any

from chassis.access import Access
from contacts.tables import organization, possible_duplicate
from crm.contacts.v1 import contacts_pb2 as pb
from services.contacts.tests.world import (
    MOSCOW,
    MOSCOW_SELLER,
    STEWARD,
    TULA,
    TULA_SELLER,
    Contacts,
    DataSets,
    Refusal,
    a_phone,
    a_row,
    fates_of,
    id_of,
)


def a_firm(name: str, external_id: str = "", parent_name: str = "", **values: Any) -> pb.OrganizationRow:
    firm = pb.Organization(display_name=name, **values)
    return pb.OrganizationRow(organization=firm, external_id=external_id, parent_name=parent_name)


def create(contacts: Contacts, name: str, access: Access = STEWARD, **values: Any) -> Any:
    firm = pb.Organization(display_name=name, **{"unit_id": MOSCOW, **values})
    return contacts.call("CreateOrganization", pb.CreateOrganizationRequest(organization=firm), access)


def update(firm: pb.Organization, **values: Any) -> pb.UpdateOrganizationRequest:
    request = pb.UpdateOrganizationRequest(organization=pb.Organization(id=firm.id, **values), etag=firm.etag)
    request.update_mask.paths.extend(values)
    return request


def match(
    contacts: Contacts, *references: pb.CustomerReference, access: Access = STEWARD, unit_id: str = MOSCOW
) -> list[pb.CustomerMatch]:
    request = pb.MatchCustomersRequest(references=references, unit_id=unit_id, source="moscow-1c")
    return list(contacts.call("MatchCustomers", request, access).matches)


def test_spellings_of_one_organization_are_one_card(contacts: Contacts) -> None:
    fates = contacts.import_organizations(
        a_firm("ООО «Ромашка»", industry="цветы"),
        a_firm("Ромашка, ООО", channels=[a_phone("8 495 123-45-67")]),
        run="r1",
    )
    assert fates_of(fates) == ["created", "merged"]
    shown = contacts.call("GetOrganization", pb.GetOrganizationRequest(organization_id=fates[0].record_id)).organization
    assert (shown.display_name, shown.industry, len(shown.channels)) == ("ООО «Ромашка»", "цветы", 1)
    [event] = contacts.events("OrganizationCreated")
    assert (event.organization.display_name, event.organization.run_id) == ("ООО «Ромашка»", "r1")


def test_one_name_with_two_tax_ids_or_two_numbers_is_two_organizations(contacts: Contacts) -> None:
    fates = contacts.import_organizations(
        a_firm("Ромашка", tax_id="7707083893"), a_firm("Ромашка", tax_id="7736050003"),
        a_firm("Лютик", "1"), a_firm("Лютик", "2"), run="r1",
    )  # fmt: skip
    assert fates_of(fates) == ["created"] * 4
    assert contacts.count(possible_duplicate) == 2
    again = contacts.import_organizations(a_firm("Ромашка", tax_id="7736050003"), a_firm("Лютик", "2"), run="r2")
    assert [one.record_id for one in again] == [fates[1].record_id, fates[3].record_id]
    found = match(contacts, *(pb.CustomerReference(organization_name=name) for name in ("ромашка", "Роза")))
    assert [(one.organization_id, one.organization_ambiguous) for one in found] == [("", True), ("", False)]


def test_a_person_joins_the_organization_its_row_names(contacts: Contacts) -> None:
    [firm] = contacts.import_organizations(a_firm("ООО Ромашка", "42", tax_id="7707083893"), run="r1")
    fates = contacts.import_persons(
        a_row("Иван", "+79160000001", organization="ромашка ооо"),
        a_row("Пётр", "+79160000002", organization_tax_id="7707083893"),
        a_row("Анна", "+79160000003", organization_external_id="42"),
        run="r2",
    )
    assert {one.organization_id for one in fates} == {firm.record_id}
    assert contacts.count(organization) == 1
    members = contacts.call("ListPersons", pb.ListPersonsRequest(organization_id=firm.record_id)).persons
    assert {one.display_name for one in members} == {"Иван", "Пётр", "Анна"}


def test_an_organization_stands_below_another_but_never_below_itself(contacts: Contacts, refusal: Refusal) -> None:
    fates = contacts.import_organizations(a_firm("Дочка", parent_name="Холдинг"), run="r1")
    get = pb.GetOrganizationRequest(organization_id=fates[0].record_id)
    daughter = contacts.call("GetOrganization", get).organization
    parent = contacts.call(
        "GetOrganization", pb.GetOrganizationRequest(organization_id=daughter.parent_id)
    ).organization
    assert parent.display_name == "Холдинг"
    error = refusal("UpdateOrganization", update(parent, parent_id=daughter.id))
    assert error.violations[0].field == "organization.parent_id"
    assert refusal("UpdateOrganization", update(parent, parent_id=parent.id)).reason == "FIELD_INVALID"
    assert refusal("UpdateOrganization", update(parent, parent_id=id_of("-"))).reason == "ORGANIZATION_NOT_FOUND"


def test_rows_that_would_make_a_ring_are_refused(contacts: Contacts) -> None:
    rows = (
        a_firm("Альфа", parent_name="Бета"),
        a_firm("Бета", parent_name="Гамма"),
        a_firm("Гамма", parent_name="Альфа"),
    )
    fates = contacts.import_organizations(*rows, run="r1")
    assert [one.reason for one in fates] == ["", "", "parent_below"]
    [again] = contacts.import_organizations(a_firm("Гамма", parent_name="альфа"), run="r2")
    assert again.reason == "parent_below"


def test_a_tax_id_of_another_organization_cannot_be_taken(contacts: Contacts, refusal: Refusal) -> None:
    create(contacts, "Ромашка", tax_id="7707083893")
    other = create(contacts, "Лютик").organization
    assert refusal("UpdateOrganization", update(other, tax_id="7707083893")).reason == "MATCH_KEY_TAKEN"
    changed = contacts.call("UpdateOrganization", update(other, industry="цветы", display_name="Лютик-2")).organization
    assert (changed.etag, changed.industry) == ("2", "цветы")
    assert refusal("UpdateOrganization", update(other, industry="x")).reason == "STALE_ETAG"
    assert not create(contacts, "Лютик").existed


def test_another_branch_does_not_see_an_organization_until_it_knows_it(contacts: Contacts, refusal: Refusal) -> None:
    ours = create(contacts, "Ромашка", MOSCOW_SELLER).organization
    get = pb.GetOrganizationRequest(organization_id=ours.id)
    assert refusal("GetOrganization", get, TULA_SELLER).reason == "ORGANIZATION_NOT_FOUND"
    assert not contacts.call("ListOrganizations", pb.ListOrganizationsRequest(), TULA_SELLER).organizations
    theirs = create(contacts, "РОМАШКА", STEWARD, unit_id=TULA)
    assert (theirs.existed, theirs.organization.id) == (True, ours.id)
    assert contacts.call("GetOrganization", get, TULA_SELLER).organization.display_name == "Ромашка"


def test_a_workbook_finds_its_customers_or_gets_proposals(contacts: Contacts) -> None:
    contacts.import_organizations(a_firm("Codehow"), a_firm("Golddex"), a_firm("Cancity", "7"), run="r1")
    [person] = contacts.import_persons(
        a_row("Иван Петров", "+79160000001", "ivan@example.ru", "Codehow", external_id="p1"), run="r1"
    )
    answers = match(
        contacts,
        pb.CustomerReference(organization_name="codehow "),
        pb.CustomerReference(organization_name="Gold dex"),
        pb.CustomerReference(organization_external_id="7"),
        pb.CustomerReference(person_name="Петров Иван", phone="8 916 000-00-01"),
        pb.CustomerReference(person_name="Иван Петров", organization_name="Codehow"),
        pb.CustomerReference(email="IVAN@example.ru"),
        pb.CustomerReference(person_external_id="p1"),
        pb.CustomerReference(person_name="Иван Петров"),
    )
    assert answers[0].organization_id
    assert answers[1].organization_suggestions[0] == "Golddex"
    assert answers[2].organization_id
    assert [one.person_id for one in answers[3:]] == [person.record_id] * 4 + [""]


def test_a_reader_of_another_branch_is_not_told_of_our_customers(contacts: Contacts) -> None:
    create(contacts, "Секретная Ромашка", MOSCOW_SELLER)
    reader = type(TULA_SELLER)(
        TULA_SELLER.user_id, "x", TULA, tuple(g for g in TULA_SELLER.grants if g.action == "read")
    )
    reference = pb.CustomerReference(organization_name="Секретная Ромашка")
    near = pb.CustomerReference(organization_name="Секретная Ромашк")
    for answer in match(contacts, reference, near, access=reader, unit_id=TULA):
        assert (answer.organization_id, list(answer.organization_suggestions)) == ("", [])


def test_the_resellers_of_adventure_works_keep_their_701_numbers(contacts: Contacts, shared_data: DataSets) -> None:
    path = shared_data("contacts-adventureworks-prospects") / "DimReseller.csv"
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        rows = [a_firm(one[5], one[2], channels=[a_phone(one[3])]) for one in csv.reader(file, delimiter="|")]
    assert Counter(fates_of(contacts.import_organizations(*rows, run="r1"))) == {"created": 701}
    assert Counter(fates_of(contacts.import_organizations(*rows, run="r2"))) == {"unchanged": 701}
    assert contacts.count(possible_duplicate) >= 2
