"""How a batch of events becomes rows: the newest state of each aggregate, one statement a table, old news refused.

Duplicates, reordering and replay change nothing, since a row is only replaced by a greater (epoch, version).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert

from chassis.database import UnitOfWork

Row = dict[str, Any]


class Delivered(Protocol):
    """What a handler needs to know of a delivered event."""

    @property
    def message(self) -> Any: ...
    @property
    def epoch(self) -> int: ...
    @property
    def version(self) -> int: ...


def newest_states(deliveries: Iterable[Delivered], part: str) -> list[tuple[Any, int, int]]:
    """The newest state of each aggregate with its epoch and version, sorted by id so that locks never cross.

    `part` is the field of the messages that holds the state.
    """
    found: dict[str, tuple[Any, int, int]] = {}
    for delivery in deliveries:
        state = getattr(delivery.message, part)
        known = found.get(state.id)
        if known is None or known[1:] < (delivery.epoch, delivery.version):
            found[state.id] = (state, delivery.epoch, delivery.version)
    return [found[key] for key in sorted(found)]


def upsert_newer(work: UnitOfWork, table: sa.Table, rows: Sequence[Row]) -> tuple[set[str], list[str]]:
    """Write rows that are new or newer than what stands, in one statement.

    Shapes: one row an id, each with every column of `table`. Answers the ids written, and those that replaced a row.
    """
    if not rows:
        return set(), []
    columns = list(table.c)
    arrays = [
        sa.bindparam(None, [row[column.name] for row in rows], type_=ARRAY(_element_type(column))) for column in columns
    ]
    given = sa.func.unnest(*arrays).table_valued(*(column.name for column in columns)).render_derived(name="given")
    values = sa.select(*(sa.cast(given.c[column.name], column.type) for column in columns))
    statement = insert(table).from_select([column.name for column in columns], values)
    statement = statement.on_conflict_do_update(
        index_elements=["id"],
        set_={column.name: statement.excluded[column.name] for column in columns if column.name != "id"},
        where=sa.tuple_(table.c.epoch, table.c.version)
        < sa.tuple_(statement.excluded.epoch, statement.excluded.version),
    )
    # xmax is 0 exactly in rows this statement inserted; an update leaves its own transaction there.
    written = work.execute(statement.returning(table.c.id, sa.literal_column("xmax = 0").label("is_new"))).all()
    return {row.id for row in written}, [row.id for row in written if not row.is_new]


def replace_children(
    work: UnitOfWork, table: sa.Table, parent: str, replaced: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Give written aggregates their child rows: those of the replaced ones go first. Rows are in column order."""
    if replaced:
        gone = sa.bindparam(None, list(replaced), type_=ARRAY(table.c[parent].type))
        work.execute(sa.delete(table).where(table.c[parent] == sa.func.any(gone)))
    work.copy_rows(table, table.c.keys(), rows)


def state_columns(epoch: int, version: int) -> Mapping[str, int]:
    """The two columns that say which state a row shows."""
    return {"epoch": epoch, "version": version}


def day_of(text: str) -> date | None:
    """An ISO 8601 day of an event, None where it is empty."""
    return date.fromisoformat(text) if text else None


def number_of(text: str) -> Decimal | None:
    """A decimal text of an event, None where it is empty."""
    return Decimal(text) if text else None


def array_text(ids: Iterable[str]) -> str:
    """Ids as PostgreSQL writes an array."""
    return "{" + ",".join(ids) + "}"


def _element_type(column: sa.Column[Any]) -> Any:
    return sa.Text() if isinstance(column.type, ARRAY) else column.type
