"""Chosen customers are given to users in one call; each is decided by itself, and the same call backwards undoes it."""

from __future__ import annotations

import pytest

from crm.contacts.v1 import contacts_pb2 as pb
from services.contacts.tests.test_owners import HEIR, LEAVER, changes, fill, owners
from services.contacts.tests.world import MOSCOW_SELLER, STEWARD, Contacts, Refusal, id_of

UNKNOWN = id_of("a card that nobody made")


def assign(contacts: Contacts, made: list[str], access: object = STEWARD, **more: object) -> list[tuple[str, bool]]:
    """What became of each: persons, the last one an organization."""
    request = pb.AssignCustomersRequest(note=more.pop("note", ""), dry_run=more.pop("dry_run", False))  # type: ignore[arg-type]
    users = {"from_owner_id": LEAVER, "to_owner_id": HEIR, **more}
    for one in made[:3]:
        request.assignments.add(person_id=one, **users)
    for one in made[3:]:
        request.assignments.add(organization_id=one, **users)
    fates = contacts.call("AssignCustomers", request, access).fates  # type: ignore[arg-type]
    assert [one.record_id for one in fates] == made
    return [(pb.ErrorReason.Name(one.refusal).removeprefix("ERROR_REASON_"), one.unchanged) for one in fates]


def test_chosen_customers_go_with_an_event_and_a_line_of_history_each(contacts: Contacts) -> None:
    made = fill(contacts)
    before = contacts.snapshot()
    assert assign(contacts, made, dry_run=True) == [("UNSPECIFIED", False)] * 4
    assert contacts.snapshot() == before
    assert assign(contacts, made, note="new region") == [("UNSPECIFIED", False)] * 4
    assert owners(contacts, made) == [HEIR] * 4
    assert changes(contacts, person_id=made[0]) == [(LEAVER, HEIR, STEWARD.user_id, "new region")]
    assert {one.person.id for one in contacts.events("PersonUpdated")} == set(made[:3])
    assert assign(contacts, made) == [("UNSPECIFIED", True)] * 4


def test_the_same_call_backwards_undoes_it_and_leaves_what_somebody_else_has_by_now(contacts: Contacts) -> None:
    made = fill(contacts)
    assign(contacts, made)
    assign(contacts, made[:1], from_owner_id=HEIR, to_owner_id=id_of("third"))
    back = assign(contacts, made, from_owner_id=HEIR, to_owner_id=LEAVER)
    assert back == [("STALE_ETAG", False), *[("UNSPECIFIED", False)] * 3]
    assert owners(contacts, made) == [id_of("third"), LEAVER, LEAVER, LEAVER]


def test_each_is_decided_by_itself(contacts: Contacts) -> None:
    made = fill(contacts)  # the third lives in Tula, which the seller of Moscow does not see
    chosen = [made[0], made[2], UNKNOWN, made[3]]
    assert [reason for reason, _ in assign(contacts, chosen, MOSCOW_SELLER)] == [
        "UNSPECIFIED", "PERSON_NOT_FOUND", "PERSON_NOT_FOUND", "UNSPECIFIED",
    ]  # fmt: skip
    assert owners(contacts, made) == [HEIR, LEAVER, LEAVER, HEIR]


@pytest.mark.parametrize("what", ["none", "twice", "both", "no id"])
def test_a_call_that_makes_no_sense_is_refused(contacts: Contacts, refusal: Refusal, what: str) -> None:
    one = pb.CustomerAssignment(person_id=UNKNOWN, to_owner_id=HEIR)
    both = pb.CustomerAssignment(person_id=UNKNOWN, organization_id=UNKNOWN, to_owner_id=HEIR)
    wrong = pb.CustomerAssignment(person_id=UNKNOWN, to_owner_id="somebody")
    given = {"none": [], "twice": [one, one], "both": [both], "no id": [wrong]}[what]
    assert refusal("AssignCustomers", pb.AssignCustomersRequest(assignments=given), STEWARD).reason == "FIELD_INVALID"
