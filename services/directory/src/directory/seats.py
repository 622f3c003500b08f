"""Seats: places in a unit apart from the people who hold them for a time, several at once where the work is shared.

What a leaver was responsible for stays with the seat: it counts as the own records of who holds the seat now, without
a record being written, until somebody hands it over.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from chassis.audit.entries import ACT, write_entry
from chassis.database import UnitOfWork
from chassis.ids import is_id, new_id
from directory import rules
from directory.employment import is_gone
from directory.errors import SeatNotFound
from directory.roles import require_right_to_give
from directory.tables import position, seat, unit, user
from directory.units import find_unit
from directory.visibility import below, visible_units


@dataclass(frozen=True)
class NewSeat:
    """A seat as asked for; without an id a new one."""

    id: str
    unit_id: str
    title: str
    role: str
    end_date: date | None = None


def set_seat(work: UnitOfWork, new: NewSeat) -> Any:
    """Make a seat, or change the title and the last day of a known one; unit and role as long as nobody ever held it.

    Errors: SeatNotFound, UnitNotFound, FieldInvalid, NotPermitted.
    """
    known = find_seat(work, new.id) if new.id else None
    home = find_unit(work, new.unit_id)
    require_right_to_give(work, new.role, home.path, "seat")
    title = rules.check_text("seat.title", new.title, rules.MAX_NAME, required=True)
    values = {"unit_id": home.id, "title": title, "role": new.role, "end_date": new.end_date}
    if known is None:
        row = work.execute(sa.insert(seat).values(id=new_id(), create_time=work.now, **values).returning(seat)).one()
    else:
        require_right_to_give(work, known.role, find_unit(work, known.unit_id).path, "seat")
        if (known.unit_id, known.role) != (home.id, new.role) and _was_held(work, known.id):
            raise rules.invalid(
                "seat.unit_id", "and role stay as they are once somebody held the seat; make another seat"
            )
        row = work.execute(sa.update(seat).where(seat.c.id == known.id).values(values).returning(seat)).one()
    write_entry(work, ACT, "directory/SetSeat", "seat", [row.id, home.id], reason=f"{title} {new.role}")
    return row


def find_seat(work: UnitOfWork, seat_id: str) -> Any:
    """The row of a seat in a unit the caller sees. Errors: SeatNotFound."""
    mine = (
        sa.select(seat).join(unit, unit.c.id == seat.c.unit_id).where(seat.c.id == seat_id, visible_units(work.access))
    )
    row = work.execute(mine).one_or_none() if is_id(seat_id) else None
    if row is None:
        raise SeatNotFound(seat_id)
    return row


def list_seats(work: UnitOfWork, inside: str | None, after: str, limit: int) -> Sequence[Any]:
    """The seats of visible units, oldest first, beyond the one named `after`; only below `inside` where given."""
    found = sa.select(seat).join(unit, unit.c.id == seat.c.unit_id).where(visible_units(work.access))
    if inside is not None:
        found = found.where(below(inside))
    if after:
        found = found.where(seat.c.id > after)
    return work.execute(found.order_by(seat.c.id).limit(limit)).all()


def holders_of(work: UnitOfWork, seat_ids: Sequence[str]) -> dict[str, list[Any]]:
    """The positions that hold or held seats, oldest first."""
    held = sa.select(position).where(position.c.seat_id.in_(seat_ids))
    found: dict[str, list[Any]] = {one: [] for one in seat_ids}
    for row in work.execute(held.order_by(sa.nulls_first(position.c.start_date), position.c.id)):
        found[row.seat_id].append(row)
    return found


def leavers_of(work: UnitOfWork, seat_ids: Collection[str], user_id: str) -> tuple[str, ...]:
    """The users who held these seats and are no longer in the organization: what was theirs is the holder's."""
    if not seat_ids:
        return ()
    found = (
        sa.select(position.c.user_id)
        .distinct()
        .join(user, user.c.id == position.c.user_id)
        .where(position.c.seat_id.in_(sorted(seat_ids)), position.c.user_id != user_id, is_gone(work.now))
    )
    return tuple(sorted(work.execute(found).scalars()))


def _was_held(work: UnitOfWork, seat_id: str) -> bool:
    return work.execute(sa.select(position.c.id).where(position.c.seat_id == seat_id).limit(1)).first() is not None
