"""Who is away: recorded by the user or by those who may write in the unit, seen by those who see the unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.access import CHANGE, CREATE
from chassis.database import UnitOfWork
from chassis.dates import from_date
from chassis.ids import is_id, new_id
from chassis.prepared import Prepared
from crm.scheduling.v1 import scheduling_pb2 as pb
from scheduling.composing import MAX_WORD, compose_id
from scheduling.errors import AbsenceNotFound, invalid
from scheduling.events import tell_absence
from scheduling.records import Absence
from scheduling.rules import check_day, check_text
from scheduling.tables import IDS, absence, user
from units.records import ACTIVITY
from units.tables import unit
from units.visibility import Sight, get_unit, seen_in, sight_of, unit_ids_under, visible

MAX_DAYS = 1_000
_SELECT = sa.select(absence, user.c.display_name).select_from(absence.outerjoin(user, user.c.id == absence.c.user_id))


def set_absence(work: UnitOfWork, said: pb.Absence) -> Absence:
    """Record an absence, or give a known one other days and another reason.

    Errors: FieldInvalid, AbsenceNotFound, UnitNotKnown, NotPermitted.
    """
    start, end = _read_days(said)
    reason = check_text("absence.reason", said.reason, MAX_WORD)
    if said.id:
        known = _lock(work, said.id)
        changed = replace(known, version=known.version + 1, start_date=start, end_date=end, reason=reason)
        if replace(changed, version=known.version) == known:
            return known
    else:
        changed = _begin(work, said, start, end, reason)
    values = {column.name: getattr(changed, column.name) for column in absence.c}
    statement = insert(absence).values(values)
    work.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))
    tell_absence(work, changed, _path_of(work, changed.unit_id))
    return changed


def remove_absence(work: UnitOfWork, absence_id: str) -> None:
    """Take an absence back. Errors: AbsenceNotFound, NotPermitted."""
    known = _lock(work, absence_id)
    work.execute(sa.delete(absence).where(absence.c.id == known.id))
    tell_absence(work, replace(known, version=known.version + 1), _path_of(work, known.unit_id), removed=True)


def list_absences(
    work: UnitOfWork,
    start: date,
    end: date,
    user_ids: Sequence[str],
    unit_id: str,
    size: int,
    after: Sequence[Any] | None = None,
) -> list[Absence]:
    """Visible absences that touch [start, end), by first day, after the key [first day, id] of the last one.

    Errors: FieldInvalid, UnitNotKnown.
    """
    sight, values = sight_of(work.access, ACTIVITY)
    values |= {"start": start, "end": end, "size": size}
    if user_ids:
        values["users"] = [one for one in user_ids if is_id(one)]
    if unit_id:
        values["paths"] = [get_unit(work, unit_id).path]
    if after:
        values |= {"after_day": date.fromisoformat(str(after[0])), "after_id": str(after[1])}
    asked = frozenset(name for name in values if name in _CONDITIONS)
    return [_absence_of(row) for row in work.fetch(_read_page(sight, asked), values)]


_CONDITIONS: dict[str, sa.ColumnElement[bool]] = {
    "users": absence.c.user_id == sa.any_(sa.bindparam("users", type_=IDS)),
    "paths": absence.c.unit_id.in_(unit_ids_under("paths")),
    "after_id": sa.tuple_(absence.c.start_date, absence.c.id)
    > sa.tuple_(sa.bindparam("after_day", type_=sa.Date), sa.bindparam("after_id", type_=absence.c.id.type)),
}


@lru_cache(maxsize=64)
def _read_page(sight: Sight, asked: frozenset[str]) -> Prepared:
    terms = [
        seen_in(sight, absence.c.unit_id, absence.c.user_id),
        absence.c.start_date < sa.bindparam("end", type_=sa.Date),
        absence.c.end_date > sa.bindparam("start", type_=sa.Date),
        *(_CONDITIONS[name] for name in sorted(asked)),
    ]
    found = _SELECT.where(*terms).order_by(absence.c.start_date, absence.c.id)
    return Prepared(found.limit(sa.bindparam("size", type_=sa.Integer)))


def range_of(days: tuple[date | None, date | None], today: date) -> tuple[date, date]:
    """The days asked for, [first, last): today where none is named, one day where no end is. Errors: FieldInvalid."""
    first = check_day("start_date", days[0]) or today
    last = check_day("end_date", days[1]) or first + timedelta(days=1)
    if not 0 < (last - first).days <= MAX_DAYS:
        raise invalid("end_date", f"is {last}; use a day after {first}, at most {MAX_DAYS} days later")
    return first, last


def _read_days(said: pb.Absence) -> tuple[date, date]:
    start = check_day("absence.start_date", from_date(said.start_date, "absence.start_date"))
    end = check_day("absence.end_date", from_date(said.end_date, "absence.end_date"))
    if start is None or end is None:
        raise invalid(
            "absence.end_date" if start else "absence.start_date",
            "is missing; give the first day and the first day back",
        )
    if not 0 < (end - start).days <= MAX_DAYS:
        raise invalid("absence.end_date", f"is {end}; use a day after start_date, at most {MAX_DAYS} days later")
    return start, end


def _begin(work: UnitOfWork, said: pb.Absence, start: date, end: date, reason: str) -> Absence:
    user_id = compose_id("absence.user_id", said.user_id) or work.access.user_id
    if not user_id:
        raise invalid("absence.user_id", "is empty; say who is away")
    known = work.execute(sa.select(user.c.unit_id, user.c.display_name).where(user.c.id == user_id)).one_or_none()
    unit_id = said.unit_id or (known.unit_id if known else "") or work.access.unit_id
    work.access.require(CREATE, get_unit(work, unit_id).path, user_id, ACTIVITY)
    return Absence(new_id(), 1, user_id, unit_id, start, end, reason, known.display_name if known else "")


def _lock(work: UnitOfWork, absence_id: str) -> Absence:
    if not is_id(absence_id):
        raise AbsenceNotFound(absence_id)
    mine = sa.and_(absence.c.id == absence_id, _seen_by(work))
    work.execute(sa.select(absence.c.id).where(mine).with_for_update())
    row = work.execute(_SELECT.where(mine)).one_or_none()
    if row is None:
        raise AbsenceNotFound(absence_id)
    known = _absence_of(row)
    work.access.require(CHANGE, get_unit(work, known.unit_id).path, known.user_id, ACTIVITY)
    return known


def _seen_by(work: UnitOfWork) -> sa.ColumnElement[bool]:
    return visible(work.access, ACTIVITY, absence.c.unit_id, absence.c.user_id)


def _path_of(work: UnitOfWork, unit_id: str) -> str:
    return str(work.execute(sa.select(unit.c.path).where(unit.c.id == unit_id)).scalar_one())


def _absence_of(row: Any) -> Absence:
    return Absence(
        id=row.id,
        version=row.version,
        user_id=row.user_id,
        unit_id=row.unit_id,
        start_date=row.start_date,
        end_date=row.end_date,
        reason=row.reason,
        user_name=row.display_name or "",
    )
