"""Groups of confidential fields: what a token says is hidden, and how groups are made, changed and removed."""

from __future__ import annotations

from typing import Any

import pytest

from chassis.access import ALL, OWN, READ, SUBTREE, TEAM, Denial, Grant
from crm.directory.events.v1 import directory_events_pb2 as events
from crm.directory.v1 import directory_pb2 as pb
from directory.rights import FIRST_GROUPS, FieldGroup, hidden_of
from services.directory.tests.test_roles import a_holder, a_role, access_of, restrict
from units.records import CUSTOMER, DEAL, FIELDS

CONTACTS = FieldGroup(CUSTOMER, "contacts", "Telephones", ("channels", "address"))
KEY = "customer.contacts"
HIDDEN = ("customer.address", "customer.channels")


def set_group(directory: Any, records: str, code: str, *fields: str, etag: str = "") -> pb.FieldGroup:
    group = pb.FieldGroup(records=records, code=code, name=code.title(), fields=fields)
    return directory.call("SetFieldGroup", pb.SetFieldGroupRequest(field_group=group, etag=etag)).field_group  # type: ignore[no-any-return]


def groups_of(directory: Any) -> dict[str, list[str]]:
    found = directory.call("ListFieldGroups", pb.ListFieldGroupsRequest()).field_groups
    return {f"{one.records}.{one.code}": list(one.fields) for one in found}


@pytest.mark.parametrize(
    ("grants", "denials", "hidden"),
    [
        ([Grant(READ, SUBTREE, "hq.a")], [], False),  # every kind of records, with all fields
        ([Grant(READ, SUBTREE, "hq.a", CUSTOMER)], [], True),
        ([Grant(READ, SUBTREE, "hq.a", CUSTOMER), Grant(READ, SUBTREE, "hq.a", KEY)], [], False),
        ([Grant(READ, SUBTREE, "hq.a", CUSTOMER), Grant(READ, ALL, "", KEY)], [], False),
        ([Grant(READ, SUBTREE, "hq.a", CUSTOMER), Grant(READ, SUBTREE, "hq.a.b", KEY)], [], True),
        ([Grant(READ, TEAM, "hq.a", CUSTOMER), Grant(READ, SUBTREE, "hq", KEY)], [], False),
        ([Grant(READ, OWN, "", CUSTOMER), Grant(READ, SUBTREE, "hq.a", KEY)], [], True),
        ([Grant(READ, OWN, "", CUSTOMER), Grant(READ, OWN, "", KEY)], [], False),
        ([Grant(READ, SUBTREE, "hq.a"), Grant(READ, SUBTREE, "hq.b", CUSTOMER)], [], True),
        ([Grant(READ, SUBTREE, "hq.a", DEAL)], [], False),  # no customer is seen, so there is nothing to hide
        ([Grant(READ, SUBTREE, "hq.a")], [Denial("hq", READ, KEY)], True),
        ([Grant(READ, SUBTREE, "hq.a")], [Denial("hq.a.b", READ, KEY)], True),
        ([Grant(READ, SUBTREE, "hq.a")], [Denial("hq.b", READ, KEY)], False),
        ([Grant(READ, TEAM, "hq.a")], [Denial("hq.a.b", READ, KEY)], False),
        ([Grant(READ, OWN)], [Denial("hq.b", READ, KEY)], True),
        ([Grant(READ, SUBTREE, "hq.a")], [Denial("hq.a", READ, CUSTOMER)], False),  # the records themselves are gone
    ],
)
def test_a_group_is_hidden_unless_it_is_granted_wherever_its_records_are(
    grants: list[Grant], denials: list[Denial], hidden: bool
) -> None:
    assert hidden_of([CONTACTS], grants, denials) == (HIDDEN if hidden else ())


def test_the_first_groups_hold_every_field_there_is_once() -> None:
    held = [f"{one.records}.{name}" for one in FIRST_GROUPS for name in one.fields]
    assert sorted(held) == sorted(f"{kind}.{name}" for kind, names in FIELDS.items() for name in names)


def test_nothing_is_hidden_from_the_roles_every_installation_has(directory: Any) -> None:
    branch = directory.a_unit("a")
    for number, code in enumerate(("seller", "assistant", "head", "branch_head", "steward", "administrator")):
        a_holder(directory, f"user{number}", branch.id if code != "administrator" else directory.company_id, code)
        assert access_of(directory, f"user{number}").hidden == ()


