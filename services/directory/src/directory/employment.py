"""Who is still in the organization: access is open, and the last day has not ended where the person works.

The last day is one of the calendar of the units of the positions held on it; whoever works in several is there
until it has ended in all of them.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

from directory.tables import position, unit, user


def is_gone(moment: datetime) -> sa.ColumnElement[bool]:
    """Whether a user of the statement's `user` table has left by an aware moment."""
    today = sa.cast(sa.func.timezone(unit.c.time_zone, sa.literal(moment, sa.DateTime(timezone=True))), sa.Date)
    held = position.alias("until_the_last_day")
    earliest = (
        sa.select(sa.func.min(today))
        .join_from(held, unit, unit.c.id == held.c.unit_id)
        .where(
            held.c.user_id == user.c.id,
            sa.or_(held.c.start_date.is_(None), held.c.start_date <= user.c.leave_date),
            sa.or_(held.c.end_date.is_(None), held.c.end_date > user.c.leave_date),
        )
        .correlate(user)
        .scalar_subquery()
    )
    nowhere = sa.literal(moment.astimezone(UTC).date(), sa.Date)
    ended = sa.and_(user.c.leave_date.is_not(None), user.c.leave_date < sa.func.coalesce(earliest, nowhere))
    return sa.or_(sa.not_(user.c.active), ended)
