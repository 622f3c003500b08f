"""What a user was told of: reminders, alerts, nudges and what others gave; each marked as read once seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from chassis.ids import is_id
from chassis.prepared import Prepared
from scheduling.errors import invalid
from scheduling.queries import get_activities
from scheduling.records import Activity, Notification
from scheduling.tables import notification, user

MAX_AT_ONCE = 500


def list_notifications(
    work: UnitOfWork, size: int, before: str, unread: bool
) -> tuple[list[Notification], dict[str, Activity]]:
    """Up to `size` of the caller's notifications older than `before`, newest first, with the visible activities."""
    terms = [_mine(work)]
    if before:
        terms.append(notification.c.id < before)
    if unread:
        terms.append(notification.c.read_time.is_(None))
    statement = (
        sa.select(notification, user.c.display_name)
        .select_from(notification.outerjoin(user, user.c.id == notification.c.actor_id))
        .where(*terms)
        .order_by(notification.c.id.desc())
        .limit(size)
    )
    found = [_notification_of(row) for row in work.execute(statement)]
    about = get_activities(work, {one.activity_id for one in found})
    return found, {one.id: one for one in about}


def mark_read(work: UnitOfWork, ids: Sequence[str]) -> int:
    """Mark notifications of the caller as read, all of them where none is named; how many are left unread.

    Errors: FieldInvalid for more than 500 and for what is no id; another user's are passed over.
    """
    if len(ids) > MAX_AT_ONCE:
        raise invalid("notification_ids", f"has {len(ids)} ids; give at most {MAX_AT_ONCE}")
    for number, one in enumerate(ids):
        if not is_id(one):
            raise invalid(f"notification_ids[{number}]", f"is {one[:60]!r}, which is no id")
    terms = [_mine(work), notification.c.read_time.is_(None)]
    if ids:
        terms.append(notification.c.id.in_(ids))
    work.execute(sa.update(notification).where(*terms).values(read_time=work.now))
    return count_unread(work)


def count_unread(work: UnitOfWork) -> int:
    """How many notifications the caller has not read."""
    user_id = work.access.user_id
    return int(work.fetch(_UNREAD, {"user_id": user_id})[0].unread) if is_id(user_id) else 0


_WHOSE = notification.c.user_id == sa.bindparam("user_id", type_=notification.c.user_id.type)
_UNREAD = Prepared(sa.select(sa.func.count().label("unread")).where(_WHOSE, notification.c.read_time.is_(None)))


def _mine(work: UnitOfWork) -> sa.ColumnElement[bool]:
    user_id = work.access.user_id
    return notification.c.user_id == user_id if is_id(user_id) else sa.false()


def _notification_of(row: Any) -> Notification:
    return Notification(
        id=row.id,
        user_id=row.user_id,
        kind=row.kind,
        activity_id=row.activity_id,
        actor_id=row.actor_id or "",
        note=row.note,
        count=row._mapping["count"],
        create_time=row.create_time,
        read_time=row.read_time,
        actor_name=row.display_name or "",
    )
