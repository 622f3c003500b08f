"""Telling users of what is due: one reminder before and one alert after, each exactly once.

An activity keeps the moments at which each is due, and loses them in the transaction that tells: whoever is killed in
it has told nothing, and a clock set back finds nothing left to tell. Rows that another process or a user holds are left
for the next look.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from chassis.database import Database, UnitOfWork
from scheduling.events import tell_lapsed, tell_reminded
from scheduling.queries import activity_of, paths_of
from scheduling.records import OVERDUE, REMINDER, USER, Activity
from scheduling.storing import notify, store_notifications
from scheduling.tables import activity

MAX_AT_ONCE = 500  # rows of one transaction


@dataclass(frozen=True)
class _Telling:
    """One of the two: the column of its moment, the kind of its notification, who is told, and how all others are."""

    moment: sa.Column[object]
    kind: str
    users_of: Callable[[Activity], list[str]]
    tell: Callable[[UnitOfWork, Activity, str, Sequence[str]], None]


def _reminded(one: Activity) -> list[str]:
    return list(dict.fromkeys((one.facts.owner_id, *one.facts.participant_user_ids)))


def _alerted(one: Activity) -> list[str]:
    waited = [one.waiting.user_id] if one.waiting.side == USER else []
    return list(dict.fromkeys((one.facts.owner_id, *waited)))


TELLINGS = (
    _Telling(activity.c.remind_time, REMINDER, _reminded, tell_reminded),
    _Telling(activity.c.lapse_time, OVERDUE, _alerted, tell_lapsed),
)


def remind_due(database: Database) -> int:
    """Tell everything that is due by now; how many reminders and alerts that were."""
    told = 0
    for telling in TELLINGS:
        while True:
            with database.transaction() as work:
                count = _tell_some(work, telling)
            told += count
            if count < MAX_AT_ONCE:
                break
    return told


def _tell_some(work: UnitOfWork, telling: _Telling) -> int:
    found = _claim(work, telling)
    if not found:
        return 0
    paths = paths_of(work, {one.facts.unit_id for one in found})
    told = [(one, telling.users_of(one)) for one in found]
    store_notifications(work, [each for one, users in told for each in notify(work, users, telling.kind, one)])
    for one, users in told:
        telling.tell(work, one, paths[one.facts.unit_id], users)
    return len(found)


def _claim(work: UnitOfWork, telling: _Telling) -> list[Activity]:
    """Take the oldest moments that have come, and take them away: one statement. Closed activities have none."""
    due = (
        sa.select(activity.c.id)
        .where(telling.moment <= work.now)
        .order_by(telling.moment)
        .limit(MAX_AT_ONCE)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    taken = {telling.moment.name: None, "version": activity.c.version + 1}
    claim = sa.update(activity).where(activity.c.id == due.c.id).values(taken).returning(activity)
    return [activity_of(row) for row in work.execute(claim)]
