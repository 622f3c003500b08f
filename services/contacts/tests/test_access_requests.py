"""A customer of another branch is only hinted at; who asks is let in by those who may assign the customer, or not."""

from __future__ import annotations

from typing import Any

from contacts.tables import person
from crm.contacts.v1 import contacts_pb2 as pb
from services.contacts.tests.world import (
    MOSCOW,
    MOSCOW_SELLER,
    OWN_SELLER,
    STEWARD,
    TULA,
    TULA_SELLER,
    Contacts,
    Refusal,
    a_person,
    a_phone,
)

PHONE = "8 (495) 123-45-67"


def ask(contacts: Contacts, access: Any = TULA_SELLER, name: str = "Гранин", unit_id: str = TULA) -> pb.AccessRequest:
    wanted = a_person(name=name, phone="+7 495 123 45 67", unit_id=unit_id)
    request = pb.RequestCustomerAccessRequest(person=wanted, reason="He wants stairs in Tula")
    return contacts.call("RequestCustomerAccess", request, access).access_request  # type: ignore[no-any-return]


def listed(contacts: Contacts, access: Any, **of: Any) -> list[pb.AccessRequest]:
    return list(contacts.call("ListAccessRequests", pb.ListAccessRequestsRequest(**of), access).access_requests)


def decide(contacts: Contacts, asked: pb.AccessRequest, access: Any, **said: Any) -> pb.AccessRequest:
    request = pb.DecideAccessRequestRequest(access_request_id=asked.id, **said)
    return contacts.call("DecideAccessRequest", request, access).access_request  # type: ignore[no-any-return]


def test_the_hint_names_the_branch_and_nothing_else(contacts: Contacts, refusal: Refusal) -> None:
    ours = contacts.create(MOSCOW_SELLER, name="Всеволод Гранин", phone=PHONE, email="granin@vega.ru").person
    before = contacts.snapshot()
    again = pb.CreatePersonRequest(person=a_person(name="Всеволод Гранин", phone="+7 495 123 45 67", unit_id=TULA))
    trouble = refusal("CreatePerson", again, TULA_SELLER)
    assert trouble.reason == "KNOWN_ELSEWHERE"
    assert trouble.metadata["unit_id"] == MOSCOW
    assert not {ours.id, "granin@vega.ru"} & set(trouble.metadata.values())
    assert ours.id not in str(trouble)
    assert contacts.snapshot() == before


def test_an_employer_of_another_branch_is_not_opened_by_naming_it(contacts: Contacts, refusal: Refusal) -> None:
    firm = pb.Organization(display_name="ООО Вега", unit_id=MOSCOW)
    made = contacts.call("CreateOrganization", pb.CreateOrganizationRequest(organization=firm), MOSCOW_SELLER)
    wanted = a_person(name="Пётр", unit_id=TULA, affiliations=[pb.Affiliation(organization_name="ООО Вега")])
    assert refusal("CreatePerson", pb.CreatePersonRequest(person=wanted), TULA_SELLER).reason == "KNOWN_ELSEWHERE"
    read = pb.GetOrganizationRequest(organization_id=made.organization.id)
    assert refusal("GetOrganization", read, TULA_SELLER).reason == "ORGANIZATION_NOT_FOUND"
    same = pb.Organization(display_name="ООО Вега", unit_id=TULA)
    again = pb.CreateOrganizationRequest(organization=same)
    assert refusal("CreateOrganization", again, TULA_SELLER).reason == "KNOWN_ELSEWHERE"


def test_a_value_of_a_hidden_card_taken_over_by_a_change_tells_no_id(contacts: Contacts, refusal: Refusal) -> None:
    contacts.create(MOSCOW_SELLER, name="Гранин", phone=PHONE)
    own = contacts.create(TULA_SELLER, name="Гранин", unit_id=TULA).person
    own.channels.append(a_phone("+74951234567"))
    change = pb.UpdatePersonRequest(person=own, etag=own.etag)
    change.update_mask.paths.append("channels")
    assert refusal("UpdatePerson", change, TULA_SELLER).reason == "KNOWN_ELSEWHERE"
    assert refusal("UpdatePerson", change, STEWARD).reason == "MATCH_KEY_TAKEN"


