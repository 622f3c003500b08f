"""Customers are counted by who is responsible and by their home, and the list of each group has as many."""

from __future__ import annotations

from typing import Any

import pytest

from crm.contacts.v1 import contacts_pb2 as pb
from services.contacts.tests.test_owners import LEAVER, fill
from services.contacts.tests.world import MOSCOW, MOSCOW_SELLER, STEWARD, TULA, Contacts, Refusal

OWNER, HOME = pb.CUSTOMER_GROUPING_OWNER, pb.CUSTOMER_GROUPING_HOME_UNIT


def grouped(contacts: Contacts, grouping: Any, access: object = STEWARD, **more: Any) -> list[tuple[str, int]]:
    request = pb.GroupCustomersRequest(grouping=grouping, **more)
    return [(one.key, one.count) for one in contacts.call("GroupCustomers", request, access).groups]  # type: ignore[arg-type]


def test_groups_come_by_size_with_as_many_as_their_lists(contacts: Contacts) -> None:
    fill(contacts)
    contacts.create(name="Нина Прямая", unit_id=MOSCOW, owner_id="")
    assert grouped(contacts, HOME) == [(MOSCOW, 3), (TULA, 1)]
    assert grouped(contacts, HOME, organizations=True) == [(MOSCOW, 1)]
    assert grouped(contacts, OWNER) == [(LEAVER, 3), ("", 1)]
    assert grouped(contacts, OWNER, unit_id=TULA) == [(LEAVER, 1)]
    for narrowed, count in (({"home_unit_id": MOSCOW}, 3), ({"owner_id": LEAVER}, 3), ({"without_owner": True}, 1)):
        listed = contacts.call("ListPersons", pb.ListPersonsRequest(**narrowed)).persons
        counted = contacts.call("CountCustomers", pb.CountCustomersRequest(**narrowed))
        assert (len(listed), counted.persons) == (count, count)


def test_only_what_the_caller_sees_is_counted(contacts: Contacts) -> None:
    fill(contacts)
    assert grouped(contacts, HOME, MOSCOW_SELLER) == [(MOSCOW, 2)]


@pytest.mark.parametrize("request_", [pb.GroupCustomersRequest(), pb.GroupCustomersRequest(grouping=99)])  # type: ignore[arg-type]
def test_a_grouping_by_nothing_is_refused(
    contacts: Contacts, refusal: Refusal, request_: pb.GroupCustomersRequest
) -> None:
    assert refusal("GroupCustomers", request_, STEWARD).reason == "FIELD_INVALID"
