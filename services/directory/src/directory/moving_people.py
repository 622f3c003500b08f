"""How people go from one unit to another on a day: their positions end there and begin here; seats go whole."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from chassis.ids import new_id
from directory.queries import day_in_unit
from directory.tables import position, seat, unit
from directory.users import tell_positions

KEPT = ("user_id", "title", "role", "end_date", "seat_id")


def positions_in(work: UnitOfWork, unit_id: str) -> Sequence[Any]:
    """The positions in a unit itself that have not ended, those of a later day included."""
    lasting = sa.or_(position.c.end_date.is_(None), position.c.end_date > day_in_unit(work.now))
    found = sa.select(position).join(unit, unit.c.id == position.c.unit_id).where(unit.c.id == unit_id, lasting)
    return work.execute(found.order_by(position.c.id)).all()


def holders_in(work: UnitOfWork, unit_id: str) -> set[str]:
    """The users who hold them."""
    return {row.user_id for row in positions_in(work, unit_id)}


def move_positions(
    work: UnitOfWork, unit_id: str, into_id: str, day: date, user_ids: Collection[str] | None = None
) -> None:
    """End the positions in a unit on a day and begin them in another one; of these users, or of everybody for None.

    What was before the day stays where it was; a position that begins later begins in the other unit.
    """
    held = [row for row in positions_in(work, unit_id) if user_ids is None or row.user_id in user_ids]
    begun = [row for row in held if row.start_date is None or row.start_date < day]
    later = [row.id for row in held if row.start_date is not None and row.start_date >= day]
    following = {row.id: new_id() for row in begun}
    work.execute(sa.update(position).where(position.c.id.in_(later)).values(unit_id=into_id))
    work.execute(sa.update(position).where(position.c.id.in_(list(following))).values(end_date=day))
    if begun:
        work.execute(sa.insert(position), [_follow(row, following, into_id, day) for row in begun])
    tell_positions(work, sorted({row.user_id for row in held}))


def move_seats(work: UnitOfWork, unit_id: str, into_id: str) -> None:
    """The seats of a unit are from now on those of another one."""
    work.execute(sa.update(seat).where(seat.c.unit_id == unit_id, seat.c.end_date.is_(None)).values(unit_id=into_id))


def _follow(row: Any, following: dict[str, str], into_id: str, day: date) -> dict[str, Any]:
    """The position that goes on in the other unit; who stands in for somebody goes on doing so."""
    return {
        **{name: getattr(row, name) for name in KEPT},
        "id": following[row.id],
        "unit_id": into_id,
        "start_date": day,
        "substitutes_id": following.get(row.substitutes_id, row.substitutes_id),
    }
