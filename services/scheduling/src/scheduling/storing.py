"""Activities, their history and notifications into their tables, many at once, each table by one statement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.database import UnitOfWork
from chassis.ids import new_id
from scheduling.records import NEVER, Activity, Notification
from scheduling.rules import start_of, stop_of
from scheduling.tables import activity, activity_change, notification

_TOLD = ("id", "user_id", "kind", "activity_id", "note", "count", "create_time", "read_time")
_KEPT = ("id", "creator_id", "create_time")
_CHANGING = tuple(column.name for column in activity.c if column.name not in _KEPT)
_UPDATE = (
    sa.update(activity)
    .where(activity.c.id == sa.bindparam("of_id"))
    .values({name: sa.bindparam(f"of_{name}", type_=activity.c[name].type) for name in _CHANGING})
)
_INSERT = insert(activity)
_INSERT_NEXT = insert(activity).on_conflict_do_nothing(
    index_elements=["series_id", "occurrence"], index_where=activity.c.series_id.is_not(None)
)


def insert_activity(work: UnitOfWork, one: Activity) -> None:
    """Insert a new activity."""
    work.execute(_INSERT, _values(one))


def insert_next(work: UnitOfWork, one: Activity) -> bool:
    """Insert the next occurrence of a series; False when there is one with its number already."""
    return work.execute(_INSERT_NEXT, _values(one)).rowcount == 1


def update_activities(work: UnitOfWork, many: Sequence[Activity]) -> None:
    """Write changed activities, whose rows are locked."""
    rows = [{f"of_{name}": value for name, value in _values(one).items() if name not in _KEPT[1:]} for one in many]
    if rows:
        work.execute(_UPDATE, rows if len(rows) > 1 else rows[0])


def keep_history(
    work: UnitOfWork, many: Iterable[Activity], change: str, note: str = "", changed: Sequence[str] = ()
) -> None:
    """Add to each activity's history what was just done by the caller."""
    rows = [
        {
            "activity_id": one.id,
            "version": one.version,
            "change_time": work.now,
            "user_id": work.access.user_id,
            "change": change,
            "changed_fields": list(changed),
            "owner_id": one.facts.owner_id,
            "waiting_side": one.waiting.side,
            "waiting_user_id": one.waiting.user_id or None,
            "state": one.state,
            "note": note,
            "due_time": _moment(start_of(one.facts.due)),
        }
        for one in many
    ]
    if rows:
        work.execute(sa.insert(activity_change), rows if len(rows) > 1 else rows[0])


def notify(
    work: UnitOfWork, user_ids: Iterable[str], kind: str, one: Activity, note: str = "", count: int = 1
) -> list[Notification]:
    """The notifications of one activity for users, ready for `store_notifications`; nobody is told of own acts."""
    actor = work.access.user_id
    return [
        Notification(new_id(), user_id, kind, one.id, actor, note, count, work.now, None)
        for user_id in dict.fromkeys(user_ids)
        if user_id and user_id != actor
    ]


def store_notifications(work: UnitOfWork, many: Sequence[Notification]) -> None:
    """Insert notifications."""
    rows = [{name: getattr(one, name) for name in _TOLD} | {"actor_id": one.actor_id or None} for one in many]
    if rows:
        work.execute(sa.insert(notification), rows if len(rows) > 1 else rows[0])


def _moment(moment: datetime) -> datetime | None:
    return None if moment == NEVER else moment


def _values(one: Activity) -> dict[str, Any]:
    facts, due, rhythm, closing = one.facts, one.facts.due, one.facts.repetition, one.closing
    return {
        "id": one.id,
        "version": one.version,
        "revision": one.revision,
        "kind": facts.kind,
        "state": one.state,
        "subject": facts.subject,
        "description": facts.description,
        "unit_id": facts.unit_id,
        "owner_id": facts.owner_id,
        "participant_user_ids": list(facts.participant_user_ids),
        "participant_person_ids": list(facts.participant_person_ids),
        "due_time": due.time,
        "due_date": due.day,
        "end_time": due.end,
        "time_zone": due.zone,
        "start_time": start_of(due),
        "stop_time": stop_of(due),
        "person_id": facts.person_id or None,
        "organization_id": facts.organization_id or None,
        "deal_id": facts.deal_id or None,
        "priority": facts.priority,
        "reminder_minutes": facts.reminder_minutes,
        "repeat_every": rhythm.every if rhythm else None,
        "repeat_unit": rhythm.unit if rhythm else None,
        "repeat_until": rhythm.until if rhythm else None,
        "repeat_count": rhythm.count if rhythm else None,
        "series_id": one.series.id if one.series else None,
        "occurrence": one.series.occurrence if one.series else 1,
        "first_local": one.series.first if one.series else None,
        "waiting_side": one.waiting.side,
        "waiting_user_id": one.waiting.user_id or None,
        "waiting_note": one.waiting.note,
        "waiting_time": one.waiting.since,
        "outcome": closing.outcome if closing else "",
        "summary": closing.summary if closing else "",
        "close_time": closing.time if closing else None,
        "closer_id": (closing.user_id or None) if closing else None,
        "remind_time": one.remind_time,
        "lapse_time": one.lapse_time,
        "creator_id": one.creator_id or None,
        "create_time": one.create_time,
        "update_time": one.update_time,
    }
