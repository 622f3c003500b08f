"""How a batch of somebody else's events becomes rows: the newest state of each aggregate, one statement a table.

Duplicates, reordering and replay change nothing, since a row is only replaced by a greater (epoch, version).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON, insert

from chassis.database import UnitOfWork
from chassis.prepared import Prepared

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
    [told] = work.fetch(_upsert(table), {"document": orjson.dumps(rows, default=str).decode()})
    if told.inserted == len(rows):  # nearly always while much is made: their ids need not come back
        return {row["id"] for row in rows}, []
    replaced = told.replaced or []
    return {*replaced, *(told.new or [])}, replaced


@lru_cache(maxsize=256)
def _upsert(table: sa.Table) -> Prepared:
    # One JSON text is cheaper to write and to read than an array a column, and holds arrays too.
    document = sa.cast(sa.bindparam("document", type_=sa.Text), JSON())
    names = table.c.keys()
    given = sa.func.json_populate_recordset(sa.literal_column(f'NULL::"{table.name}"'), document)
    source = given.table_valued(*(sa.column(column.name, column.type) for column in table.c))
    statement = insert(table).from_select(names, sa.select(*(source.c[name] for name in names)))
    statement = statement.on_conflict_do_update(
        index_elements=["id"],
        set_={name: statement.excluded[name] for name in names if name != "id"},
        where=sa.tuple_(table.c.epoch, table.c.version)
        < sa.tuple_(statement.excluded.epoch, statement.excluded.version),
    )
    # xmax is 0 exactly in rows this statement inserted; an update leaves its own transaction there.
    written: Any = statement.returning(
        sa.cast(table.c.id, sa.Text).label("id"), sa.literal_column("xmax = 0").label("is_new")
    )
    found = written.cte("written")
    inserted = sa.func.count().filter(found.c.is_new)
    all_of_them = inserted == sa.func.json_array_length(document)
    return Prepared(
        sa.select(
            inserted.label("inserted"),
            sa.case((sa.not_(all_of_them), sa.func.array_agg(found.c.id).filter(found.c.is_new))).label("new"),
            sa.func.array_agg(found.c.id).filter(sa.not_(found.c.is_new)).label("replaced"),
        )
    )


def state_columns(epoch: int, version: int) -> Mapping[str, int]:
    """The two columns that say which state a row shows."""
    return {"epoch": epoch, "version": version}
