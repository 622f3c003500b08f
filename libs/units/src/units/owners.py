"""Who was responsible for a record from when on, and what a call to hand over many of a user's records asks for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID

from chassis.database import UnitOfWork
from chassis.errors import FieldInvalid, FieldViolation
from chassis.ids import is_id
from units.visibility import get_unit

MOST_AT_ONCE = 500
MOST_NOTE = 300
MOST_SHOWN = 200

metadata = sa.MetaData()

# One row a change, never changed afterwards; who was first is in the oldest row's from_id.
owner_change = sa.Table(
    "owner_change",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("record_id", UUID(as_uuid=False), nullable=False),
    sa.Column("from_id", sa.Text, nullable=False),
    sa.Column("to_id", sa.Text, nullable=False),
    sa.Column("change_time", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("changer_id", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Index("owner_change_record", "record_id", "id"),
)


@dataclass(frozen=True, slots=True)
class OwnerChange:
    """From whom to whom a record went ("" nobody), when, by whom ("" a service), and why."""

    from_id: str
    to_id: str
    change_time: datetime
    changer_id: str
    note: str


class HandOverRequest(Protocol):
    """The fields that every service's call to hand over has."""

    @property
    def from_owner_id(self) -> str: ...
    @property
    def to_owner_id(self) -> str: ...
    @property
    def unit_id(self) -> str: ...
    @property
    def note(self) -> str: ...
    @property
    def most(self) -> int: ...
    @property
    def dry_run(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class HandOver:
    """Whose records go to whom: those of the units at or below `path`, or all for None; at most `most` in one call.

    `from_id` is empty where everybody's records of a unit are counted.
    """

    from_id: str
    to_id: str
    path: str | None
    note: str
    most: int


def read_hand_over(work: UnitOfWork, request: HandOverRequest) -> HandOver:
    """What is asked for. Errors: FieldInvalid, UnitNotKnown."""
    everybody = not request.from_owner_id and request.dry_run and request.unit_id
    if not is_id(request.from_owner_id) and not everybody:
        raise _invalid("from_owner_id", "is not an id; say whose records are handed over")
    if not is_id(request.to_owner_id) and not request.dry_run:
        raise _invalid("to_owner_id", "is not an id; say who is responsible from now on")
    if request.from_owner_id == request.to_owner_id and not everybody:
        raise _invalid("to_owner_id", "is who hands over; name a colleague")
    if len(request.note) > MOST_NOTE or "\0" in request.note:
        raise _invalid("note", f"has more than {MOST_NOTE} characters, or one that cannot be kept")
    if not 0 <= request.most <= MOST_AT_ONCE:
        raise _invalid("most", f"is {request.most}; give 1 to {MOST_AT_ONCE}, or 0 for that")
    path = get_unit(work, request.unit_id).path if request.unit_id else None
    return HandOver(
        request.from_owner_id, request.to_owner_id, path, request.note.strip(), request.most or MOST_AT_ONCE
    )


def keep_owner_changes(work: UnitOfWork, changes: Iterable[tuple[str, str, str]], note: str = "") -> None:
    """Keep that records went from one user to another; `changes` are record, from and to."""
    rows = [
        {
            "record_id": record, "from_id": before, "to_id": after, "change_time": work.now,
            "changer_id": work.access.user_id, "note": note,
        }
        for record, before, after in changes
        if before != after
    ]  # fmt: skip
    if rows:
        work.execute(sa.insert(owner_change), rows)


def list_owner_changes(work: UnitOfWork, *record_ids: str) -> list[OwnerChange]:
    """The newest changes of these records first, at most 200. The caller has seen to it that they may be read."""
    c = owner_change.c
    found = sa.select(owner_change).where(c.record_id.in_(record_ids)).order_by(c.id.desc()).limit(MOST_SHOWN)
    rows = work.execute(found)
    return [OwnerChange(row.from_id, row.to_id, row.change_time, row.changer_id, row.note) for row in rows]


def count_by_unit(work: UnitOfWork, unit: sa.Column[str], *wanted: sa.ColumnElement[bool]) -> dict[str, int]:
    """How many of the wanted records each unit has; `unit` is the column that names it."""
    found = sa.select(unit.label("unit_id"), sa.func.count().label("records")).where(*wanted).group_by(unit)
    return {row.unit_id: row.records for row in work.execute(found)}


def _invalid(field: str, says: str) -> FieldInvalid:
    return FieldInvalid(FieldViolation(field, says))
