"""How much is planned for whom on which day, against the time they work by week, holidays and absences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from scheduling.absences import list_absences
from scheduling.calendars import MAX_ENTRIES, Entry, Range, foresee, range_of, read_entries
from scheduling.composing import compose_ids
from scheduling.errors import invalid
from scheduling.queries import seen_by
from scheduling.records import DONE, TASK
from scheduling.rules import start_of
from scheduling.tables import IDS, activity, user
from scheduling.today import zone_of_caller
from scheduling.working_rules import USUAL, days_of, minutes_of, minutes_on, nearest
from scheduling.working_weeks import read_holidays, read_weeks
from units.records import ACTIVITY
from units.tables import unit
from units.visibility import get_unit, unit_ids_below, visible

MAX_DAYS = 21  # three weeks: nobody plans the hours of a day further ahead
MAX_USERS = 100


@dataclass(frozen=True)
class Person:
    """Somebody whose days are weighed."""

    user_id: str
    name: str
    unit_id: str
    unit_path: str


@dataclass(frozen=True)
class Item:
    """An activity in the day of a person, with the minutes it takes of it."""

    entry: Entry
    minutes: int


@dataclass(frozen=True)
class LoadOfDay:
    """A day of a person: minutes worked and planned, with what is planned by time."""

    day: date
    capacity: int
    away: bool
    holiday: str
    items: list[Item]

    @property
    def planned(self) -> int:
        """Minutes planned."""
        return sum(one.minutes for one in self.items)


@dataclass(frozen=True)
class Load:
    """The days of a person."""

    person: Person
    days: list[LoadOfDay]

    @property
    def capacity(self) -> int:
        """Minutes worked in all."""
        return sum(one.capacity for one in self.days)

    @property
    def planned(self) -> int:
        """Minutes planned in all."""
        return sum(one.planned for one in self.days)


@dataclass(frozen=True)
class Workload:
    """The loads of people; `truncated` when there was more planned than could be counted."""

    loads: list[Load]
    truncated: bool


def find_people(
    work: UnitOfWork, unit_id: str, user_ids: Sequence[str], size: int, after: Sequence[Any] | None = None
) -> list[Person]:
    """Those who work in a unit or below it and whose activities the caller may see, by name, after [name, id].

    Without a unit and users they are those of the caller's unit. Errors: FieldInvalid, UnitNotKnown.
    """
    if len(user_ids) > MAX_USERS:
        raise invalid("user_ids", f"has {len(user_ids)} ids; ask for at most {MAX_USERS}")
    users = compose_ids("user_ids", user_ids)
    terms = [user.c.active, visible(work.access, ACTIVITY, user.c.unit_id, user.c.id)]
    if users:
        terms.append(user.c.id.in_(users))
    where = unit_id or ("" if users else work.access.unit_id)
    if where:
        terms.append(user.c.unit_id.in_(unit_ids_below(get_unit(work, where).path)))
    if after:
        terms.append(sa.tuple_(user.c.display_name, user.c.id) > sa.tuple_(*_key_of(after)))
    found = sa.select(user.c.id, user.c.display_name, user.c.unit_id, unit.c.path).join(
        unit, unit.c.id == user.c.unit_id
    )
    rows = work.execute(found.where(*terms).order_by(user.c.display_name, user.c.id).limit(size))
    return [Person(row.id, row.display_name, row.unit_id, row.path) for row in rows]


def weigh_days(
    work: UnitOfWork, people: Sequence[Person], days: tuple[date | None, date | None], zone: str
) -> Workload:
    """What is planned for people on the days asked for, as far as the caller may see it. Errors: FieldInvalid."""
    zone = zone_of_caller(work, zone)
    span = range_of(days, zone, MAX_DAYS)
    ids = [one.user_id for one in people]
    entries, cut = _read_entries(work, ids, span) if ids else ([], False)
    planned = _sort_by_day(entries, frozenset(ids), zone)
    away = _days_away(work, ids, span)
    weeks, holidays = read_weeks(work), read_holidays(work, span.start, span.end)
    each = [span.start + timedelta(days=number) for number in range((span.end - span.start).days)]

    def weigh(person: Person, day: date) -> LoadOfDay:
        holiday = nearest(person.unit_path, holidays.get(day, {}))
        off = (person.user_id, day) in away
        usual = minutes_on(day, nearest(person.unit_path, weeks) or USUAL, holiday)
        items = [
            Item(one, minutes_of(one.activity.facts.kind, one.activity.facts.due, day, zone, usual))
            for one in planned.get((person.user_id, day), ())
        ]
        name = holiday.name if holiday is not None and not holiday.works else ""
        return LoadOfDay(day, 0 if off else usual, off, name, items)

    return Workload([Load(one, [weigh(one, day) for day in each]) for one in people], cut)


def _key_of(after: Sequence[Any]) -> tuple[sa.ColumnElement[Any], ...]:
    return sa.literal(str(after[0])), sa.literal(str(after[1]), user.c.id.type)


def _read_entries(work: UnitOfWork, ids: Sequence[str], span: Range) -> tuple[list[Entry], bool]:
    """What takes time in the range, by time, and whether there was more; a task that is done takes none any more."""
    guest = activity.c.participant_user_ids.overlap(sa.cast(list(ids), IDS))
    terms = [seen_by(work), sa.or_(activity.c.owner_id.in_(ids), guest)]
    real = read_entries(work, [*terms, sa.or_(activity.c.state != DONE, activity.c.kind != TASK)], span, with_done=True)
    virtual, cut = foresee(work, terms, span)
    ordered = sorted(
        [*real[:MAX_ENTRIES], *virtual], key=lambda one: (start_of(one.activity.facts.due), one.activity.id)
    )
    return ordered, cut or len(real) > MAX_ENTRIES


def _sort_by_day(entries: Sequence[Entry], ids: Collection[str], zone: str) -> dict[tuple[str, date], list[Entry]]:
    """The entries of each person and day: of the owner and of everybody who takes part."""
    found: dict[tuple[str, date], list[Entry]] = defaultdict(list)
    for entry in entries:
        facts = entry.activity.facts
        those = ({facts.owner_id, *facts.participant_user_ids}) & set(ids)
        for day in days_of(facts.due, zone):
            for one in those:
                found[one, day].append(entry)
    return found


def _days_away(work: UnitOfWork, ids: Sequence[str], span: Range) -> set[tuple[str, date]]:
    if not ids:
        return set()
    return {
        (one.user_id, one.start_date + timedelta(days=number))
        for one in list_absences(work, span.start, span.end, ids, "", MAX_ENTRIES)
        for number in range((one.end_date - one.start_date).days)
    }