def test_a_role_that_reads_customers_by_name_needs_the_groups_it_is_to_see(directory: Any) -> None:
    branch = directory.a_unit("a")
    a_role(directory, "caller", ("read", "customer", "subtree"), ("read", KEY, "subtree"), ("read", "deal", "subtree"))
    a_holder(directory, "cleo", branch.id, "caller")
    access = access_of(directory, "cleo")
    assert access.hidden == ("customer.attributes", "customer.birth_date", "customer.tax_id", "deal.amount")
    assert all("." not in one.records for one in access.grants)  # services decide by `hidden` alone


def test_a_restriction_hides_fields_of_records_that_stay_visible(directory: Any) -> None:
    branch = directory.a_unit("a")
    user = a_holder(directory, "sol", branch.id, "seller")
    restrict(directory, directory.company_id, user_id=user.id, records="deal.amounts", action="read")
    access = access_of(directory, "sol")
    assert access.hidden == ("deal.amount",)
    assert access.allows("read", "hq.a", "", DEAL)
    assert access.denials == ()


def test_fields_are_put_into_other_groups_and_groups_are_removed(directory: Any, refused: Any) -> None:
    made = set_group(directory, "customer", "secret", "birth_date")
    a_role(directory, "young", ("read", "customer", "all"), ("read", "customer.identity", "all"))
    a_holder(directory, "yan", directory.company_id, "young")
    assert "customer.birth_date" in access_of(directory, "yan").hidden
    set_group(directory, "customer", "secret", "attributes", etag=made.etag)
    refused("STALE_ETAG", lambda: set_group(directory, "customer", "secret", "tax_id", etag=made.etag))
    assert "customer.birth_date" not in access_of(directory, "yan").hidden
    for records, code in (("customer", "secret"), ("customer", "facts")):
        directory.call("RemoveFieldGroup", pb.RemoveFieldGroupRequest(records=records, code=code))
    assert "customer.attributes" not in access_of(directory, "yan").hidden
    assert "customer.facts" not in groups_of(directory)
    refused(
        "FIELD_GROUP_NOT_FOUND",
        lambda: directory.call("RemoveFieldGroup", pb.RemoveFieldGroupRequest(records="customer", code="facts")),
    )
    told = [one for one in directory.events() if isinstance(one, events.FieldGroupChanged | events.FieldGroupRemoved)]
    assert [type(one).__name__ for one in told] == ["FieldGroupChanged"] * 2 + ["FieldGroupRemoved"] * 2


def test_a_group_that_a_restriction_names_stays(directory: Any, refused: Any) -> None:
    restrict(directory, directory.company_id, role_code="seller", records=KEY, action="read")
    asked = pb.RemoveFieldGroupRequest(records="customer", code="contacts")
    refused("FIELD_GROUP_HELD", lambda: directory.call("RemoveFieldGroup", asked))


@pytest.mark.parametrize(
    ("records", "code", "fields"),
    [
        ("customer", "x", ()), ("customer", "x", ("amount",)), ("staff", "x", ("email",)),
        ("customer", "Not A Code", ("tax_id",)),
    ],
)  # fmt: skip
def test_a_group_that_cannot_be_is_refused(
    directory: Any, refused: Any, records: str, code: str, fields: tuple[str, ...]
) -> None:
    refused("FIELD_INVALID", lambda: set_group(directory, records, code, *fields))


def test_only_reading_is_granted_on_groups_and_only_on_known_ones(directory: Any, refused: Any) -> None:
    refused("FIELD_INVALID", lambda: a_role(directory, "odd", ("change", KEY, "all")))
    refused("FIELD_INVALID", lambda: a_role(directory, "odd", ("read", "customer.nonsense", "all")))


def test_only_administrators_change_groups(directory: Any, refused: Any) -> None:
    a_holder(directory, "hanna", directory.a_unit("a").id, "head")
    directory.caller = "hanna"
    directory.sign_in("hanna")
    refused("NOT_PERMITTED", lambda: set_group(directory, "customer", "mine", "tax_id"))
