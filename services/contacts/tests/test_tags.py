"""Tags of customers: spelt one way everywhere, told to others, found again by who may see the card, kept by a merge."""

from __future__ import annotations

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.access import Access
from crm.contacts.v1 import contacts_pb2 as pb
from services.contacts.tests.world import (
    MOSCOW,
    MOSCOW_SELLER,
    STEWARD,
    TULA,
    TULA_SELLER,
    Contacts,
    Refusal,
    a_row,
)

PATHS = FieldMask(paths=["tags"])


def set_tags(contacts: Contacts, person: pb.Person, *tags: str, access: Access = STEWARD) -> pb.Person:
    """The card with these tags instead of what it has."""
    asked = pb.Person(id=person.id, tags=tags)
    request = pb.UpdatePersonRequest(person=asked, update_mask=PATHS, etag=person.etag)
    return contacts.call("UpdatePerson", request, access).person  # type: ignore[no-any-return]


def tags_in_use(contacts: Contacts, access: Access = STEWARD, **asked: str) -> list[str]:
    """What is proposed to somebody."""
    return list(contacts.call("ListCustomerTags", pb.ListCustomerTagsRequest(**asked), access).tags)  # type: ignore[arg-type]


def names(contacts: Contacts, access: Access, *tags: str) -> list[str]:
    """The persons with all of the tags, whom a list, a count and groups agree about."""
    listed = contacts.call("ListPersons", pb.ListPersonsRequest(tags=tags), access).persons
    assert contacts.call("CountCustomers", pb.CountCustomersRequest(tags=tags), access).persons == len(listed)
    grouped = pb.GroupCustomersRequest(tags=tags, grouping=pb.CUSTOMER_GROUPING_HOME_UNIT)
    assert sum(one.count for one in contacts.call("GroupCustomers", grouped, access).groups) == len(listed)
    return [one.display_name for one in listed]


def test_a_tag_is_spelt_as_who_used_it_first_wrote_it(contacts: Contacts) -> None:
    first = contacts.create(name="Anna Berg", tags=["  Key   account ", "VIP", "vip"]).person
    assert list(first.tags) == ["Key account", "VIP"]
    second = contacts.create(name="Boris Stein", tags=["KEY ACCOUNT"]).person
    assert list(second.tags) == ["Key account"]
    assert list(set_tags(contacts, second, "vip", "new").tags) == ["VIP", "new"]
    assert names(contacts, STEWARD, "Vip") == ["Anna Berg", "Boris Stein"]
    assert names(contacts, STEWARD, "vip", "key account") == ["Anna Berg"]
    assert names(contacts, STEWARD, "nobody has this") == []


def test_others_hear_of_the_tags_of_a_card(contacts: Contacts) -> None:
    person = contacts.create(name="Anna Berg", tags=["VIP"]).person
    set_tags(contacts, person, "VIP", "fair 2026")
    firm = pb.CreateOrganizationRequest(
        organization=pb.Organization(display_name="Lumen", unit_id=MOSCOW, tags=["vip"])
    )
    contacts.call("CreateOrganization", firm)
    created, updated = contacts.events("PersonCreated", "PersonUpdated")
    assert list(created.person.personal.tags) == ["VIP"]
    assert list(updated.person.personal.tags) == ["VIP", "fair 2026"]
    assert list(updated.changed.paths) == ["tags"]
    [made] = contacts.events("OrganizationCreated")
    assert list(made.organization.tags) == ["VIP"]


