"""Roles as data, restrictions, substitutes, and the answer to who may see a record and why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from google.type.date_pb2 import Date

from chassis.access import ALL, ASSIGN, CHANGE, CREATE, EXPORT, READ, SUBTREE, WRITE, Access, Denial, Grant
from crm.directory.events.v1 import directory_events_pb2 as events
from crm.directory.v1 import directory_pb2 as pb
from units.records import CUSTOMER, DEAL, STAFF


def a_role(directory: Any, code: str, *allowed: tuple[str, str, str]) -> pb.RoleDefinition:
    """Make a role from (action, records, scope)."""
    permissions = [pb.Permission(action=action, records=records, scope=scope) for action, records, scope in allowed]
    role = pb.RoleDefinition(code=code, name=code.title(), permissions=permissions)
    return directory.call("SetRole", pb.SetRoleRequest(role=role)).role  # type: ignore[no-any-return]


def a_holder(directory: Any, login: str, unit_id: str, role_code: str) -> pb.User:
    position = pb.Position(unit_id=unit_id, title=role_code.title(), role_code=role_code)
    return directory.a_user(login.title(), login=login, positions=[position])  # type: ignore[no-any-return]


def access_of(directory: Any, login: str) -> Access:
    return directory.verifier.verify(directory.sign_in(login).access_token)  # type: ignore[no-any-return]


def restrict(directory: Any, unit_id: str, **more: Any) -> pb.Restriction:
    request = pb.AddRestrictionRequest(restriction=pb.Restriction(unit_id=unit_id, **more))
    return directory.call("AddRestriction", request).restriction  # type: ignore[no-any-return]


def day(moment: datetime) -> Date:
    return Date(year=moment.year, month=moment.month, day=moment.day)


def test_an_installation_begins_with_roles_for_its_people(directory: Any) -> None:
    first = directory.call("ListRoles", pb.ListRolesRequest(page_size=5))
    rest = directory.call("ListRoles", pb.ListRolesRequest(page_token=first.next_page_token))
    roles = {one.code: one for one in (*first.roles, *rest.roles)}
    assert list(roles) == [
        "seller", "assistant", "head", "branch_head", "steward", "security_officer", "administrator", "none",
    ]  # fmt: skip
    assert all(one.built_in for one in roles.values())
    assert not roles["none"].permissions


def test_a_role_of_ones_own_grants_action_kind_and_scope(directory: Any) -> None:
    branch = directory.a_unit("a")
    made = a_role(
        directory, "buyer", ("read", "deal", "subtree"), ("create", "deal", "own"), ("read", "customer", "team")
    )
    assert [one.code for one in directory.call("ListRoles", pb.ListRolesRequest()).roles][-1] == "buyer"
    user = a_holder(directory, "ben", branch.id, "buyer")
    assert (user.positions[0].role, user.positions[0].role_code) == (pb.ROLE_OTHER, "buyer")
    access = access_of(directory, "ben")
    assert access.allows_in(READ, branch.path, DEAL)
    assert not access.allows_in(READ, branch.path, STAFF)
    assert access.allows(CREATE, "hq.elsewhere", user.id, DEAL)
    assert not access.allows(CHANGE, branch.path, user.id, DEAL)
    assert access.allows_in(READ, branch.path, CUSTOMER)
    assert not access.allows_in(READ, f"{branch.path}.below", CUSTOMER)
    told = {type(event): event for event in directory.events()}
    changed, created = told[events.RoleChanged], told[events.UserCreated]
    assert (changed.role.id, len(changed.role.permissions)) == (made.id, 3)
    assert created.user.positions[0].role == "buyer"


def test_what_a_role_allows_changes_with_the_next_token(directory: Any) -> None:
    branch = directory.a_unit("a")
    a_holder(directory, "ben", branch.id, "seller")
    assert not access_of(directory, "ben").allows_in(EXPORT, branch.path, CUSTOMER)
    a_role(directory, "seller", ("read", "", "subtree"), ("export", "customer", "subtree"))
    access = access_of(directory, "ben")
    assert access.allows_in(EXPORT, branch.path, CUSTOMER)
    assert not access.allows_in(WRITE, branch.path, CUSTOMER)


def test_an_assistant_changes_records_and_gives_none_away(directory: Any) -> None:
    branch = directory.a_unit("a")
    a_holder(directory, "ann", branch.id, "assistant")
    access = access_of(directory, "ann")
    allowed = {action for action in (READ, CREATE, CHANGE, ASSIGN) if access.allows_in(action, branch.path, DEAL)}
    assert allowed == {READ, CREATE, CHANGE}


def test_a_security_officer_sees_staff_and_no_customer(directory: Any) -> None:
    a_holder(directory, "sam", directory.company_id, "security_officer")
    access = access_of(directory, "sam")
    assert access.allows_everywhere(READ, STAFF)
    assert not access.allows_in(READ, "hq", CUSTOMER)
    with directory.acting_as("sam"):
        assert {one.login for one in directory.call("ListUsers", pb.ListUsersRequest()).users} == {"admin", "sam"}


def test_a_role_that_cannot_be_is_refused_with_its_field(directory: Any, refused: Any) -> None:
    for allowed, field in (
        (("fly", "", "own"), "role.permissions[0].action"),
        (("read", "moon", "own"), "role.permissions[0].records"),
        (("read", "", "street"), "role.permissions[0].scope"),
        (("administer", "", "own"), "role.permissions[0].scope"),
    ):
        refused("FIELD_INVALID", lambda allowed=allowed: a_role(directory, "odd", allowed), field)
    refused("FIELD_INVALID", lambda: a_role(directory, "Öd"), "role.code")
    for code in ("administrator", "none"):
        refused("ROLE_FIXED", lambda code=code: a_role(directory, code))
    refused(
        "FIELD_INVALID",
        lambda: a_holder(directory, "ben", directory.company_id, "pilot"),
        "user.positions[0].role_code",
    )


def test_a_role_that_somebody_held_stays(directory: Any, refused: Any) -> None:
    a_role(directory, "buyer", ("read", "", "subtree"))
    a_role(directory, "idle")
    a_holder(directory, "ben", directory.a_unit("a").id, "buyer")
    refused("ROLE_HELD", lambda: directory.call("RemoveRole", pb.RemoveRoleRequest(code="buyer")))
    refused("ROLE_FIXED", lambda: directory.call("RemoveRole", pb.RemoveRoleRequest(code="seller")))
    directory.events()
    directory.call("RemoveRole", pb.RemoveRoleRequest(code="idle"))
    [removed] = directory.events()
    assert isinstance(removed, events.RoleRemoved)
    refused("ROLE_NOT_FOUND", lambda: directory.call("RemoveRole", pb.RemoveRoleRequest(code="idle")))


def test_a_unit_administrator_gives_no_role_that_reaches_beyond_the_unit(directory: Any, refused: Any) -> None:
    branch = directory.a_unit("a")
    a_role(directory, "local_admin", ("read", "", "subtree"), ("administer", "", "subtree"))
    a_role(directory, "auditor", ("audit", "", "all"))
    a_holder(directory, "lea", branch.id, "local_admin")
    with directory.acting_as("lea"):
        directory.a_user("Ben", branch.id)
        auditor = pb.Position(unit_id=branch.id, role_code="auditor")
        refused("NOT_PERMITTED", lambda: directory.a_user("Eve", positions=[auditor]))
        refused("NOT_PERMITTED", lambda: a_role(directory, "mine", ("read", "", "all")))


def test_a_restriction_of_a_role_or_a_user_wins_over_every_grant(directory: Any, refused: Any) -> None:
    branch, vault = directory.a_unit("a"), None
    vault = directory.a_unit("vault", branch.id, kind=pb.UNIT_KIND_TEAM)
    a_holder(directory, "hal", branch.id, "head")
    ben = a_holder(directory, "ben", branch.id, "seller")
    directory.events()
    of_role = restrict(directory, vault.id, role_code="head", records=CUSTOMER, reason="Key customers")
    restrict(directory, branch.id, user_id=ben.id, action="export")
    assert [type(event) for event in directory.events()] == [events.RestrictionAdded] * 2
    head = access_of(directory, "hal")
    assert head.denials == (Denial(vault.path, READ, CUSTOMER),)
    assert not head.allows_in(READ, vault.path, CUSTOMER)
    assert not head.allows(CHANGE, vault.path, head.user_id, CUSTOMER)
    assert head.allows_in(READ, vault.path, DEAL)
    assert head.allows_in(READ, branch.path, CUSTOMER)
    assert access_of(directory, "ben").denials == (Denial(branch.path, EXPORT),)
    with directory.acting_as("hal"):
        refused(
            "NOT_PERMITTED",
            lambda: directory.call("RemoveRestriction", pb.RemoveRestrictionRequest(restriction_id=of_role.id)),
        )
        shown = directory.call("ListRestrictions", pb.ListRestrictionsRequest()).restrictions
    assert [(one.role_code, one.reason) for one in shown] == [("head", "Key customers"), ("", "")]
    directory.call("RemoveRestriction", pb.RemoveRestrictionRequest(restriction_id=of_role.id))
    assert not access_of(directory, "hal").denials


def test_a_restriction_speaks_of_one_user_or_one_role_in_a_known_unit(directory: Any, refused: Any) -> None:
    branch = directory.a_unit("a")
    refused("FIELD_INVALID", lambda: restrict(directory, branch.id), "restriction.user_id")
    refused("FIELD_INVALID", lambda: restrict(directory, branch.id, user_id=directory.admin_id), "restriction.user_id")
    refused(
        "FIELD_INVALID", lambda: restrict(directory, branch.id, role_code="head", action="fly"), "restriction.action"
    )
    refused("ROLE_NOT_FOUND", lambda: restrict(directory, branch.id, role_code="pilot"))
    refused("UNIT_NOT_FOUND", lambda: restrict(directory, "nowhere", role_code="head"))
    assert not directory.call("ListRestrictions", pb.ListRestrictionsRequest()).restrictions


def test_a_substitute_has_the_rights_and_own_records_of_who_is_away_for_that_time(directory: Any, refused: Any) -> None:
    north, south = directory.a_unit("north"), directory.a_unit("south")
    away = a_holder(directory, "ann", north.id, "head")
    ben = a_holder(directory, "ben", south.id, "seller")
    today = datetime.now(UTC)
    held = pb.Position(user_id=ben.id, substitutes_position_id=away.positions[0].id)
    refused(
        "FIELD_INVALID",
        lambda: directory.call("AddPosition", pb.AddPositionRequest(position=held)),
        "position.end_date",
    )
    held.start_date.CopyFrom(day(today - timedelta(days=1)))
    held.end_date.CopyFrom(day(today + timedelta(days=7)))
    user = directory.call("AddPosition", pb.AddPositionRequest(position=held)).user
    assert user.positions[0].role_code == "seller"
    assert (user.positions[1].role_code, user.positions[1].unit_id) == ("head", north.id)
    access = access_of(directory, "ben")
    assert access.stands_in_for == (away.id,)
    assert access.unit_id == south.id
    assert access.allows_in(WRITE, north.path)
    assert access.allows(CHANGE, "hq.elsewhere", away.id, DEAL)
    directory.call("EndPosition", pb.EndPositionRequest(position_id=user.positions[1].id, end_date=day(today)))
    after = access_of(directory, "ben")
    assert after.stands_in_for == ()
    assert not after.allows_in(READ, north.path)


def explained(directory: Any, unit_id: str, owner_id: str = "", **more: Any) -> dict[str, list[str]]:
    request = pb.ExplainAccessRequest(records=DEAL, unit_ids=[unit_id], owner_id=owner_id, **more)
    answer = directory.call("ExplainAccess", request)
    return {
        one.display_name: sorted(f"{rule.role_code} {rule.scope}" for rule in one.reasons) for one in answer.holders
    }


def test_who_may_see_a_record_is_told_with_every_rule_that_allows_it(directory: Any, refused: Any) -> None:
    branch, other = directory.a_unit("a"), directory.a_unit("b")
    a_holder(directory, "hal", branch.id, "head")
    owner = a_holder(directory, "olga", other.id, "seller")
    a_holder(directory, "ines", other.id, "seller")
    a_role(directory, "planner", ("read", "plan", "subtree"))
    a_holder(directory, "paul", branch.id, "planner")
    expected = {"admin": ["administrator all"], "Hal": ["head subtree"], "Olga": ["seller own"]}
    assert explained(directory, branch.id, owner.id) == expected
    assert explained(directory, branch.id) == {name: expected[name] for name in ("admin", "Hal")}
    restrict(directory, branch.id, role_code="head", records=DEAL)
    assert explained(directory, branch.id, owner.id) == {name: expected[name] for name in ("admin", "Olga")}
    assert explained(directory, branch.id, owner.id, action="export") == {"admin": ["administrator all"]}
    with directory.acting_as("ines"):
        refused("NOT_PERMITTED", lambda: explained(directory, other.id))
    with directory.acting_as("hal"):
        refused("UNIT_NOT_FOUND", lambda: explained(directory, other.id))


def test_what_is_explained_is_what_the_tokens_say(directory: Any) -> None:
    a_role(directory, "odd", ("read", "deal", "team"), ("write", "", "own"), ("read", "customer", "all"))
    units = [directory.a_unit("a"), directory.a_unit("b")]
    units.append(directory.a_unit("team", units[0].id, kind=pb.UNIT_KIND_TEAM))
    roles = ("seller", "assistant", "head", "security_officer", "odd")
    people = {}
    for number, role in enumerate(roles * 2):
        login = f"user{number}"
        people[login] = a_holder(directory, login, units[number % 3].id, role)
    restrict(directory, units[2].id, role_code="seller")
    restrict(directory, units[0].id, user_id=people["user2"].id, action="write", records=DEAL)
    accesses = {login: access_of(directory, login) for login in people} | {"admin": access_of(directory, "admin")}
    for unit in units:
        for action in (READ, CHANGE):
            for owner in (people["user0"].id, people["user4"].id):
                shown = set(explained(directory, unit.id, owner, action=action))
                allowed = {n for n, one in accesses.items() if one.allows(action, unit.path, owner, DEAL)}
                assert {name.lower() for name in shown} == allowed, (unit.path, action)


def test_what_is_explained_follows_seats_of_leavers_and_units_that_were_merged(directory: Any) -> None:
    a_role(directory, "clerk", ("read", "", "team"))
    a_role(directory, "keeper", ("read", "", "own"))
    old, new, newest = (directory.a_unit(name) for name in ("old", "new", "newest"))
    keys = pb.Seat(unit_id=old.id, title="Keys", role_code="keeper")
    seat = directory.call("SetSeat", pb.SetSeatRequest(seat=keys)).seat
    leaver, heir = (directory.a_user(name, login=name.lower(), positions=[]) for name in ("Leo", "Hedi"))
    for one in (leaver, heir):
        position = pb.Position(user_id=one.id, seat_id=seat.id)
        directory.call("AddPosition", pb.AddPositionRequest(position=position))
    a_holder(directory, "cleo", newest.id, "clerk")
    assert explained(directory, old.id, leaver.id) == {"admin": ["administrator all"], "Leo": ["keeper own"]}
    for unit, into in ((old, new), (new, newest)):
        asked = pb.Reorganization(kind=pb.REORGANIZATION_KIND_MERGE, unit_id=unit.id, into_unit_id=into.id)
        directory.call("ReorganizeUnit", pb.ReorganizeUnitRequest(reorganization=asked))
    closed = pb.UpdateUserRequest(user=pb.User(id=leaver.id, active=False), update_mask=FieldMask(paths=["active"]))
    directory.call("UpdateUser", closed)

    shown = explained(directory, old.id, leaver.id)

    assert shown == {"admin": ["administrator all"], "Cleo": ["clerk team"], "Hedi": ["keeper own"]}
    path = directory.call("GetUnit", pb.GetUnitRequest(unit=old.id)).unit.path
    for login in ("cleo", "hedi"):
        assert access_of(directory, login).allows(READ, path, leaver.id, DEAL), "as the tokens say"


def test_a_page_of_people_goes_on_where_the_last_one_ended(directory: Any, refused: Any) -> None:
    for name in ("ann", "ben", "cid"):
        a_holder(directory, name, directory.company_id, "head")
    request = pb.ExplainAccessRequest(records=DEAL, unit_ids=[directory.company_id], page_size=3)
    first = directory.call("ExplainAccess", request)
    request.page_token = first.next_page_token
    rest = directory.call("ExplainAccess", request)
    assert [one.display_name for one in (*first.holders, *rest.holders)] == ["admin", "Ann", "Ben", "Cid"]
    request.owner_id = "other"
    refused("PAGE_TOKEN_INVALID", lambda: directory.call("ExplainAccess", request))


def test_a_token_holds_each_right_once(directory: Any) -> None:
    region = directory.a_unit("r", kind=pb.UNIT_KIND_REGION)
    branches = [directory.a_unit(f"b{number}", region.id) for number in range(3)]
    positions = [pb.Position(unit_id=one.id, role_code="head") for one in (*branches, region)]
    directory.a_user("Hal", login="hal", positions=positions)
    assert {grant.unit_path for grant in access_of(directory, "hal").grants if grant.scope == SUBTREE} == {region.path}
    assert Grant(READ, ALL) in access_of(directory, "admin").grants
