"""People and their positions: who works where, with which rights, since when; access opened and closed."""

from __future__ import annotations

from google.protobuf.field_mask_pb2 import FieldMask
from starlette.responses import Response

from chassis.ids import new_id
from crm.directory.v1 import directory_pb2 as pb
from gateway.web.admin import for_administrators, read_choice, read_day, role_words
from gateway.web.admin_units import choose_units
from gateway.web.mounting import Page
from gateway.web.values import to_day
from gateway.web.visits import Visit

ROWS = 50
MOST_UNITS = 1_000


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
        "admin/person_new.html", units=choose_units(visit), roles=_roles(), unit_id=visit.query.get("unit", ""),
        role=str(pb.ROLE_SELLER), request_id=new_id(),
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
    return visit.render(
        "admin/person.html",
        help="admin",
        place="people",
        user=user,
        unit_names={unit.id: unit.name for unit in units},
        units=choose_units(visit),
        roles=_roles(),
        role_words=role_words(),
        present={one.id for one in present_positions(visit, user)},
        leave=to_day(user.leave_date),
        today=visit.today,
        request_id=new_id(),
        is_self=user.id == visit.user_id,
    )


def change_person(visit: Visit) -> Response:
    """Change name, sign-in name, e-mail, other spellings and the last day."""
    user = pb.User(
        id=visit.path["user"],
        display_name=visit.field("display_name"),
        login=visit.field("login"),
        email=visit.field("email"),
        aliases=[line.strip() for line in visit.field("aliases").splitlines() if line.strip()],
    )
    leave = read_day(visit, "leave_date", "user.leave_date")
    if leave is not None:
        user.leave_date.CopyFrom(leave)
    return _update(visit, user, "display_name", "login", "email", "aliases", "leave_date")


def change_access(visit: Visit) -> Response:
    """Close the access, or open it again; the person stays named in every record."""
    return _update(visit, pb.User(id=visit.path["user"], active=visit.field("active") == "yes"), "active")


def change_password(visit: Visit) -> Response:
    """Set another password."""
    return _update(visit, pb.User(id=visit.path["user"]), "password", password=_password(visit))


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


def present_positions(visit: Visit, user: pb.User) -> list[pb.Position]:
    """The positions a person holds today or will hold."""
    today = visit.today
    return [one for one in user.positions if (end := to_day(one.end_date)) is None or end > today]


def _update(visit: Visit, user: pb.User, *names: str, password: str = "") -> Response:
    mask, etag = FieldMask(paths=names), visit.field("etag")
    visit.call(
        "directory", "UpdateUser", pb.UpdateUserRequest(user=user, update_mask=mask, etag=etag, password=password)
    )
    return visit.go(f"/admin/people/{user.id}")


def _position(visit: Visit, contract_field: str) -> pb.Position:
    position = pb.Position(unit_id=visit.field("unit_id"), title=visit.field("title"))
    position.role = read_choice(visit, "role", f"{contract_field}.role")  # type: ignore[assignment]
    start = read_day(visit, "start_date", f"{contract_field}.start_date")
    if start is not None:
        position.start_date.CopyFrom(start)
    return position


def _password(visit: Visit) -> str:
    value = visit.form.get("password", "")
    return value if isinstance(value, str) else ""


def _roles() -> list[tuple[str, str]]:
    return [(str(key), words) for key, words in role_words().items()]


PAGES = (
    Page("GET", "/admin/people", for_administrators(show_people)),
    Page("POST", "/admin/people", for_administrators(create_person)),
    Page("GET", "/admin/people/new", for_administrators(show_new)),
    Page("GET", "/admin/people/{user}", for_administrators(show_person)),
    Page("POST", "/admin/people/{user}", for_administrators(change_person)),
    Page("POST", "/admin/people/{user}/access", for_administrators(change_access)),
    Page("POST", "/admin/people/{user}/password", for_administrators(change_password)),
    Page("POST", "/admin/people/{user}/positions", for_administrators(add_position)),
    Page("POST", "/admin/people/{user}/positions/{position}/end", for_administrators(end_position)),
)
