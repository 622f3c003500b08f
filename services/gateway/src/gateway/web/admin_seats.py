"""Seats of the organization: places apart from people, with who holds them now and who held them."""

from __future__ import annotations

from starlette.responses import Response

from chassis.ids import new_id
from crm.directory.v1 import directory_pb2 as pb
from gateway.web.admin import for_administrators, read_day
from gateway.web.admin_roles import role_choices
from gateway.web.admin_units import choose_units
from gateway.web.mounting import Page
from gateway.web.names import look_up_names
from gateway.web.values import to_day
from gateway.web.visits import Visit

ROWS, MOST_SEATS = 50, 1_000


def show_seats(visit: Visit) -> Response:
    """The seats of a unit, or all."""
    unit_id = visit.query.get("unit", "")
    asked = pb.ListSeatsRequest(page_size=ROWS, page_token=visit.query.get("page", ""), unit_id=unit_id)
    found = visit.call("directory", "ListSeats", asked)
    holders = {one.user_id for seat in found.seats for one in seat.positions}
    names = look_up_names(visit, holders)
    return visit.render(
        "admin/seats.html",
        help="organization",
        place="seats",
        seats=found.seats,
        next_token=found.next_page_token,
        holding={seat.id: [one.user_id for one in seat.positions if _holds(visit, one)] for seat in found.seats},
        former={seat.id: [one for one in seat.positions if not _holds(visit, one)] for seat in found.seats},
        names=names,
        role_names=dict(role_choices(visit)),
        units=choose_units(visit),
        unit_id=unit_id,
        roles=role_choices(visit),
        request_id=new_id(),
    )


def set_seat(visit: Visit) -> Response:
    """Make a seat, or change the title and the last day of a known one."""
    seat = pb.Seat(
        id=visit.field("id"),
        unit_id=visit.field("unit_id"),
        title=visit.field("title"),
        role_code=visit.field("role_code"),
    )
    end = read_day(visit, "end_date", "seat.end_date")
    if end is not None:
        seat.end_date.CopyFrom(end)
    visit.call("directory", "SetSeat", pb.SetSeatRequest(request_id=visit.field("request_id"), seat=seat))
    return visit.go("/admin/seats")


def seat_choices(visit: Visit) -> list[tuple[str, str]]:
    """The seats that exist, each with its unit, for a list of choices."""
    found = visit.call("directory", "ListSeats", pb.ListSeatsRequest(page_size=MOST_SEATS)).seats
    names = look_up_names(visit, ())
    return [(one.id, f"{one.title}, {names.unit(one.unit_id)}") for one in found if not one.end_date.year]


def _holds(visit: Visit, one: pb.Position) -> bool:
    end = to_day(one.end_date)
    return end is None or end > visit.today


PAGES = (
    Page("GET", "/admin/seats", for_administrators(show_seats)),
    Page("POST", "/admin/seats", for_administrators(set_seat)),
)