def test_who_is_let_in_sees_the_one_card_and_so_does_the_branch(contacts: Contacts, refusal: Refusal) -> None:
    ours = contacts.create(MOSCOW_SELLER, name="Гранин", phone=PHONE).person
    asked = ask(contacts)
    assert (asked.record_id, asked.record_name, asked.can_decide) == ("", "", False)
    assert ask(contacts).id == asked.id  # asked again while it is open
    [mine] = listed(contacts, TULA_SELLER)
    assert (mine.record_id, mine.record_name) == ("", "")
    [open_one] = listed(contacts, MOSCOW_SELLER, state=pb.ACCESS_REQUEST_STATE_OPEN)
    assert (open_one.record_id, open_one.record_name, open_one.can_decide) == (ours.id, "Гранин", True)
    assert (open_one.requester_name, open_one.reason) == ("Pyotr", "He wants stairs in Tula")

    assert (
        refusal(
            "DecideAccessRequest", pb.DecideAccessRequestRequest(access_request_id=asked.id, approve=True), TULA_SELLER
        ).reason
        == "ACCESS_REQUEST_NOT_FOUND"
    )
    done = decide(contacts, asked, MOSCOW_SELLER, approve=True, answer="Good luck")
    assert (done.state, done.decider_name, done.answer) == (pb.ACCESS_REQUEST_STATE_APPROVED, "Natasha", "Good luck")
    card = contacts.call("GetPerson", pb.GetPersonRequest(person_id=ours.id), TULA_SELLER).person
    assert sorted(card.unit_ids) == sorted((MOSCOW, TULA))
    assert contacts.count(person) == 1
    [told] = contacts.events("PersonUpdated")
    assert list(told.changed.paths) == ["unit_ids"]
    assert listed(contacts, TULA_SELLER)[0].record_id == ours.id
    again = pb.DecideAccessRequestRequest(access_request_id=asked.id)
    assert refusal("DecideAccessRequest", again, MOSCOW_SELLER).reason == "ACCESS_REQUEST_DECIDED"
    existing = contacts.create(TULA_SELLER, name="Гранин", phone="+74951234567", unit_id=TULA)
    assert (existing.existed, existing.person.id) == (True, ours.id)


def test_who_is_refused_learns_the_answer_and_no_more(contacts: Contacts, refusal: Refusal) -> None:
    ours = contacts.create(MOSCOW_SELLER, name="Гранин", phone=PHONE).person
    decide(contacts, ask(contacts), MOSCOW_SELLER, answer="He is ours")
    [mine] = listed(contacts, TULA_SELLER)
    assert (mine.state, mine.answer, mine.record_id) == (pb.ACCESS_REQUEST_STATE_DECLINED, "He is ours", "")
    read = pb.GetPersonRequest(person_id=ours.id)
    assert refusal("GetPerson", read, TULA_SELLER).reason == "PERSON_NOT_FOUND"
    assert ask(contacts).id != mine.id  # may ask again


def test_one_of_own_cards_only_gets_the_customer_to_look_after(contacts: Contacts, refusal: Refusal) -> None:
    ours = contacts.create(MOSCOW_SELLER, name="Гранин", phone=PHONE).person
    wanted = pb.CreatePersonRequest(person=a_person(name="Гранин", phone=PHONE))
    assert refusal("CreatePerson", wanted, OWN_SELLER).reason == "KNOWN_ELSEWHERE"
    asked = ask(contacts, OWN_SELLER, unit_id=MOSCOW)
    decide(contacts, asked, MOSCOW_SELLER, approve=True, make_responsible=True)
    card = contacts.call("GetPerson", pb.GetPersonRequest(person_id=ours.id), OWN_SELLER).person
    assert card.owner_id == OWN_SELLER.user_id


def test_nobody_finds_out_by_asking_what_creating_would_not_have_said(contacts: Contacts, refusal: Refusal) -> None:
    contacts.create(TULA_SELLER, name="Гранин", phone=PHONE, unit_id=TULA)
    for wanted in (a_person(name="Гранин", phone=PHONE, unit_id=TULA), a_person(name="Никто", unit_id=TULA)):
        request = pb.RequestCustomerAccessRequest(person=wanted, reason="?")
        assert refusal("RequestCustomerAccess", request, TULA_SELLER).reason == "NOT_KNOWN_ELSEWHERE"
    missing = pb.RequestCustomerAccessRequest(person=a_person(unit_id=TULA))
    assert refusal("RequestCustomerAccess", missing, TULA_SELLER).reason == "FIELD_INVALID"
    foreign = pb.RequestCustomerAccessRequest(person=a_person(unit_id=MOSCOW), reason="?")
    assert refusal("RequestCustomerAccess", foreign, TULA_SELLER).reason == "NOT_PERMITTED"
    for page_token in ("junk", "bm90IG91cnM"):
        page = pb.ListAccessRequestsRequest(page_token=page_token)
        assert refusal("ListAccessRequests", page, TULA_SELLER).reason == "PAGE_TOKEN_INVALID"
