"""A user's whole day: what is overdue and due, the meetings, and whose move it is, all lists by one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from scheduling.absences import list_absences
from scheduling.composing import compose_id
from scheduling.errors import invalid
from scheduling.notifications import count_unread
from scheduling.queries import SELECT_ACTIVITIES, WAITS_FOR_USER, activity_of, seen_by
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
    for row in work.execute(_everything(work, user_id, day, zone)):
        lists[row.part].append(activity_of(row))
        counts[row.part] = row.total
    absences = list_absences(work, day, day + timedelta(days=1), [user_id], "", MAX_SHOWN)
    done = _count_done(work, user_id, day, zone)
    unread = count_unread(work) if user_id == work.access.user_id else 0
    return Today(day, zone, lists, counts, done, unread, absences)


def zone_of_caller(work: UnitOfWork, zone: str) -> str:
    """The zone asked for, else that of the caller's unit, else UTC. Errors: FieldInvalid."""
    if zone:
        return check_zone("time_zone", zone)
    found = work.execute(sa.select(unit.c.time_zone).where(sa.cast(unit.c.id, sa.Text) == work.access.unit_id))
    return found.scalar_one_or_none() or "UTC"


def _everything(work: UnitOfWork, user_id: str, day: date, zone: str) -> sa.Select[Any]:
    start, end = bounds_of(day, day + timedelta(days=1), zone)
    own, open_ = activity.c.owner_id == user_id, activity.c.state == OPEN
    begin, stop = activity.c.start_time, activity.c.stop_time
    # A whole day is that day in every zone; a moment is of the day in which it lies here.
    on_day = sa.case(
        (activity.c.due_date.is_not(None), activity.c.due_date == day),
        else_=sa.and_(begin < end, sa.or_(stop > start, begin >= start)),
    )
    near = sa.and_(begin < end + timedelta(days=1), begin > start - timedelta(days=32))  # an end is within 31 days
    guest = activity.c.participant_user_ids.contains(sa.cast([user_id], IDS))
    todo = activity.c.kind.in_((TASK, CALL))
    parts = (
        _part(work, OVERDUE, [own, open_, stop <= work.now], [stop, activity.c.id]),
        _part(work, DUE_TODAY, [own, open_, todo, near, on_day, stop > work.now], [stop, activity.c.id]),
        _part(
            work,
            MEETINGS,
            [sa.or_(own, guest), activity.c.kind == MEETING, activity.c.state != CANCELLED, near, on_day],
            [begin, activity.c.id],
        ),
        _part(work, WAITING, [own, open_, activity.c.waiting_side.in_((USER, CUSTOMER))], [activity.c.waiting_time]),
        _part(
            work,
            ASKED,
            [activity.c.waiting_user_id == user_id, activity.c.waiting_side == WAITS_FOR_USER, open_],
            [activity.c.waiting_time],
        ),
    )
    each = sa.union_all(*parts).subquery("each")
    found = SELECT_ACTIVITIES.add_columns(each.c.part, each.c.total).join(each, each.c.id == activity.c.id)
    return found.order_by(each.c.part, each.c.place)


def _part(
    work: UnitOfWork, name: str, terms: Sequence[sa.ColumnElement[bool]], order: Sequence[sa.ColumnElement[Any]]
) -> sa.Select[Any]:
    """One list: ids with their place in it and how many there are in all."""
    place = sa.func.row_number().over(order_by=order).label("place")
    counted = (
        sa.select(activity.c.id, place, sa.func.count().over().label("total"))
        .where(seen_by(work), *terms)
        .order_by(*order)
        .limit(MAX_SHOWN)
        .subquery(name)
    )
    return sa.select(counted.c.id, sa.literal(name).label("part"), counted.c.place, counted.c.total)


def _count_done(work: UnitOfWork, user_id: str, day: date, zone: str) -> int:
    start, end = bounds_of(day, day + timedelta(days=1), zone)
    then = sa.and_(activity.c.close_time >= start, activity.c.close_time < end)
    mine = sa.and_(activity.c.closer_id == user_id, activity.c.state == DONE, then, seen_by(work))
    return int(work.execute(sa.select(sa.func.count()).select_from(activity).where(mine)).scalar_one())
