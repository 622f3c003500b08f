"""Pure decisions on plain values: when an activity begins and ends, when it comes again, when somebody is told."""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from scheduling.errors import invalid
from scheduling.records import (
    CALL,
    DAY,
    MEETING,
    NEVER,
    OPEN,
    TASK,
    WEEK,
    Change,
    Due,
    Facts,
    Holding,
    Repetition,
    Series,
)

REMINDER_MINUTES = {TASK: 60, CALL: 15, MEETING: 30}  # before the start, where nobody says otherwise
NO_REMINDER = -1
MOST_REMINDER_MINUTES = 40_320  # four weeks
DAY_BEGINS = time(9)  # a reminder of a whole day counts from here: nobody is woken at midnight
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)
MOST_LENGTH = timedelta(days=31)
MOST_EVERY, MOST_COUNT = 366, 1_000


def check_text(field: str, text: str, most: int) -> str:
    """The text as it is stored, unchanged. Errors: FieldInvalid for over-length or NUL (PostgreSQL holds none)."""
    if "\0" in text:
        raise invalid(field, "holds a NUL character; remove it")
    if len(text) > most:
        raise invalid(field, f"has {len(text)} characters; use at most {most}")
    return text


def check_day(field: str, day: date | None) -> date | None:
    """Errors: FieldInvalid outside 1900 to 2199."""
    if day is not None and not FIRST_DAY <= day <= LAST_DAY:
        raise invalid(field, f"is {day.isoformat()}; use a day from {FIRST_DAY.year} to {LAST_DAY.year}")
    return day


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def check_zone(field: str, zone: str) -> str:
    """Errors: FieldInvalid for what is no IANA zone."""
    if zone not in _zones():
        raise invalid(field, f"{zone[:60]!r} is no time zone; use one such as Europe/Moscow")
    return zone


def check_due(due: Due, kind: str, field: str = "activity") -> Due:
    """Errors: FieldInvalid for a time and a day at once, an end that does not fit, and what is outside 1900 to 2199."""
    if due.time is not None and due.day is not None:
        raise invalid(f"{field}.due_date", "is given beside due_time; give one of them")
    check_day(f"{field}.due_time", due.time.date() if due.time else None)
    check_day(f"{field}.due_date", due.day)
    if due.end is not None:
        if kind == TASK or due.time is None:
            raise invalid(f"{field}.end_time", "is given; only a call or a meeting with a time has an end")
        if not timedelta(0) < due.end - due.time <= MOST_LENGTH:
            raise invalid(f"{field}.end_time", f"is not within {MOST_LENGTH.days} days after the start")
    return due


def check_repetition(repetition: Repetition | None, due: Due, field: str = "activity.repetition") -> Repetition | None:
    """Errors: FieldInvalid for a repetition of nothing, too often, too long, or over before it begins."""
    if repetition is None:
        return None
    if not due.is_set:
        raise invalid(field, "is given without a time; say when it is due first")
    if not 1 <= repetition.every <= MOST_EVERY:
        raise invalid(f"{field}.every", f"is {repetition.every}; use 1 to {MOST_EVERY}")
    if not 0 <= repetition.count <= MOST_COUNT:
        raise invalid(f"{field}.count", f"is {repetition.count}; use 1 to {MOST_COUNT}, or 0 for no end")
    if repetition.until is not None:
        if repetition.count:
            raise invalid(f"{field}.count", "is given beside until_date; give one of them")
        check_day(f"{field}.until_date", repetition.until)
        if repetition.until < local_start(due).date():
            raise invalid(f"{field}.until_date", f"is {repetition.until}, before the activity itself")
    return repetition


def local_start(due: Due) -> datetime:
    """The wall clock of a start in its zone, naive; midnight for a whole day. Needs a due that is set."""
    if due.day is not None:
        return datetime.combine(due.day, time())
    assert due.time is not None
    return due.time.astimezone(ZoneInfo(due.zone)).replace(tzinfo=None, fold=0)


def moment_of(local: datetime, zone: str) -> datetime:
    """The moment of a wall clock in a zone.

    A clock reading that is skipped in spring counts as if the clocks had not moved yet; of two equal ones in autumn the
    first is meant. Source: RFC 5545 section 3.3.5.
    """
    return local.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)


def start_of(due: Due) -> datetime:
    """The moment at which it begins; NEVER without a time."""
    if due.time is not None:
        return due.time
    return NEVER if due.day is None else moment_of(datetime.combine(due.day, time()), due.zone)


