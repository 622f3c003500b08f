"""Calendars of units: the week they work and their holidays, which hold below where nothing else is said."""

from __future__ import annotations

from datetime import date
from typing import Any

from starlette.responses import Response

from chassis.dates import to_date
from crm.directory.v1 import directory_pb2 as directory
from crm.scheduling.v1 import scheduling_pb2 as pb
from gateway.web.admin import for_administrators, read_day
from gateway.web.admin_units import MOST_UNITS, is_closed
from gateway.web.imports import indented
from gateway.web.mounting import Page
from gateway.web.visits import Visit
from gateway.web.working_hours import DAYS, day_names, read_hours, write_hours

BASE = "/admin/calendars"
FIRST_YEAR, LAST_YEAR = 1970, 2199


def show_calendars(visit: Visit) -> Response:
    """The week and the holidays in force in one unit; the company's where none is named."""
    asked = directory.ListUnitsRequest(page_size=MOST_UNITS)
    units = [one for one in visit.call("directory", "ListUnits", asked).units if not is_closed(visit, one)]
    unit = next((one for one in units if one.id == visit.query.get("unit", "")), units[0])
    year = _year(visit)
    days = {"start_date": to_date(date(year, 1, 1)), "end_date": to_date(date(year + 1, 1, 1))}
    found = visit.gather(
        weeks=("scheduling", "GetWorkingWeeks", pb.GetWorkingWeeksRequest(unit_id=unit.id)),
        holidays=("scheduling", "GetHolidays", pb.GetHolidaysRequest(unit_id=unit.id, **days)),
    )
    return visit.render(
        "admin/calendars.html",
        help="calendars",
        place="calendars",
        unit=unit,
        units=[(one.id, indented(one)) for one in units],
        names={one.id: one.name for one in units},
        year=year,
        holidays=found["holidays"].holidays if found["holidays"] else [],
        away=next((one for one in found.values() if not one), None),
        **_week(visit, found["weeks"], unit.id),
    )


def set_week(visit: Visit) -> Response:
    """Give a unit a week of its own."""
    unit_id = visit.field("unit_id")
    week = pb.WorkingWeek(unit_id=unit_id, hours=read_hours({day: visit.field(f"day_{day}") for day in DAYS}))
    visit.call("scheduling", "SetWorkingWeek", pb.SetWorkingWeekRequest(working_week=week, etag=visit.field("etag")))
    return visit.go(f"{BASE}?unit={unit_id}")


def remove_week(visit: Visit) -> Response:
    """Have a unit work as the unit above it does."""
    unit_id = visit.field("unit_id")
    visit.call("scheduling", "RemoveWorkingWeek", pb.RemoveWorkingWeekRequest(unit_id=unit_id))
    return visit.go(f"{BASE}?unit={unit_id}")


def set_holiday(visit: Visit) -> Response:
    """Record a day on which a unit does not work, or works after all."""
    one = pb.Holiday(unit_id=visit.field("unit_id"), name=visit.field("name"), works=bool(visit.field("works")))
    day = read_day(visit, "date", "holiday.date")
    if day is not None:
        one.date.CopyFrom(day)
    visit.call("scheduling", "SetHoliday", pb.SetHolidayRequest(holiday=one))
    return _back(visit, one.unit_id, one.date.year)


def remove_holiday(visit: Visit) -> Response:
    """Take a holiday back."""
    asked = pb.RemoveHolidayRequest(unit_id=visit.field("unit_id"), date=read_day(visit, "date", "date"))
    visit.call("scheduling", "RemoveHoliday", asked)
    return _back(visit, asked.unit_id, asked.date.year)


def _week(visit: Visit, weeks: Any, unit_id: str) -> dict[str, Any]:
    """What the page says of the week in force: whose it is, its hours, and which units below have their own."""
    in_force = weeks.in_force if weeks else pb.WorkingWeek()
    return {
        "week": in_force,
        "is_own": in_force.unit_id == unit_id,
        "hours": write_hours(in_force.hours),
        "days": day_names(visit.texts.locale),
        "below": [one.unit_id for one in weeks.working_weeks if one.unit_id != unit_id] if weeks else [],
    }


def _back(visit: Visit, unit_id: str, year: int) -> Response:
    return visit.go(f"{BASE}?unit={unit_id}&year={year}#holidays")


def _year(visit: Visit) -> int:
    text = visit.query.get("year", "")
    year = int(text) if text.isascii() and text.isdigit() and len(text) == 4 else visit.today.year
    return min(max(year, FIRST_YEAR), LAST_YEAR)


PAGES = (
    Page("GET", BASE, for_administrators(show_calendars)),
    Page("POST", f"{BASE}/week", for_administrators(set_week)),
    Page("POST", f"{BASE}/week/remove", for_administrators(remove_week)),
    Page("POST", f"{BASE}/holidays", for_administrators(set_holiday)),
    Page("POST", f"{BASE}/holidays/remove", for_administrators(remove_holiday)),
)
