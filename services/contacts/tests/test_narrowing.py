"""Lists, counts and lines of time are narrowed to what somebody asks for, by the same rights as without it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.dates import to_date
from crm.contacts.v1 import contacts_pb2 as pb
from services.contacts.tests.world import (
    HQ,
    MOSCOW,
    MOSCOW_SELLER,
    TULA,
    TULA_SELLER,
    Contacts,
    Refusal,
    a_phone,
    id_of,
)

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
NATASHA = id_of("natasha")


def names(contacts: Contacts, access: Any = MOSCOW_SELLER, **asked: Any) -> list[str]:
    """Names of the persons a list gives."""
    return [one.display_name for one in contacts.call("ListPersons", pb.ListPersonsRequest(**asked), access).persons]


def an_organization(contacts: Contacts, name: str, **values: Any) -> pb.Organization:
    request = pb.CreateOrganizationRequest(organization=pb.Organization(display_name=name, unit_id=MOSCOW, **values))
    return contacts.call("CreateOrganization", request).organization  # type: ignore[no-any-return]


def a_call(contacts: Contacts, when: datetime, summary: str, **values: Any) -> pb.Interaction:
    stamp = Timestamp()
    stamp.FromDatetime(when)
    kind = values.pop("kind", pb.INTERACTION_KIND_CALL)
    values = {"unit_id": MOSCOW, **values}
    asked = pb.Interaction(kind=kind, occur_time=stamp, summary=summary, **values)
    return contacts.call("LogInteraction", pb.LogInteractionRequest(interaction=asked)).interaction  # type: ignore[no-any-return]


def test_persons_are_listed_by_owner_text_and_kind(contacts: Contacts) -> None:
    contacts.create(name="Anna Berg", phone="+7 495 123-45-67", owner_id=NATASHA)
    contacts.create(name="Boris Anners", email="boris@granin.example", individual_customer=True)
    contacts.create(name="Клара Цеткин")
    assert names(contacts, owner_id=NATASHA) == ["Anna Berg"]
    assert names(contacts, query="ann") == ["Anna Berg", "Boris Anners"]
    assert names(contacts, query="123-45-67") == ["Anna Berg"]
    assert names(contacts, query="@granin.example") == ["Boris Anners"]
    assert names(contacts, query="klara") == ["Клара Цеткин"]
    assert names(contacts, query="!!!") == []
    assert names(contacts, individual_only=True) == ["Boris Anners"]
    assert names(contacts, TULA_SELLER, query="ann") == []


def test_a_narrowed_list_goes_on_at_its_next_page_and_nowhere_else(contacts: Contacts, refusal: Refusal) -> None:
    for name in ("Anna A", "Anna B", "Berta"):
        contacts.create(name=name)
    first = contacts.call("ListPersons", pb.ListPersonsRequest(query="anna", page_size=1))
    second = pb.ListPersonsRequest(query="anna", page_size=1, page_token=first.next_page_token)
    assert [one.display_name for one in contacts.call("ListPersons", second).persons] == ["Anna B"]
    other = pb.ListPersonsRequest(query="berta", page_size=1, page_token=first.next_page_token)
    assert refusal("ListPersons", other).reason == "PAGE_TOKEN_INVALID"


def test_the_count_at_the_foot_is_that_of_the_narrowed_list(contacts: Contacts) -> None:
    contacts.create(name="Anna Berg", owner_id=NATASHA)
    contacts.create(name="Anna Stein", unit_id=TULA)
    an_organization(contacts, "Annas Garden")

    def count(access: Any = None, **asked: Any) -> tuple[int, int]:
        request = pb.CountCustomersRequest(**asked)
        answer = (
            contacts.call("CountCustomers", request, access) if access else contacts.call("CountCustomers", request)
        )
        return answer.persons, answer.organizations

    assert count(query="anna") == (2, 1)
    assert count(query="anna", unit_id=TULA) == (1, 0)
    assert count(owner_id=NATASHA) == (1, 0)
    assert count(MOSCOW_SELLER, query="anna") == (1, 1)


@pytest.mark.parametrize(("field", "value"), [("owner_id", "me"), ("query", "a")])
def test_a_list_refuses_what_it_cannot_be_narrowed_to(
    contacts: Contacts, refusal: Refusal, field: str, value: str
) -> None:
    assert refusal("ListPersons", pb.ListPersonsRequest(**{field: value})).reason == "FIELD_INVALID"  # type: ignore[arg-type]


def test_organizations_are_listed_by_what_is_above_them(contacts: Contacts) -> None:
    group = an_organization(contacts, "Granin Group")
    an_organization(contacts, "Granin Bureau", parent_id=group.id)
    answer = contacts.call("ListOrganizations", pb.ListOrganizationsRequest(parent_id=group.id), MOSCOW_SELLER)
    assert [one.display_name for one in answer.organizations] == ["Granin Bureau"]


def test_the_line_of_time_is_narrowed_by_kind_person_branch_and_time(contacts: Contacts) -> None:
    person = contacts.create(phone="+7 495 123-45-67").person
    a_call(contacts, NOW - timedelta(days=400), "long ago", person_id=person.id)
    a_call(contacts, NOW, "a note", person_id=person.id, kind=pb.INTERACTION_KIND_NOTE, author_id=NATASHA)
    a_call(contacts, NOW, "from Tula", person_id=person.id, unit_id=TULA)

    def told(**asked: Any) -> set[str]:
        request = pb.ListInteractionsRequest(person_id=person.id, **asked)
        return {one.summary for one in contacts.call("ListInteractions", request).interactions}

    year = Timestamp(seconds=int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()))
    assert told(kind=pb.INTERACTION_KIND_NOTE) == {"a note"}
    assert told(author_id=NATASHA) == {"a note"}
    assert told(unit_id=TULA) == {"from Tula"}
    assert told(unit_id=HQ) == {"long ago", "a note", "from Tula"}
    assert told(occur_from_time=year) == {"a note", "from Tula"}
    assert told(occur_before_time=year) == {"long ago"}


def test_the_newest_interaction_of_each_customer_is_found_at_once(contacts: Contacts) -> None:
    first, second = contacts.create(name="Anna Berg").person, contacts.create(name="Boris Stein").person
    silent, firm = contacts.create(name="Clara Silent").person, an_organization(contacts, "Granin Bureau")
    a_call(contacts, NOW - timedelta(days=1), "older", person_id=first.id)
    a_call(contacts, NOW, "newest", person_id=first.id)
    a_call(contacts, NOW, "of Boris, in Tula", person_id=second.id, unit_id=TULA)
    a_call(contacts, NOW, "of the firm", organization_id=firm.id)
    request = pb.BatchGetLatestInteractionsRequest(
        person_ids=[first.id, second.id, silent.id], organization_ids=[firm.id]
    )
    answer = contacts.call("BatchGetLatestInteractions", request)
    assert {one.summary for one in answer.person_interactions} == {"newest", "of Boris, in Tula"}
    assert [one.summary for one in answer.organization_interactions] == ["of the firm"]
    seen = contacts.call("BatchGetLatestInteractions", request, MOSCOW_SELLER)
    assert [one.summary for one in seen.person_interactions] == ["newest"]


def test_names_are_told_of_customers_one_may_see_and_of_nobody_else(contacts: Contacts, refusal: Refusal) -> None:
    anna, firm = contacts.create(name="Anna Berg").person, an_organization(contacts, "Granin Bureau")
    request = pb.BatchGetCustomerNamesRequest(person_ids=[anna.id, NATASHA, "x"], organization_ids=[firm.id, anna.id])
    answer = contacts.call("BatchGetCustomerNames", request, MOSCOW_SELLER)
    assert (dict(answer.person_names), dict(answer.organization_names)) == (
        {anna.id: "Anna Berg"}, {firm.id: "Granin Bureau"},
    )  # fmt: skip
    assert not contacts.call("BatchGetCustomerNames", request, TULA_SELLER).ByteSize()
    too_many = pb.BatchGetCustomerNamesRequest(person_ids=[anna.id] * 300, organization_ids=[firm.id] * 201)
    assert refusal("BatchGetCustomerNames", too_many).violations[0].reason == "TOO_MANY"


def test_members_of_organizations_are_listed_with_roles_and_by_day(contacts: Contacts) -> None:
    epoch = an_organization(contacts, "Epoch")
    left, joined = date(2022, 2, 1), date(2022, 3, 1)
    architect = pb.Affiliation(organization_id=epoch.id, role="architect", end_date=to_date(left))
    director = pb.Affiliation(organization_id=epoch.id, role="director", start_date=to_date(joined))
    contacts.create(name="Vsevolod Granin", affiliations=[architect])
    contacts.create(name="Pavel Portnoy", affiliations=[director], phone="+7 495 000-11-22")
    contacts.create(name="Somebody Else", affiliations=[pb.Affiliation(organization_id=epoch.id)])

    def members(access: Any = MOSCOW_SELLER, **asked: Any) -> list[tuple[str, str, str]]:
        request = pb.ListAffiliationsRequest(organization_ids=[epoch.id], **asked)
        answer = contacts.call("ListAffiliations", request, access)
        return [(one.person_name, one.role, one.organization_name) for one in answer.affiliations]

    portnoy, granin = ("Pavel Portnoy", "director", "Epoch"), ("Vsevolod Granin", "architect", "Epoch")
    assert members() == [portnoy, ("Somebody Else", "", "Epoch"), granin]
    assert members(with_role_only=True) == [portnoy, granin]
    assert members(with_role_only=True, on_date=to_date(left - timedelta(days=1))) == [granin]
    assert members(with_role_only=True, on_date=to_date(joined)) == [portnoy]
    assert members(TULA_SELLER) == []


def test_members_come_in_pages(contacts: Contacts, refusal: Refusal) -> None:
    firm = an_organization(contacts, "Granin Bureau")
    for name in ("Anna", "Boris", "Clara"):
        contacts.create(name=name, affiliations=[pb.Affiliation(organization_id=firm.id)])
    found, token = [], ""
    for _ in range(3):
        request = pb.ListAffiliationsRequest(organization_ids=[firm.id], page_size=1, page_token=token)
        answer = contacts.call("ListAffiliations", request)
        found += [one.person_name for one in answer.affiliations]
        token = answer.next_page_token
    assert (found, token) == (["Anna", "Boris", "Clara"], "")
    assert refusal("ListAffiliations", pb.ListAffiliationsRequest()).reason == "FIELD_INVALID"


def test_the_possible_duplicates_of_one_card_are_listed_alone(contacts: Contacts) -> None:
    first = contacts.create(name="Anna Berg", channels=[a_phone("+7 495 123-45-67")]).person
    contacts.create(name="Boris Stein", channels=[a_phone("+7 495 123-45-67")])
    contacts.create(name="Clara Weiss", channels=[a_phone("+7 495 765-43-21")])
    contacts.create(name="Dora Weiss", channels=[a_phone("+7 495 765-43-21")])

    def pairs(record_id: str) -> list[str]:
        request = pb.ListPossibleDuplicatesRequest(record_id=record_id)
        return [one.second_name for one in contacts.call("ListPossibleDuplicates", request).possible_duplicates]

    assert pairs(first.id) == ["Boris Stein"]
    assert len(pairs("")) == 2


def test_a_list_of_named_cards_has_those_the_caller_may_see(contacts: Contacts, refusal: Refusal) -> None:
    ids = [
        contacts.create(name=name, phone=f"+7 495 123-45-6{at}").person.id
        for at, name in enumerate(("Ada", "Bo", "Cy"))
    ]
    assert names(contacts, person_ids=ids[:2]) == ["Ada", "Bo"]
    assert names(contacts, TULA_SELLER, person_ids=ids) == []
    acme = an_organization(contacts, "Acme")
    an_organization(contacts, "Vega")
    asked = pb.ListOrganizationsRequest(organization_ids=[acme.id])
    assert [one.display_name for one in contacts.call("ListOrganizations", asked).organizations] == ["Acme"]
    for wrong in (["no id"], [NATASHA] * 501):
        assert refusal("ListPersons", pb.ListPersonsRequest(person_ids=wrong)).reason == "FIELD_INVALID"
