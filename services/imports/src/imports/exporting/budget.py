"""How many rows somebody may take away in a day without a second person who agrees."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from chassis.database import UnitOfWork
from imports.tables import export

DAY = timedelta(hours=24)
SLACK = 10  # percent by which a base may grow while somebody makes up their mind
_LOCK = sa.text("SELECT pg_advisory_xact_lock(hashtextextended('export budget ' || :user, 0))")


def rows_used(work: UnitOfWork, user_id: str) -> int:
    """The rows that the last 24 hours took from the budget; those that a second person agreed to do not count."""
    counted = sa.select(sa.func.coalesce(sa.func.sum(export.c.row_count), 0)).where(
        export.c.user_id == user_id, export.c.charged, export.c.create_time > work.now - DAY
    )
    return int(work.execute(counted).scalar_one())


def charge_rows(work: UnitOfWork, user_id: str, rows: int, budget: int) -> bool:
    """Whether so many rows are within the budget still; two exports of one person at once are looked at in turn."""
    work.execute(_LOCK, {"user": user_id})
    return rows_used(work, user_id) + rows <= budget


def rows_agreed(rows: int) -> int:
    """How many rows are let through once somebody agreed to so many."""
    return rows + rows * SLACK // 100
