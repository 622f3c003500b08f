"""People and their positions: who works where, with which rights, since when; access opened and closed."""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf.field_mask_pb2 import FieldMask
from starlette.responses import Response

from chassis.dates import to_date
from chassis.ids import new_id
from crm.directory.v1 import directory_pb2 as pb
from gateway.web.account import list_sessions
from gateway.web.admin import for_administrators, read_day
from gateway.web.admin_changing import Changing, day_value, save_form, show_day
from gateway.web.admin_roles import role_choices
from gateway.web.admin_seats import seat_choices
from gateway.web.admin_units import choose_units
from gateway.web.form_values import read_date
from gateway.web.mounting import Page
from gateway.web.texts import gettext as _
from gateway.web.values import to_day
from gateway.web.visits import Visit

ROWS = 50
MOST_UNITS = 1_000
MOST_COLLEAGUES = 1_000


def show_people(visit: Visit) -> Response:
    """People of a unit, or all."""
    unit_id = visit.query.get("unit", "")
    asked = pb.ListUsersRequest(page_size=ROWS, page_token=visit.query.get("page", ""), unit_id=unit_id)
    found = visit.gather(
        users=("directory", "ListUsers", asked),
        units=("directory", "ListUnits", pb.ListUnitsRequest(page_size=MOST_UNITS)),
    )
    units = found["units"].units if found["units"] else []
    return visit.render(
        "admin/people.html",
        help="admin",
        place="people",
        away=None if found["users"] else found["users"],
        users=found["users"].users if found["users"] else [],
        next_token=found["users"].next_page_token if found["users"] else "",
        units=[(unit.id, unit.name) for unit in units],
        unit_names={unit.id: unit.name for unit in units},
        unit_id=unit_id,
        present={user.id: present_positions(visit, user) for user in (found["users"].users if found["users"] else [])},
    )


def show_new(visit: Visit) -> Response:
    """The form of a new person."""
    if not visit.is_part:  # it stands in the side panel only
        return visit.go("/admin/people")
    return visit.render(
        "admin/person_new.html", units=choose_units(visit), roles=role_choices(visit),
        unit_id=visit.query.get("unit", ""), role="seller", request_id=new_id(),
    )  # fmt: skip


def create_person(visit: Visit) -> Response:
    """Add the person with a first position, and a way to sign in where a name and a password are given."""
    user = pb.User(
        display_name=visit.field("display_name"),
        login=visit.field("login"),
        email=visit.field("email"),
        positions=[_position(visit, "user.positions[0]")],
    )
    asked = pb.CreateUserRequest(request_id=visit.field("request_id"), user=user, password=_password(visit))
    made = visit.call("directory", "CreateUser", asked).user
    return visit.go(f"/admin/people/{made.id}")


def show_person(visit: Visit) -> Response:
    """One person with all positions."""
    user = visit.call("directory", "GetUser", pb.GetUserRequest(user_id=visit.path["user"])).user
    units = visit.call("directory", "ListUnits", pb.ListUnitsRequest(page_size=MOST_UNITS)).units
    roles = role_choices(visit)
    return visit.render(
        "admin/person.html",
        help="admin",
        place="people",
        user=user,
        values=person_values(user),
        unit_names={unit.id: unit.name for unit in units},
        units=choose_units(visit),
        roles=roles,
        role_names=dict(roles),
        colleagues=_colleagues(visit, user.id),
        present={one.id for one in present_positions(visit, user)},
        leave=to_day(user.leave_date),
        today=visit.today,
        request_id=new_id(),
        is_self=user.id == visit.user_id,
        sessions=list_sessions(visit, user.id),
        seats=seat_choices(visit),
    )


def change_person(visit: Visit) -> Response:
    """Change name, sign-in name, e-mail, other spellings and the last day."""
    return save_form(visit, _changing(visit)) or visit.go(f"/admin/people/{visit.path['user']}")


def person_values(user: pb.User) -> dict[str, str]:
    """What the form of a person holds."""
    return {
        "display_name": user.display_name,
        "email": user.email,
        "login": user.login,
        "aliases": "\n".join(user.aliases),
        "leave_date": day_value(user.leave_date),
    }


def _changing(visit: Visit) -> Changing:
    user_id = visit.path["user"]

    def read() -> tuple[str, dict[str, str]]:
        user = visit.call("directory", "GetUser", pb.GetUserRequest(user_id=user_id)).user
        return user.etag, person_values(user)

    def store(values: Mapping[str, str], etag: str) -> None:
        texts = {name: values.get(name, "") for name in person_labels()}
        user = pb.User(
            id=user_id,
            display_name=texts["display_name"],
            email=texts["email"],
            login=texts["login"],
            aliases=texts["aliases"].splitlines(),
        )
        leave = to_date(read_date("user.leave_date", texts["leave_date"]))
        if leave is not None:
            user.leave_date.CopyFrom(leave)
        asked = pb.UpdateUserRequest(user=user, update_mask=FieldMask(paths=list(values)), etag=etag)
        visit.call("directory", "UpdateUser", asked)

    def show(name: str, value: str) -> str:
        return show_day(visit, value) if name == "leave_date" else value

    return Changing("edit-person-box", person_labels(), read, store, show)


