"""Chosen customers are tagged and changed in one call: each is decided by itself, and the answer takes it back."""

from __future__ import annotations

from typing import Any

import pytest

from chassis.access import ALL, OWN, READ, WRITE, Access, Grant
from crm.contacts.v1 import contacts_pb2 as pb
from services.contacts.tests.test_customer_fields import NUMBER, make
from services.contacts.tests.world import MOSCOW, MOSCOW_SELLER, STEWARD, TULA, Contacts, Refusal, id_of

UNKNOWN = id_of("a card that nobody made")
READER = Access(id_of("reader"), "Reader", MOSCOW, (Grant(READ, ALL), Grant(WRITE, OWN, "hq.moscow")))


def a_firm(contacts: Contacts, name: str, **values: Any) -> pb.Organization:
    request = pb.CreateOrganizationRequest(organization=pb.Organization(display_name=name, unit_id=MOSCOW, **values))
    return contacts.call("CreateOrganization", request).organization  # type: ignore[no-any-return]


def change(
    contacts: Contacts, *changes: pb.CustomerChange, access: Access = STEWARD, dry_run: bool = False
) -> list[pb.CustomerChangeFate]:
    """What becomes of each."""
    request = pb.ChangeCustomersRequest(changes=changes, dry_run=dry_run)
    fates = list(contacts.call("ChangeCustomers", request, access).fates)
    assert [one.record_id for one in fates] == [one.person_id or one.organization_id for one in changes]
    return fates


def words(fates: list[pb.CustomerChangeFate]) -> list[str]:
    """The fates in a word each."""
    reasons = [pb.ErrorReason.Name(one.refusal).removeprefix("ERROR_REASON_") for one in fates]
    return [
        reason if one.refusal else "unchanged" if one.unchanged else "changed"
        for reason, one in zip(reasons, fates, strict=True)
    ]


def person(contacts: Contacts, person_id: str) -> pb.Person:
    return contacts.call("GetPerson", pb.GetPersonRequest(person_id=person_id)).person  # type: ignore[no-any-return]


def test_chosen_customers_get_and_lose_tags_with_an_event_each(contacts: Contacts) -> None:
    anna = contacts.create(name="Anna Berg", tags=["VIP"]).person
    boris = contacts.create(name="Boris Stein", tags=["late"]).person
    firm = a_firm(contacts, "Lumen", tags=["vip", "late"])
    asked = [
        pb.CustomerChange(person_id=anna.id, add_tags=["vip"], remove_tags=["LATE"]),
        pb.CustomerChange(person_id=boris.id, add_tags=["vip"], remove_tags=["LATE"]),
        pb.CustomerChange(organization_id=firm.id, add_tags=["vip"], remove_tags=["LATE"]),
    ]
    before = contacts.snapshot()
    looked = change(contacts, *asked, dry_run=True)
    assert words(looked) == ["unchanged", "changed", "changed"]
    assert not any(one.HasField("undo") for one in looked)
    assert contacts.snapshot() == before
    done = change(contacts, *asked)
    assert words(done) == ["unchanged", "changed", "changed"]
    assert list(person(contacts, boris.id).tags) == ["VIP"]
    [told] = contacts.events("PersonUpdated")
    assert (told.person.id, list(told.changed.paths), list(told.person.personal.tags)) == (boris.id, ["tags"], ["VIP"])
    [told] = contacts.events("OrganizationUpdated")
    assert (told.organization.id, list(told.organization.tags)) == (firm.id, ["VIP"])
    assert words(change(contacts, *(one.undo for one in done if one.HasField("undo")))) == ["changed"] * 2
    assert list(person(contacts, boris.id).tags) == ["late"]


