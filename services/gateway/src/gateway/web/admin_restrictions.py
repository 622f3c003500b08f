"""Restrictions: what somebody is not to do in a unit whatever is granted, since when and why."""

from __future__ import annotations

from starlette.responses import Response

from chassis.access import READ
from chassis.ids import new_id
from crm.directory.v1 import directory_pb2 as pb
from gateway.web.admin import for_administrators, read_day
from gateway.web.admin_fields import list_groups, name_groups
from gateway.web.admin_roles import role_choices
from gateway.web.admin_units import choose_units
from gateway.web.mounting import Page
from gateway.web.rights_words import action_words, record_words
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

ROWS = 100
MOST_UNITS, MOST_USERS = 1_000, 500


def show_restrictions(visit: Visit) -> Response:
    """All restrictions, oldest first."""
    asked = pb.ListRestrictionsRequest(page_size=ROWS, page_token=visit.query.get("page", ""))
    found = visit.gather(
        restrictions=("directory", "ListRestrictions", asked),
        units=("directory", "ListUnits", pb.ListUnitsRequest(page_size=MOST_UNITS)),
        roles=("directory", "ListRoles", pb.ListRolesRequest()),
    )
    rows = found["restrictions"].restrictions if found["restrictions"] else []
    wanted = sorted({one.user_id for one in rows} - {""})
    named = visit.gather(users=("directory", "BatchGetUsers", pb.BatchGetUsersRequest(user_ids=wanted)))["users"]
    return visit.render(
        "admin/restrictions.html",
        help="rights",
        place="restrictions",
        away=None if found["restrictions"] else found["restrictions"],
        restrictions=rows,
        next_token=found["restrictions"].next_page_token if found["restrictions"] else "",
        units={one.id: one.name for one in (found["units"].units if found["units"] else [])},
        roles=dict(role_choices(visit)) if found["roles"] else {},
        users={one.id: one.display_name for one in (named.users if named else [])},
        actions=action_words(),
        kinds=_records(visit),
    )


def show_new(visit: Visit) -> Response:
    """The form of a new restriction."""
    if not visit.is_part:  # it stands in the side panel only
        return visit.go("/admin/restrictions")
    people = visit.call("directory", "ListUsers", pb.ListUsersRequest(page_size=MOST_USERS)).users
    users = [(one.id, one.display_name) for one in people if one.active and one.id != visit.user_id]
    return visit.render(
        "admin/restriction_new.html",
        request_id=new_id(),
        units=choose_units(visit),
        users=[("", _("nobody by name")), *users],
        roles=[("", _("no role")), *role_choices(visit)],
        actions=list(action_words().items()),
        kinds=list(_records(visit).items()),
        action=READ,
    )


def _records(visit: Visit) -> dict[str, str]:
    """What a restriction can speak of: kinds of records, and groups of confidential fields."""
    fields = {f"{one.records}.{one.code}": f"{of} · {words}" for one, of, words in name_groups(list_groups(visit))}
    return {**record_words(), **fields}


def add_restriction(visit: Visit) -> Response:
    """Forbid what the form says."""
    one = pb.Restriction()
    for name in ("unit_id", "action", "records", "user_id", "role_code", "reason"):
        setattr(one, name, visit.field(name))
    for name in ("start_date", "end_date"):
        day = read_day(visit, name, f"restriction.{name}")
        if day is not None:
            getattr(one, name).CopyFrom(day)
    asked = pb.AddRestrictionRequest(request_id=visit.field("request_id"), restriction=one)
    visit.call("directory", "AddRestriction", asked)
    return visit.go("/admin/restrictions")


def remove_restriction(visit: Visit) -> Response:
    """Take a restriction back."""
    asked = pb.RemoveRestrictionRequest(restriction_id=visit.path["restriction"])
    visit.call("directory", "RemoveRestriction", asked)
    return visit.go("/admin/restrictions")


PAGES = (
    Page("GET", "/admin/restrictions", for_administrators(show_restrictions)),
    Page("POST", "/admin/restrictions", for_administrators(add_restriction)),
    Page("GET", "/admin/restrictions/new", for_administrators(show_new)),
    Page("POST", "/admin/restrictions/{restriction}/remove", for_administrators(remove_restriction)),
)
