"""Roles: what each lets its holders do with which records and how far, as a matrix that can be changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from starlette.exceptions import HTTPException
from starlette.responses import Response

from chassis.access import OWN, READ
from chassis.errors import FieldInvalid, FieldViolation
from crm.directory.v1 import directory_pb2 as pb
from gateway.web.admin import for_administrators
from gateway.web.admin_fields import list_groups, name_groups
from gateway.web.mounting import Page
from gateway.web.rights_words import (
    RULING,
    SCOPES,
    action_words,
    combine_scopes,
    field_words,
    record_words,
    role_name,
    scope_words,
)
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

MOST_ROLES = 200
FIXED = ("administrator", "none")
Cells = dict[tuple[str, str], str]


def show_roles(visit: Visit) -> Response:
    """Every role with what it allows, in words."""
    found = visit.gather(roles=("directory", "ListRoles", pb.ListRolesRequest(page_size=MOST_ROLES)))["roles"]
    roles = found.roles if found else []
    groups = name_groups(list_groups(visit)) if found else []
    return visit.render(
        "admin/roles.html",
        help="rights",
        place="roles",
        away=None if found else found,
        roles=[(one, role_name(one.code, one.name), cells_of(one.permissions)) for one in roles],
        actions=action_words(),
        named={**record_words(), **{f"{one.records}.{one.code}": words for one, _of, words in groups}},
        scopes=scope_words(),
        groups=groups,
        fields=field_words(),
    )


def show_new(visit: Visit) -> Response:
    """The form of a new role, which may begin as a copy."""
    if not visit.is_part:  # it stands in the side panel only
        return visit.go("/admin/roles")
    models = [("", _("nothing")), *role_choices(visit)]
    return visit.render("admin/role_new.html", models=models)


def create_role(visit: Visit) -> Response:
    """Add the role with what its model allows."""
    code = visit.field("code")
    if code in {key for key, _name in role_choices(visit)}:
        raise FieldInvalid(FieldViolation("role.code", _("is taken; choose another one")))
    model = visit.field("model")
    permissions = find_role(visit, model).permissions if model else []
    role = pb.RoleDefinition(code=code, name=visit.field("name"), permissions=permissions)
    visit.call("directory", "SetRole", pb.SetRoleRequest(role=role))
    return visit.go(f"/admin/roles/{code}")


def show_role(visit: Visit) -> Response:
    """One role as a matrix of actions and kinds of records."""
    role = find_role(visit, visit.path["code"])
    return visit.render(
        "admin/role.html",
        factors=factor_choices(),
        help="rights",
        place="roles",
        role=role,
        name=role_name(role.code, role.name),
        fixed=role.code in FIXED,
        cells=cells_of(role.permissions),
        actions=action_words(),
        kinds=record_words(),
        scopes=scope_words(),
        choices={action: _choices(action) for action in action_words()},
        groups=[(f"{one.records}.{one.code}", of, words) for one, of, words in name_groups(list_groups(visit))],
    )


def change_role(visit: Visit) -> Response:
    """Store the matrix."""
    permissions = [
        pb.Permission(action=action, records=kind, scope=scope)
        for action in action_words()
        for kind in record_words()
        for scope in _read_scopes(visit, action, kind)
    ]
    keys = [f"{one.records}.{one.code}" for one in list_groups(visit)]
    permissions += [
        pb.Permission(action=READ, records=key, scope=scope) for key in keys for scope in _read_scopes(visit, READ, key)
    ]
    role = pb.RoleDefinition(code=visit.path["code"], name=visit.field("name"), permissions=permissions)
    visit.call("directory", "SetRole", pb.SetRoleRequest(role=role, etag=visit.field("etag")))
    return visit.go(f"/admin/roles/{role.code}")


def change_sign_in(visit: Visit) -> Response:
    """Say how those with the role sign in."""
    asked = pb.SetRoleSignInRequest(
        code=visit.path["code"], password_off=visit.field("password_off") == "yes", factor=visit.field("factor")
    )
    visit.call("directory", "SetRoleSignIn", asked)
    return visit.go(f"/admin/roles/{asked.code}")


def factor_choices() -> list[tuple[str, str]]:
    """What a role can ask for besides a password."""
    return [("", _("nothing")), ("code", _("a code of an authenticator app")), ("passkey", _("a passkey"))]


def remove_role(visit: Visit) -> Response:
    """Remove a role that nobody ever held."""
    visit.call("directory", "RemoveRole", pb.RemoveRoleRequest(code=visit.path["code"]))
    return visit.go("/admin/roles")


def cells_of(permissions: Iterable[pb.Permission]) -> Cells:
    """How far a role reaches by action and kind of records; what it does not allow is not in it."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in permissions:
        found[one.action, one.records].append(one.scope)
    return {key: combine_scopes(scopes) for key, scopes in found.items()}


def role_choices(visit: Visit) -> list[tuple[str, str]]:
    """Codes and names of the roles that positions can have."""
    found = visit.call("directory", "ListRoles", pb.ListRolesRequest(page_size=MOST_ROLES)).roles
    return [(one.code, role_name(one.code, one.name)) for one in found]


def find_role(visit: Visit, code: str) -> pb.RoleDefinition:
    """The role with this code. Errors: HTTPException where there is none."""
    found = visit.call("directory", "ListRoles", pb.ListRolesRequest(page_size=MOST_ROLES)).roles
    role: pb.RoleDefinition | None = next((one for one in found if one.code == code), None)
    if role is None:
        raise HTTPException(404)
    return role


def _choices(action: str) -> list[str]:
    return [scope for scope in SCOPES if not (action in RULING and OWN in scope)]


def _read_scopes(visit: Visit, action: str, kind: str) -> list[str]:
    """The scopes of one cell. Errors: FieldInvalid for what is none of the choices."""
    said = visit.field(f"{action}.{kind}")
    if said not in _choices(action):
        raise FieldInvalid(FieldViolation("role.permissions", _("has a cell that is none of the choices")))
    return said.split()


PAGES = (
    Page("GET", "/admin/roles", for_administrators(show_roles)),
    Page("POST", "/admin/roles", for_administrators(create_role)),
    Page("GET", "/admin/roles/new", for_administrators(show_new)),
    Page("GET", "/admin/roles/{code}", for_administrators(show_role)),
    Page("POST", "/admin/roles/{code}", for_administrators(change_role)),
    Page("POST", "/admin/roles/{code}/sign-in", for_administrators(change_sign_in)),
    Page("POST", "/admin/roles/{code}/remove", for_administrators(remove_role)),
)
