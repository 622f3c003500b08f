"""A user's whole day: what is overdue and due, the meetings, and whose move it is, all lists by one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from chassis.prepared import Prepared
from scheduling.absences import list_absences
from scheduling.composing import compose_id
from scheduling.errors import invalid
from scheduling.notifications import count_unread
from scheduling.queries import SELECT_ACTIVITIES, WAITS_FOR_USER, Look, activity_of, look_of, seen_with
from scheduling.records import CALL, CANCELLED, CUSTOMER, DONE, MEETING, OPEN, TASK, USER, Absence, Activity
from scheduling.rules import bounds_of, check_day, check_zone, day_in
from scheduling.tables import IDS, activity
from units.tables import unit

MAX_SHOWN = 200
OVERDUE, DUE_TODAY, MEETINGS, WAITING, ASKED = "overdue", "due_today", "meetings", "waiting", "asked"


@dataclass(frozen=True)
class Today:
    """A day of a user. `lists` and `counts` are by the names above; a list holds at most 200, a count counts all."""

    day: date
    zone: str
    lists: dict[str, list[Activity]]
    counts: dict[str, int]
    done_count: int
    unread_count: int
    absences: list[Absence]


def look_at_today(work: UnitOfWork, user_id: str, day: date | None, zone: str) -> Today:
    """The day of a user, by default today of the caller. Errors: FieldInvalid."""
    user_id = compose_id("user_id", user_id) or work.access.user_id
    if not user_id:
        raise invalid("user_id", "is empty; say whose day it is")
    zone = zone_of_caller(work, zone)
    day = check_day("date", day) or day_in(work.now, zone)
    lists: dict[str, list[Activity]] = {name: [] for name in (OVERDUE, DUE_TODAY, MEETINGS, WAITING, ASKED)}
    counts = dict.fromkeys(lists, 0)
    look, values = look_of(work.access)
    start, end = bounds_of(day, day + timedelta(days=1), zone)
    values |= {"whose": user_id, "guests": [user_id], "day": day, "start": start, "end": end, "moment": work.now}
    for row in work.fetch(_everything(look), values):
        lists[row.part].append(activity_of(row))
        counts[row.part] = row.total
    absences = list_absences(work, day, day + timedelta(days=1), [user_id], "", MAX_SHOWN)
    done = int(work.fetch(_count_done(look), values)[0].done)
    unread = count_unread(work) if user_id == work.access.user_id else 0
    return Today(day, zone, lists, counts, done, unread, absences)


def zone_of_caller(work: UnitOfWork, zone: str) -> str:
    """The zone asked for, else that of the caller's unit, else UTC. Errors: FieldInvalid."""
    if zone:
        return check_zone("time_zone", zone)
    found = work.execute(sa.select(unit.c.time_zone).where(sa.cast(unit.c.id, sa.Text) == work.access.unit_id))
    return found.scalar_one_or_none() or "UTC"


def _given(name: str, like: sa.ColumnElement[Any]) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=like.type)


_C = activity.c
_START, _END = _given("start", _C.start_time), _given("end", _C.start_time)
_MOMENT, _WHOSE = _given("moment", _C.stop_time), _given("whose", _C.owner_id)


@lru_cache(maxsize=32)
def _everything(look: Look) -> Prepared:
    own, open_ = _C.owner_id == _WHOSE, _C.state == OPEN
    begin, stop, waits = _C.start_time, _C.stop_time, _C.waiting_time
    # A whole day is that day in every zone; a moment is of the day in which it lies here.
    on_day = sa.case(
        (_C.due_date.is_not(None), _C.due_date == _given("day", _C.due_date)),
        else_=sa.and_(begin < _END, sa.or_(stop > _START, begin >= _START)),
    )
    # An end is within 31 days.
    near = sa.and_(begin < _END + sa.literal(timedelta(days=1)), begin > _START - sa.literal(timedelta(days=32)))
    guest = _C.participant_user_ids.contains(sa.bindparam("guests", type_=IDS))
    todo = sa.or_(_C.kind == TASK, _C.kind == CALL)
    parts = (
        _part(look, OVERDUE, [own, open_, stop <= _MOMENT], [stop, activity.c.id]),
        _part(look, DUE_TODAY, [own, open_, todo, near, on_day, stop > _MOMENT], [stop, activity.c.id]),
        _part(
            look,
            MEETINGS,
            [sa.or_(own, guest), activity.c.kind == MEETING, activity.c.state != CANCELLED, near, on_day],
            [begin, activity.c.id],
        ),
        _part(
            look,
            WAITING,
            [own, open_, sa.or_(_C.waiting_side == USER, _C.waiting_side == CUSTOMER)],
            [activity.c.waiting_time],
        ),
        _part(
            look,
            ASKED,
            [_C.waiting_user_id == _WHOSE, _C.waiting_side == WAITS_FOR_USER, open_],
            [waits],
        ),
    )
    each = sa.union_all(*parts).subquery("each")
    found = SELECT_ACTIVITIES.add_columns(each.c.part, each.c.total).join(each, each.c.id == activity.c.id)
    return Prepared(found.order_by(each.c.part, each.c.place))


def _part(
    look: Look, name: str, terms: Sequence[sa.ColumnElement[bool]], order: Sequence[sa.ColumnElement[Any]]
) -> sa.Select[Any]:
    """One list: ids with their place in it and how many there are in all."""
    place = sa.func.row_number().over(order_by=order).label("place")
    counted = (
        sa.select(activity.c.id, place, sa.func.count().over().label("total"))
        .where(seen_with(look), *terms)
        .order_by(*order)
        .limit(MAX_SHOWN)
        .subquery(name)
    )
    return sa.select(counted.c.id, sa.literal(name).label("part"), counted.c.place, counted.c.total)


_IS_DONE: sa.ColumnElement[str] = sa.literal_column(f"'{DONE}'")  # as the index has it


@lru_cache(maxsize=32)
def _count_done(look: Look) -> Prepared:
    then = sa.and_(_C.close_time >= _START, _C.close_time < _END)
    mine = sa.and_(_C.closer_id == _WHOSE, _C.state == _IS_DONE, then, seen_with(look))
    return Prepared(sa.select(sa.func.count().label("done")).select_from(activity).where(mine))