def stop_of(due: Due) -> datetime:
    """The moment from which it is overdue: its end, its time, the end of its day; NEVER without a time."""
    if due.day is not None:
        return moment_of(datetime.combine(due.day + timedelta(days=1), time()), due.zone)
    return due.end or due.time or NEVER


def tell_times(facts: Facts, now: datetime) -> tuple[datetime | None, datetime | None]:
    """When the reminder and the alert of an open activity are due; None for those that will not come.

    A reminder of what has begun already helps nobody. One whose moment has passed comes at once.
    """
    due = facts.due
    if not due.is_set:
        return None, None
    lapse = stop_of(due)
    base = moment_of(datetime.combine(due.day, DAY_BEGINS), due.zone) if due.day else start_of(due)
    if facts.reminder_minutes == NO_REMINDER or base <= now:
        return None, lapse
    return base - timedelta(minutes=facts.reminder_minutes), lapse


def due_at(repetition: Repetition, first: datetime, occurrence: int, like: Due) -> Due | None:
    """When an occurrence is due, as long and in the zone of `like`; None when the repetition is over by then.

    Shapes: `first` is the wall clock of occurrence 1; months count from it, so that a short month shortens itself only.
    """
    if repetition.count and occurrence > repetition.count:
        return None
    local = _step(first, repetition, occurrence - 1)
    if local is None or (repetition.until is not None and local.date() > repetition.until):
        return None
    if like.day is not None:
        return Due(None, local.date(), None, like.zone)
    assert like.time is not None
    begin = moment_of(local, like.zone)
    return Due(begin, None, begin + (like.end - like.time) if like.end else None, like.zone)


def _step(first: datetime, repetition: Repetition, steps: int) -> datetime | None:
    """The wall clock after so many steps; None past the last day that is kept."""
    many = repetition.every * steps
    if repetition.unit in (DAY, WEEK):
        days = many * (7 if repetition.unit == WEEK else 1)
        return first + timedelta(days=days) if days <= (LAST_DAY - first.date()).days else None
    months = first.year * 12 + first.month - 1 + many
    year, month = divmod(months, 12)
    if year > LAST_DAY.year:
        return None
    return first.replace(year=year, month=month + 1, day=min(first.day, calendar.monthrange(year, month + 1)[1]))


def later_occurrences(repetition: Repetition, series: Series, like: Due, after: datetime) -> Iterator[tuple[int, Due]]:
    """The occurrences after the present one that have not passed at `after`, in order, with their numbers."""
    number = max(series.occurrence + 1, _first_guess(repetition, series, like, after))
    while (due := due_at(repetition, series.first, number, like)) is not None:
        if stop_of(due) > after:
            yield number, due
        number += 1


def _first_guess(repetition: Repetition, series: Series, like: Due, after: datetime) -> int:
    """An occurrence not after the first one that is wanted, and near it, so that years are not counted one by one."""
    days = (after.astimezone(ZoneInfo(like.zone)).date() - series.first.date()).days - MOST_LENGTH.days - 1
    longest = {DAY: 1, WEEK: 7}.get(repetition.unit, 31)
    return days // (longest * repetition.every)


def holdings_of(changes: Sequence[Change]) -> list[Holding]:
    """Who had the move when, from a history oldest first; a closed activity is nobody's move."""
    found: list[Holding] = []
    for one in changes:
        side, user_id = (one.waiting_side, one.waiting_user_id) if one.state == OPEN else ("", "")
        last = found[-1] if found else None
        if last is not None and last.end is None:
            if (last.side, last.user_id) == (side, user_id):
                continue
            found[-1] = replace(last, end=one.change_time)
        if side:
            found.append(Holding(side, user_id, one.change_time, None))
    return found


def days_between(since: datetime, now: datetime, zone: str) -> int:
    """Whole calendar days of a zone from one moment to another, never less than 0."""
    here = ZoneInfo(zone)
    return max((now.astimezone(here).date() - since.astimezone(here).date()).days, 0)


def day_in(moment: datetime, zone: str) -> date:
    """The calendar day of a moment in a zone."""
    return moment.astimezone(ZoneInfo(zone)).date()


def bounds_of(start: date, end: date, zone: str) -> tuple[datetime, datetime]:
    """The moments at which the days [start, end) of a zone begin and end."""
    first, last = (moment_of(datetime.combine(day, time()), zone) for day in (start, end))
    return first, last
