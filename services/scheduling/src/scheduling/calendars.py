"""Calendars of users and units: what stands in a range of days, and what repeating activities will bring into it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from scheduling.absences import list_absences
from scheduling.composing import compose_ids
from scheduling.errors import invalid
from scheduling.queries import ORDER, SELECT_ACTIVITIES, activity_of, seen_by
from scheduling.records import DONE, OPEN, Absence, Activity
from scheduling.rules import bounds_of, check_day, later_occurrences, start_of, stop_of
from scheduling.tables import IDS, activity
from scheduling.today import zone_of_caller
from units.visibility import get_unit, unit_ids_below

MAX_DAYS = 42  # six weeks, as a month's page shows
MAX_ENTRIES = 5_000
MAX_SERIES = 1_000  # repeating activities that are looked at for one answer


@dataclass(frozen=True)
class Range:
    """The days [start, end) of a zone, and the moments at which they begin and end."""

    start: date
    end: date
    begin: datetime
    stop: datetime


@dataclass(frozen=True)
class Entry:
    """An occurrence in a calendar; `virtual` when it does not exist yet."""

    activity: Activity
    occurrence: int
    virtual: bool


@dataclass(frozen=True)
class Calendar:
    """What stands in a range, by time; `truncated` when there was more than could be shown."""

    entries: list[Entry]
    absences: list[Absence]
    truncated: bool


def look_at_calendar(
    work: UnitOfWork,
    days: tuple[date | None, date | None],
    zone: str,
    user_ids: Sequence[str],
    unit_id: str,
    kinds: Sequence[str],
    with_done: bool,
) -> Calendar:
    """The calendars of users, of a unit, or of both; of the caller where nobody is named.

    Errors: FieldInvalid, UnitNotKnown.
    """
    span = range_of(days, zone_of_caller(work, zone))
    users = compose_ids("user_ids", user_ids)
    if not users and not unit_id and work.access.user_id:
        users = (work.access.user_id,)
    terms = [seen_by(work), *_whose(work, users, unit_id)]
    if kinds:
        terms.append(activity.c.kind.in_(kinds))
    real = read_entries(work, terms, span, with_done)
    virtual, cut = foresee(work, terms, span)
    entries = sorted([*real, *virtual], key=lambda one: (start_of(one.activity.facts.due), one.activity.id))
    absences = list_absences(work, span.start, span.end, users, unit_id, MAX_ENTRIES)
    return Calendar(entries[:MAX_ENTRIES], absences, cut or len(entries) > MAX_ENTRIES)


def range_of(days: tuple[date | None, date | None], zone: str, most: int = MAX_DAYS) -> Range:
    """The days asked for, with their bounds in a zone. Errors: FieldInvalid for none or more than `most`."""
    start, end = check_day("start_date", days[0]), check_day("end_date", days[1])
    if start is None or end is None:
        raise invalid("end_date" if start else "start_date", "is missing; name the days")
    if not 0 < (end - start).days <= most:
        raise invalid("end_date", f"is {end}; use a day after start_date, at most {most} days later")
    return Range(start, end, *bounds_of(start, end, zone))


def _whose(work: UnitOfWork, users: Sequence[str], unit_id: str) -> list[sa.ColumnElement[bool]]:
    terms: list[sa.ColumnElement[bool]] = []
    if users:
        guest = activity.c.participant_user_ids.overlap(sa.cast(list(users), IDS))
        terms.append(sa.or_(activity.c.owner_id.in_(users), guest))
    if unit_id:
        terms.append(activity.c.unit_id.in_(unit_ids_below(get_unit(work, unit_id).path)))
    return terms


def read_entries(
    work: UnitOfWork, terms: Sequence[sa.ColumnElement[bool]], span: Range, with_done: bool
) -> list[Entry]:
    """What stands in the range, by time; one more than MAX_ENTRIES where there is more."""
    begin, stop, day = activity.c.start_time, activity.c.stop_time, activity.c.due_date
    near = sa.and_(begin < span.stop + timedelta(days=1), begin > span.begin - timedelta(days=32))
    # A whole day is that day in every zone; a moment is of the days in which it lies here.
    inside = sa.case(
        (day.is_not(None), sa.and_(day >= span.start, day < span.end)),
        else_=sa.and_(begin < span.stop, sa.or_(stop > span.begin, begin >= span.begin)),
    )
    states = (OPEN, DONE) if with_done else (OPEN,)
    found = SELECT_ACTIVITIES.where(*terms, activity.c.state.in_(states), near, inside).order_by(*ORDER)
    ones = [activity_of(row) for row in work.execute(found.limit(MAX_ENTRIES + 1))]
    return [Entry(one, _number(one), False) for one in ones]


def foresee(work: UnitOfWork, terms: Sequence[sa.ColumnElement[bool]], span: Range) -> tuple[list[Entry], bool]:
    """Future occurrences in the range, and whether there were more series than are looked at."""
    wanted = (*terms, activity.c.state == OPEN, activity.c.repeat_every.is_not(None), activity.c.start_time < span.stop)
    rows: Sequence[Any] = work.execute(SELECT_ACTIVITIES.where(*wanted).order_by(*ORDER).limit(MAX_SERIES + 1)).all()
    found = [entry for row in rows[:MAX_SERIES] for entry in _occurrences(activity_of(row), work.now, span)]
    return found, len(rows) > MAX_SERIES


def _occurrences(one: Activity, now: datetime, span: Range) -> Iterator[Entry]:
    if one.facts.repetition is None or one.series is None:
        return
    after = max(now, span.begin - timedelta(days=1))
    for number, due in later_occurrences(one.facts.repetition, one.series, one.facts.due, after):
        if due.day is not None and due.day >= span.end or start_of(due) >= span.stop + timedelta(days=1):
            return
        if due.day is not None:
            inside = span.start <= due.day
        else:
            inside = start_of(due) < span.stop and (stop_of(due) > span.begin or start_of(due) >= span.begin)
        if inside:
            yield Entry(replace(one, facts=replace(one.facts, due=due)), number, True)


def _number(one: Activity) -> int:
    return one.series.occurrence if one.series else 1