def test_fields_are_set_by_their_rules_and_taken_back_as_far_as_nobody_changed_them_since(contacts: Contacts) -> None:
    make(contacts, "Height", type=NUMBER)
    anna = contacts.create(name="Anna Berg", attributes={"Height": "170", "note": "kept"}).person
    boris = contacts.create(name="Boris Stein").person
    both = [anna.id, boris.id]
    done = change(contacts, *(pb.CustomerChange(person_id=one, fields={"height": "0180"}) for one in both))
    assert words(done) == ["changed", "changed"]
    assert dict(person(contacts, anna.id).attributes) == {"Height": "180", "note": "kept"}
    wrong = change(contacts, *(pb.CustomerChange(person_id=one, fields={"Height": "tall"}) for one in both))
    assert words(wrong) == ["FIELD_INVALID"] * 2
    assert "Height" in wrong[0].message
    unknown = change(contacts, pb.CustomerChange(person_id=anna.id, fields={"Shoe": "42"}))
    assert (words(unknown), "no field" in unknown[0].message) == (["FIELD_INVALID"], True)
    change(contacts, pb.CustomerChange(person_id=boris.id, individual_customer=True))
    assert words(change(contacts, *(one.undo for one in done))) == ["changed", "STALE_ETAG"]
    assert dict(person(contacts, anna.id).attributes) == {"Height": "170", "note": "kept"}
    assert dict(person(contacts, boris.id).attributes) == {"Height": "180"}


def test_a_line_of_business_is_set_on_organizations_alone(contacts: Contacts, refusal: Refusal) -> None:
    firm = a_firm(contacts, "Lumen", industry="glass")
    [done] = change(contacts, pb.CustomerChange(organization_id=firm.id, industry="windows", etag=firm.etag))
    assert done.undo.industry == "glass"
    assert words(change(contacts, pb.CustomerChange(organization_id=firm.id, industry="x", etag=firm.etag))) == [
        "STALE_ETAG"
    ]
    wrong = pb.CustomerChange(person_id=UNKNOWN, industry="windows")
    refused = refusal("ChangeCustomers", pb.ChangeCustomersRequest(changes=[wrong]))
    assert refused.violations[0].field == "changes[0].industry"


def test_each_is_decided_by_itself(contacts: Contacts) -> None:
    mine = contacts.create(name="Anna Berg").person
    elsewhere = contacts.create(name="Boris Stein", unit_id=TULA).person
    asked = [pb.CustomerChange(person_id=one, add_tags=["fair"]) for one in (mine.id, elsewhere.id, UNKNOWN)]
    assert words(change(contacts, *asked, access=MOSCOW_SELLER)) == ["changed", "PERSON_NOT_FOUND", "PERSON_NOT_FOUND"]
    assert words(change(contacts, asked[1], access=READER)) == ["NOT_PERMITTED"]
    assert not person(contacts, elsewhere.id).tags


def test_a_card_keeps_no_more_tags_than_it_may(contacts: Contacts) -> None:
    full = contacts.create(name="Anna Berg", tags=[f"tag {number}" for number in range(30)]).person
    [fate] = change(contacts, pb.CustomerChange(person_id=full.id, add_tags=["one more"]))
    assert (words([fate]), "at most 30" in fate.message) == (["FIELD_INVALID"], True)
    swapped = pb.CustomerChange(person_id=full.id, add_tags=["one more"], remove_tags=["tag 0"])
    assert words(change(contacts, swapped)) == ["changed"]


@pytest.mark.parametrize("what", ["none", "twice", "both", "no id", "comma"])
def test_a_call_that_makes_no_sense_is_refused(contacts: Contacts, refusal: Refusal, what: str) -> None:
    one = pb.CustomerChange(person_id=UNKNOWN, add_tags=["a"])
    asked = {
        "none": [],
        "twice": [one, one],
        "both": [pb.CustomerChange(person_id=UNKNOWN, organization_id=UNKNOWN)],
        "no id": [pb.CustomerChange(person_id="somebody")],
        "comma": [pb.CustomerChange(person_id=UNKNOWN, add_tags=["a,b"])],
    }[what]
    assert refusal("ChangeCustomers", pb.ChangeCustomersRequest(changes=asked)).reason == "FIELD_INVALID"


def test_who_does_not_see_further_facts_sets_none(contacts: Contacts, refusal: Refusal) -> None:
    make(contacts, "Height", type=NUMBER)
    anna = contacts.create(name="Anna Berg").person
    blind = Access(id_of("blind"), "Blind", MOSCOW, MOSCOW_SELLER.grants, hidden=("customer.attributes",))
    asked = pb.CustomerChange(person_id=anna.id, fields={"Height": "180"})
    assert refusal("ChangeCustomers", pb.ChangeCustomersRequest(changes=[asked]), blind).reason == "NOT_PERMITTED"
    assert not person(contacts, anna.id).attributes