def test_tags_are_proposed_from_cards_that_the_caller_may_see(contacts: Contacts) -> None:
    contacts.create(name="Anna Berg", tags=["Fair in Tula", "regular"], unit_id=TULA)
    contacts.create(name="Boris Stein", tags=["Fair 100%", "regular"], unit_id=MOSCOW)
    firm = pb.CreateOrganizationRequest(
        organization=pb.Organization(display_name="Lumen", unit_id=MOSCOW, tags=["fast"])
    )
    contacts.call("CreateOrganization", firm)
    assert tags_in_use(contacts, STEWARD) == ["Fair 100%", "Fair in Tula", "fast", "regular"]
    assert tags_in_use(contacts, MOSCOW_SELLER, query="FA") == ["Fair 100%", "fast"]
    assert tags_in_use(contacts, MOSCOW_SELLER, query="fa", record_type="person") == ["Fair 100%"]
    assert tags_in_use(contacts, TULA_SELLER, query="tul") == ["Fair in Tula"]
    assert tags_in_use(contacts, TULA_SELLER, query="100%") == []
    assert tags_in_use(contacts, TULA_SELLER, record_type="organization") == []
    assert names(contacts, TULA_SELLER, "regular") == ["Anna Berg"]


def test_a_tag_that_no_card_has_any_more_is_proposed_to_nobody(contacts: Contacts) -> None:
    person = contacts.create(name="Anna Berg", tags=["once"]).person
    assert tags_in_use(contacts) == ["once"]
    assert not set_tags(contacts, person).tags
    assert tags_in_use(contacts) == []


@pytest.mark.parametrize(
    ("tags", "reason"),
    [(["a,b"], "COMMA"), (["x" * 51], "TOO_LONG"), ([f"tag {n}" for n in range(31)], "TOO_MANY"), (["a\x00"], "NUL")],
)
def test_a_card_refuses_what_is_no_tag(contacts: Contacts, refusal: Refusal, tags: list[str], reason: str) -> None:
    card = pb.Person(display_name="Anna Berg", unit_id=MOSCOW, tags=tags)
    violation = refusal("CreatePerson", pb.CreatePersonRequest(person=card)).violations[0]
    assert (violation.field, violation.reason) == ("person.tags", reason)


def test_nobody_tags_a_card_of_another_branch(contacts: Contacts, refusal: Refusal) -> None:
    person = contacts.create(name="Anna Berg", unit_id=TULA).person
    asked = pb.UpdatePersonRequest(person=pb.Person(id=person.id, tags=["mine"]), update_mask=PATHS, etag=person.etag)
    assert refusal("UpdatePerson", asked, MOSCOW_SELLER).reason == "PERSON_NOT_FOUND"
    assert tags_in_use(contacts, STEWARD) == []


def test_a_merged_card_leaves_its_tags_and_gets_them_back(contacts: Contacts) -> None:
    one = contacts.create(name="Anna Berg", tags=["VIP", "fair"]).person
    other = contacts.create(name="Anna Bergh", tags=["fair", "late payer"]).person
    cards = [pb.MergedCard(id=card.id, etag=card.etag) for card in (one, other)]
    merged = contacts.call(
        "MergeCustomers", pb.MergeCustomersRequest(record_type="person", survivor_id=one.id, cards=cards)
    )
    assert list(merged.person.tags) == ["VIP", "fair", "late payer"]
    set_tags(contacts, merged.person, "fair", "late payer", "since")
    undone = contacts.call("UnmergeCustomers", pb.UnmergeCustomersRequest(merge_id=merged.merge_id))
    after = {card.id: list(card.tags) for card in undone.persons}
    assert after == {one.id: ["fair", "since"], other.id: ["fair", "late payer"]}


def test_rows_of_a_file_bring_tags_and_take_none_away(contacts: Contacts) -> None:
    contacts.import_persons(a_row("Anna Berg", phone="+7 495 123-45-67", tags=["VIP"], external_id="1"), run="a")
    contacts.import_persons(
        a_row("Anna Berg", phone="+7 495 123-45-67", tags=["vip", "fair"], external_id="1"), run="b"
    )
    [person] = contacts.call("ListPersons", pb.ListPersonsRequest()).persons
    assert list(person.tags) == ["VIP", "fair"]
    looked = a_row("Boris Stein", phone="+7 495 123-45-68", tags=["only looked at"], external_id="2")
    contacts.import_persons(looked, run="c", dry_run=True)
    assert tags_in_use(contacts) == ["fair", "VIP"]
