"""When units work: their weeks and holidays, which hold for all units below that have none of their own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.access import CONFIGURE
from chassis.database import UnitOfWork
from chassis.errors import StaleEtag
from chassis.ids import new_id
from scheduling.errors import invalid
from scheduling.events import tell_holiday, tell_working_week
from scheduling.records import Holiday, Stretch, WorkingWeek
from scheduling.rules import check_day, check_text
from scheduling.tables import holiday, working_week
from scheduling.working_rules import USUAL, check_hours, nearest
from units.records import ACTIVITY
from units.tables import unit
from units.visibility import Unit, get_unit

MAX_DAYS = 1_100  # three years of holidays at once
MAX_NAME = 100


def read_weeks(work: UnitOfWork) -> dict[str, WorkingWeek]:
    """Every unit's own week, by the path of the unit: there are few, and each may hold for units below."""
    rows = work.execute(sa.select(working_week, unit.c.path).join(unit, unit.c.id == working_week.c.unit_id))
    return {row.path: _week_of(row) for row in rows}


def read_holidays(work: UnitOfWork, start: date, end: date) -> dict[date, dict[str, Holiday]]:
    """Every unit's own holidays of the days [start, end), by day and the path of the unit."""
    found: dict[date, dict[str, Holiday]] = {}
    inside = sa.and_(holiday.c.day >= start, holiday.c.day < end)
    for row in work.execute(sa.select(holiday, unit.c.path).join(unit, unit.c.id == holiday.c.unit_id).where(inside)):
        found.setdefault(row.day, {})[row.path] = _holiday_of(row)
    return found


def get_weeks(work: UnitOfWork, unit_id: str) -> tuple[WorkingWeek, list[WorkingWeek]]:
    """The week in force in a unit, and the own ones of it and the units below. Errors: UnitNotKnown."""
    path = get_unit(work, unit_id).path
    weeks = read_weeks(work)
    own = [week for at, week in sorted(weeks.items()) if at == path or at.startswith(path + ".")]
    return nearest(path, weeks) or USUAL, own


def set_week(work: UnitOfWork, unit_id: str, hours: Sequence[Stretch], etag: str) -> WorkingWeek:
    """Give a unit a week of its own. Errors: FieldInvalid, UnitNotKnown, StaleEtag, NotPermitted."""
    place = _configured(work, unit_id)
    known = _find_week(work, place.id)
    if etag and etag != (str(known.version) if known else ""):
        raise StaleEtag(
            "the working week has changed since you read it; look at it again",
            metadata={"current": str(known.version) if known else ""},
        )
    checked = check_hours(hours)
    if known is not None and known.hours == checked:
        return known
    week = WorkingWeek(known.id if known else new_id(), known.version + 1 if known else 1, place.id, checked)
    values = {
        "id": week.id,
        "version": week.version,
        "unit_id": place.id,
        "hours": [[one.weekday, one.start, one.end] for one in checked],
    }
    statement = insert(working_week).values(values)
    work.execute(statement.on_conflict_do_update(index_elements=["unit_id"], set_=values))
    tell_working_week(work, week, place.path)
    return week


def remove_week(work: UnitOfWork, unit_id: str) -> None:
    """Take a unit's own week away. Errors: UnitNotKnown, NotPermitted."""
    place = _configured(work, unit_id)
    known = _find_week(work, place.id)
    if known is not None:
        work.execute(sa.delete(working_week).where(working_week.c.id == known.id))
        tell_working_week(work, _next_week(known), place.path, removed=True)


def get_holidays(work: UnitOfWork, unit_id: str, days: tuple[date | None, date | None]) -> list[Holiday]:
    """The holidays in force in a unit on the days asked for. Errors: FieldInvalid, UnitNotKnown."""
    start, end = check_day("start_date", days[0]), check_day("end_date", days[1])
    if start is None or end is None:
        raise invalid("end_date" if start else "start_date", "is missing; name the days")
    if not 0 < (end - start).days <= MAX_DAYS:
        raise invalid("end_date", f"is {end}; use a day after start_date, at most {MAX_DAYS} days later")
    path = get_unit(work, unit_id).path
    found = (nearest(path, by_path) for _day, by_path in sorted(read_holidays(work, start, end).items()))
    return [one for one in found if one is not None]


def set_holiday(work: UnitOfWork, unit_id: str, day: date | None, name: str, works: bool) -> Holiday:
    """Record a holiday of a unit, or give the day another name. Errors: FieldInvalid, UnitNotKnown, NotPermitted."""
    place = _configured(work, unit_id)
    if day is None:
        raise invalid("holiday.date", "is missing; name the day")
    check_day("holiday.date", day)
    name = check_text("holiday.name", name.strip(), MAX_NAME)
    if not name:
        raise invalid("holiday.name", "is empty; say what the day is called")
    known = _find_holiday(work, place.id, day)
    if known is not None and (known.name, known.works) == (name, works):
        return known
    one = Holiday(known.id if known else new_id(), known.version + 1 if known else 1, place.id, day, name, works)
    values = {column.name: getattr(one, column.name) for column in holiday.c}
    statement = insert(holiday).values(values)
    work.execute(statement.on_conflict_do_update(index_elements=["unit_id", "day"], set_=values))
    tell_holiday(work, one, place.path)
    return one


def remove_holiday(work: UnitOfWork, unit_id: str, day: date | None) -> None:
    """Take a unit's holiday back. Errors: FieldInvalid, UnitNotKnown, NotPermitted."""
    place = _configured(work, unit_id)
    if day is None:
        raise invalid("date", "is missing; name the day")
    known = _find_holiday(work, place.id, day)
    if known is not None:
        work.execute(sa.delete(holiday).where(holiday.c.id == known.id))
        gone = Holiday(known.id, known.version + 1, known.unit_id, known.day, known.name, known.works)
        tell_holiday(work, gone, place.path, removed=True)


def _configured(work: UnitOfWork, unit_id: str) -> Unit:
    """The unit, whose row is held: two who set the same day one after the other count up one version."""
    place = get_unit(work, unit_id, CONFIGURE, ACTIVITY)
    work.execute(sa.select(unit.c.id).where(unit.c.id == place.id).with_for_update())
    return place


def _find_week(work: UnitOfWork, unit_id: str) -> WorkingWeek | None:
    row = work.execute(sa.select(working_week).where(working_week.c.unit_id == unit_id)).one_or_none()
    return _week_of(row) if row else None


def _find_holiday(work: UnitOfWork, unit_id: str, day: date) -> Holiday | None:
    found = sa.select(holiday).where(holiday.c.unit_id == unit_id, holiday.c.day == day)
    row = work.execute(found).one_or_none()
    return _holiday_of(row) if row else None


def _next_week(known: WorkingWeek) -> WorkingWeek:
    return WorkingWeek(known.id, known.version + 1, known.unit_id, known.hours)


def _week_of(row: Any) -> WorkingWeek:
    return WorkingWeek(row.id, row.version, row.unit_id, tuple(Stretch(*one) for one in row.hours))


def _holiday_of(row: Any) -> Holiday:
    return Holiday(row.id, row.version, row.unit_id, row.day, row.name, row.works)