def person_labels() -> dict[str, str]:
    """What the fields of a person are called."""
    return {
        "display_name": _("Name"),
        "email": _("Work e-mail"),
        "login": _("Sign-in name"),
        "aliases": _("Other spellings in workbooks, one a line"),
        "leave_date": _("Last day in the organization"),
    }


def change_access(visit: Visit) -> Response:
    """Close the access, or open it again; the person stays named in every record."""
    return _update(visit, pb.User(id=visit.path["user"], active=visit.field("active") == "yes"), "active")


def change_password(visit: Visit) -> Response:
    """Set another password."""
    return _update(visit, pb.User(id=visit.path["user"]), "password", password=_password(visit))


def end_sessions(visit: Visit) -> Response:
    """Sign the person out at one place, or everywhere."""
    user_id = visit.path["user"]
    asked = pb.EndSessionsRequest(user_id=user_id, session_id=visit.field("session_id"))
    visit.call("directory", "EndSessions", asked)
    return visit.go(f"/admin/people/{user_id}")


def add_position(visit: Visit) -> Response:
    """Give the person one more position."""
    position = _position(visit, "position")
    position.user_id = visit.path["user"]
    visit.call(
        "directory", "AddPosition", pb.AddPositionRequest(request_id=visit.field("request_id"), position=position)
    )
    return visit.go(f"/admin/people/{visit.path['user']}")


def end_position(visit: Visit) -> Response:
    """End a position on a day; it stays in the history."""
    asked = pb.EndPositionRequest(position_id=visit.path["position"], end_date=read_day(visit, "end_date", "end_date"))
    visit.call("directory", "EndPosition", asked)
    return visit.go(f"/admin/people/{visit.path['user']}")


def add_substitute(visit: Visit) -> Response:
    """Let a colleague hold a position while the person is away."""
    position = pb.Position(user_id=visit.field("colleague_id"), substitutes_position_id=visit.path["position"])
    _set_days(visit, position, "position")
    asked = pb.AddPositionRequest(request_id=visit.field("request_id"), position=position)
    visit.call("directory", "AddPosition", asked)
    return visit.go(f"/admin/people/{position.user_id}")


def present_positions(visit: Visit, user: pb.User) -> list[pb.Position]:
    """The positions a person holds today or will hold."""
    today = visit.today
    return [one for one in user.positions if (end := to_day(one.end_date)) is None or end > today]


def _colleagues(visit: Visit, user_id: str) -> list[tuple[str, str]]:
    """Who may stand in for a person."""
    found = visit.call("directory", "ListUsers", pb.ListUsersRequest(page_size=MOST_COLLEAGUES)).users
    return [(one.id, one.display_name) for one in found if one.active and one.id != user_id]


def _update(visit: Visit, user: pb.User, *names: str, password: str = "") -> Response:
    mask, etag = FieldMask(paths=names), visit.field("etag")
    visit.call(
        "directory", "UpdateUser", pb.UpdateUserRequest(user=user, update_mask=mask, etag=etag, password=password)
    )
    return visit.go(f"/admin/people/{user.id}")


def _position(visit: Visit, contract_field: str) -> pb.Position:
    position = pb.Position(unit_id=visit.field("unit_id"), title=visit.field("title"))
    position.role_code = visit.field("role_code")
    position.seat_id = visit.field("seat_id")
    _set_days(visit, position, contract_field)
    return position


def _set_days(visit: Visit, position: pb.Position, contract_field: str) -> None:
    for name in ("start_date", "end_date"):
        day = read_day(visit, name, f"{contract_field}.{name}")
        if day is not None:
            getattr(position, name).CopyFrom(day)


def _password(visit: Visit) -> str:
    value = visit.form.get("password", "")
    return value if isinstance(value, str) else ""


PAGES = (
    Page("GET", "/admin/people", for_administrators(show_people)),
    Page("POST", "/admin/people", for_administrators(create_person)),
    Page("GET", "/admin/people/new", for_administrators(show_new)),
    Page("GET", "/admin/people/{user}", for_administrators(show_person)),
    Page("POST", "/admin/people/{user}", for_administrators(change_person)),
    Page("POST", "/admin/people/{user}/access", for_administrators(change_access)),
    Page("POST", "/admin/people/{user}/password", for_administrators(change_password)),
    Page("POST", "/admin/people/{user}/sessions/end", for_administrators(end_sessions)),
    Page("POST", "/admin/people/{user}/positions", for_administrators(add_position)),
    Page("POST", "/admin/people/{user}/positions/{position}/substitute", for_administrators(add_substitute)),
    Page("POST", "/admin/people/{user}/positions/{position}/end", for_administrators(end_position)),
)
