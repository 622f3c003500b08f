"""The rows of exports: how far each is, and what is kept of it. Calls nobody, so that every door may use it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from imports.tables import export, export_page, export_piece

QUEUED, READING, ASKED, WRITING, READY = "queued", "reading", "asked", "writing", "ready"
DECLINED, FAILED, CANCELLED, EXPIRED = "declined", "failed", "cancelled", "expired"
ENDED = frozenset({DECLINED, FAILED, CANCELLED, EXPIRED})
Row = sa.Row[Any]


def fail_export(work: UnitOfWork, export_id: str, message: str) -> None:
    """Record that an export could not go on or was stopped, and keep nothing of what was read."""
    forget_content(work, export_id)
    change_export(work, export_id, state=FAILED, end_time=work.now, message=message)


def change_export(work: UnitOfWork, export_id: str, **values: Any) -> Row:
    """Change an export."""
    changed = sa.update(export).where(export.c.id == export_id).values(version=export.c.version + 1, **values)
    return work.execute(changed.returning(export)).one()


def forget_content(work: UnitOfWork, export_id: str) -> None:
    """Delete the rows and the file of an export."""
    for table in (export_page, export_piece):
        work.execute(sa.delete(table).where(table.c.export_id == export_id))


def forget_expired(work: UnitOfWork) -> int:
    """Delete the files whose time is over; answers how many."""
    over = sa.and_(export.c.state == READY, export.c.expire_time < work.now)
    gone = list(
        work.execute(
            sa.update(export)
            .where(over)
            .values(version=export.c.version + 1, state=EXPIRED, message="the file is deleted, its time being over")
            .returning(export.c.id)
        ).scalars()
    )
    work.execute(sa.delete(export_piece).where(export_piece.c.export_id.in_(gone)))
    return len(gone)
