"""Customers of a leaver go to a colleague by one operation that can be looked at first; every change stays known."""

from __future__ import annotations

from crm.contacts.v1 import contacts_pb2 as pb
from services.contacts.tests.world import HQ, MOSCOW, MOSCOW_SELLER, STEWARD, TULA, Contacts, Refusal, a_row, id_of

LEAVER, HEIR = id_of("leaver"), id_of("heir")
NAMES = ("Виктор Параболов", "Анна Гипербола", "Пётр Эллипсов")


def hand_over(contacts: Contacts, access: object = STEWARD, **more: object) -> pb.HandOverCustomersResponse:
    request = pb.HandOverCustomersRequest(**{"from_owner_id": LEAVER, "to_owner_id": HEIR, **more})  # type: ignore[arg-type]
    return contacts.call("HandOverCustomers", request, access)  # type: ignore[arg-type,no-any-return]


def fill(contacts: Contacts) -> list[str]:
    """Three persons of the leaver, two in Moscow and one in Tula, and an organization."""
    units = (MOSCOW, MOSCOW, TULA)
    made = [
        contacts.create(name=name, unit_id=unit, owner_id=LEAVER).person.id
        for name, unit in zip(NAMES, units, strict=True)
    ]
    works = pb.Organization(display_name="ООО Вега", unit_id=MOSCOW, owner_id=LEAVER)
    made.append(contacts.call("CreateOrganization", pb.CreateOrganizationRequest(organization=works)).organization.id)
    return made


def owners(contacts: Contacts, ids: list[str]) -> list[str]:
    persons = contacts.call("BatchGetPersons", pb.BatchGetPersonsRequest(person_ids=ids)).persons
    firms = contacts.call("BatchGetOrganizations", pb.BatchGetOrganizationsRequest(organization_ids=ids)).organizations
    known = {one.id: one.owner_id for one in (*persons, *firms)}
    return [known[one] for one in ids]


def changes(contacts: Contacts, **of: str) -> list[tuple[str, str, str, str]]:
    found = contacts.call("GetCustomerOwnerHistory", pb.GetCustomerOwnerHistoryRequest(**of)).changes
    return [(one.from_owner_id, one.to_owner_id, one.changer_id, one.note) for one in found]


def test_a_preview_counts_by_unit_and_changes_nothing(contacts: Contacts) -> None:
    made = fill(contacts)
    before = contacts.snapshot()
    seen = hand_over(contacts, to_owner_id="", dry_run=True)
    assert {one.unit_id: (one.persons, one.organizations) for one in seen.units} == {MOSCOW: (2, 1), TULA: (1, 0)}
    assert (seen.persons, seen.organizations, seen.remaining, seen.not_allowed) == (0, 0, 4, 0)
    assert contacts.snapshot() == before
    assert owners(contacts, made) == [LEAVER] * 4


def test_all_customers_go_to_the_heir_with_an_event_and_a_line_of_history_each(contacts: Contacts) -> None:
    made = fill(contacts)
    done = hand_over(contacts, note="left the company")
    assert (done.persons, done.organizations, done.remaining) == (3, 1, 0)
    assert owners(contacts, made) == [HEIR] * 4
    told = contacts.events("PersonUpdated")
    assert {one.person.id: (list(one.changed.paths), one.person.owner_id) for one in told} == {
        one: (["owner_id"], HEIR) for one in made[:3]
    }
    assert changes(contacts, person_id=made[0]) == [(LEAVER, HEIR, STEWARD.user_id, "left the company")]
    assert changes(contacts, organization_id=made[3]) == [(LEAVER, HEIR, STEWARD.user_id, "left the company")]
    again = hand_over(contacts)
    assert (again.persons, again.organizations, again.remaining) == (0, 0, 0)


def test_a_unit_goes_to_one_and_the_rest_to_another(contacts: Contacts) -> None:
    made = fill(contacts)
    assert hand_over(contacts, unit_id=TULA).remaining == 0
    assert owners(contacts, made) == [LEAVER, LEAVER, HEIR, LEAVER]
    assert hand_over(contacts, unit_id=HQ, to_owner_id=id_of("other")).persons == 2


def test_call_after_call_until_none_remain(contacts: Contacts) -> None:
    fill(contacts)
    counts: list[tuple[int, int, int]] = []
    while not counts or counts[-1][2]:
        done = hand_over(contacts, most=2)
        counts.append((done.persons, done.organizations, done.remaining))
    assert counts == [(2, 0, 2), (1, 1, 0)]


def test_only_what_the_caller_may_assign_goes_and_what_is_only_seen_is_counted(contacts: Contacts) -> None:
    made = fill(contacts)
    seen = hand_over(contacts, MOSCOW_SELLER, dry_run=True)
    assert (seen.remaining, seen.not_allowed) == (3, 0)  # nothing is told of Tula
    assert [one.unit_id for one in seen.units] == [MOSCOW]
    hand_over(contacts, MOSCOW_SELLER)
    assert owners(contacts, made) == [HEIR, HEIR, LEAVER, HEIR]


def test_a_hand_over_that_makes_no_sense_is_refused(contacts: Contacts, refusal: Refusal) -> None:
    for field, request in {
        "from_owner_id": pb.HandOverCustomersRequest(from_owner_id="x", to_owner_id=HEIR),
        "to_owner_id": pb.HandOverCustomersRequest(from_owner_id=LEAVER, to_owner_id=LEAVER),
        "note": pb.HandOverCustomersRequest(from_owner_id=LEAVER, to_owner_id=HEIR, note="x" * 301),
        "most": pb.HandOverCustomersRequest(from_owner_id=LEAVER, to_owner_id=HEIR, most=501),
    }.items():
        trouble = refusal("HandOverCustomers", request, STEWARD)
        assert trouble.reason == "FIELD_INVALID"
        assert field in str(trouble)


def test_changes_by_hand_and_by_a_file_are_kept_too(contacts: Contacts) -> None:
    said = {"phone": "8 (495) 123-45-67", "external_id": "1"}
    [fate] = contacts.import_persons(a_row("Всеволод Гранин", owner_id=LEAVER, **said), run="1")
    contacts.import_persons(a_row("Всеволод Гранин", owner_id=HEIR, **said), run="2")
    card = contacts.call("GetPerson", pb.GetPersonRequest(person_id=fate.record_id)).person
    card.owner_id = id_of("third")
    request = pb.UpdatePersonRequest(person=card, etag=card.etag)
    request.update_mask.paths.append("owner_id")
    contacts.call("UpdatePerson", request)
    assert [one[:2] for one in changes(contacts, person_id=card.id)] == [(HEIR, id_of("third")), (LEAVER, HEIR)]


def test_the_history_of_a_card_is_for_those_who_see_the_card(contacts: Contacts, refusal: Refusal) -> None:
    made = fill(contacts)
    request = pb.GetCustomerOwnerHistoryRequest(person_id=made[2])
    assert refusal("GetCustomerOwnerHistory", request, MOSCOW_SELLER).reason == "PERSON_NOT_FOUND"
