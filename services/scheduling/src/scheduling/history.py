"""The history of an activity: what was done with it, and who had the move for how long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from scheduling.queries import get_activity, names_of
from scheduling.records import Change, Holding
from scheduling.rules import holdings_of
from scheduling.tables import activity_change

MAX_HOLDINGS = 500
MAX_LOOKED_AT = 5_000  # entries from which the holdings are told


def list_history(
    work: UnitOfWork, activity_id: str, size: int, after: int
) -> tuple[list[tuple[int, Change]], dict[str, str]]:
    """Up to `size` entries after a version, oldest first, each with its version; and the names of users in them.

    Errors: ActivityNotFound.
    """
    get_activity(work, activity_id)
    rows = _read(work, activity_id, size, after)
    found = [(row.version, _change_of(row)) for row in rows]
    return found, names_of(work, _users_of([one for _, one in found]))


def list_holdings(work: UnitOfWork, activity_id: str) -> tuple[list[Holding], dict[str, str]]:
    """Who had the move when, oldest first, and the names of those users."""
    found = holdings_of([_change_of(row) for row in _read(work, activity_id, MAX_LOOKED_AT, 0)])[:MAX_HOLDINGS]
    return found, names_of(work, {one.user_id for one in found})


def _read(work: UnitOfWork, activity_id: str, size: int, after: int) -> Sequence[Any]:
    mine = sa.and_(activity_change.c.activity_id == activity_id, activity_change.c.version > after)
    return work.execute(sa.select(activity_change).where(mine).order_by(activity_change.c.version).limit(size)).all()


def _users_of(changes: Sequence[Change]) -> set[str]:
    return {one for entry in changes for one in (entry.user_id, entry.owner_id, entry.waiting_user_id)}


def _change_of(row: Any) -> Change:
    return Change(
        change_time=row.change_time,
        user_id=row.user_id,
        change=row.change,
        changed_fields=tuple(row.changed_fields),
        owner_id=row.owner_id,
        waiting_side=row.waiting_side,
        waiting_user_id=row.waiting_user_id or "",
        state=row.state,
        note=row.note,
        due_time=row.due_time,
    )
