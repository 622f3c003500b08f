"""Pure decisions about working time: which week and which holiday holds where, and how long somebody works on a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import TypeVar

from scheduling.errors import invalid
from scheduling.records import CALL, MEETING, TASK, Due, Holiday, Stretch, WorkingWeek
from scheduling.rules import bounds_of, day_in

DAY_MINUTES = 24 * 60
MOST_STRETCHES = 42  # six a day: shifts with breaks; more is a mistake
USUAL = WorkingWeek(
    "",
    0,
    "",
    tuple(
        stretch for day in range(1, 6) for stretch in (Stretch(day, 9 * 60, 13 * 60), Stretch(day, 14 * 60, 18 * 60))
    ),
)
USUAL_MINUTES = {TASK: 60, CALL: 15, MEETING: 60}  # of what has no end
V = TypeVar("V")


def check_hours(hours: Sequence[Stretch], field: str = "working_week.hours") -> tuple[Stretch, ...]:
    """The stretches in order. Errors: FieldInvalid for what is no stretch of a day, overlaps another or is too many."""
    if len(hours) > MOST_STRETCHES:
        raise invalid(field, f"has {len(hours)} stretches; use at most {MOST_STRETCHES}")
    for one in hours:
        if not 1 <= one.weekday <= 7:
            raise invalid(f"{field}.weekday", f"is {one.weekday}; use 1 for Monday to 7 for Sunday")
        if not 0 <= one.start < one.end <= DAY_MINUTES:
            raise invalid(
                f"{field}.end_minute", f"is {one.end} after a start at {one.start}; use 0 <= start < end <= 1440"
            )
    ordered = sorted(hours)
    for before, after in pairwise(ordered):
        if before.weekday == after.weekday and after.start < before.end:
            raise invalid(
                f"{field}.start_minute", f"is {after.start} on day {after.weekday}, within the stretch before it"
            )
    return tuple(ordered)


def nearest(path: str, known: Mapping[str, V]) -> V | None:
    """What the unit at a path has, or else the nearest unit above it; `known` is by path."""
    while path:
        if path in known:
            return known[path]
        path = path.rpartition(".")[0]
    return None


def minutes_on(day: date, week: WorkingWeek, holiday: Holiday | None) -> int:
    """How many minutes a unit works on a day, by its week and the holiday in force."""
    if holiday is not None and not holiday.works:
        return 0
    return sum(one.end - one.start for one in week.hours if one.weekday == day.isoweekday())


def days_of(due: Due, zone: str) -> list[date]:
    """The days of a zone that an activity touches; a whole day is that day in every zone. Needs a due that is set."""
    if due.day is not None:
        return [due.day]
    assert due.time is not None
    first = day_in(due.time, zone)
    last = day_in(due.end - timedelta(microseconds=1), zone) if due.end else first
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def minutes_of(kind: str, due: Due, day: date, zone: str, capacity: int) -> int:
    """How many minutes an activity takes of one of its days, of which the person works `capacity`.

    A meeting for a whole day takes the working day; nobody works through the night on what lasts for days.
    """
    if due.day is not None:
        return capacity if kind == MEETING else USUAL_MINUTES[kind]
    if due.time is None or due.end is None:
        return USUAL_MINUTES[kind]
    begin, stop = bounds_of(day, day + timedelta(days=1), zone)
    taken = int((min(due.end, stop) - max(due.time, begin)).total_seconds() // 60)
    return taken if begin <= due.time and due.end <= stop else min(taken, capacity)
