"""Tables that hold nothing but what events told: how they are forgotten before all is told anew, and their digest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork

# A digest reads and sorts every row once: minutes where there are millions and the machine is busy.
WHOLE_TABLE_MS = 300_000
_ROWS_AT_ONCE = 5_000


def _nothing(_work: UnitOfWork) -> None:
    """What is done after the telling where nothing is left to do."""


@dataclass(frozen=True)
class Copies:
    """A consumer's copies of what others own: `forget` is done before everything is told anew, `sweep` after it."""

    tables: tuple[sa.Table, ...]
    forget: Callable[[UnitOfWork], None]
    sweep: Callable[[UnitOfWork], None] = _nothing


def copies_in_place(*tables: sa.Table) -> Copies:
    """Copies that stay readable while they are made anew: marked old first; what nobody told of is deleted last.

    A table without the columns of a state, `epoch` and `version`, is only added to.
    """
    marked = [table for table in tables if "epoch" in table.c]

    def forget(work: UnitOfWork) -> None:
        _allow_whole_tables(work)
        for table in marked:
            work.execute(sa.update(table).values(epoch=0, version=0))

    def sweep(work: UnitOfWork) -> None:
        _allow_whole_tables(work)
        for table in marked:
            work.execute(sa.delete(table).where(table.c.epoch == 0))

    return Copies(tables, forget, sweep)


def count_rows(work: UnitOfWork, tables: Sequence[sa.Table]) -> dict[str, int]:
    """How many rows each table has, in one statement."""
    counts = [sa.select(sa.func.count()).select_from(table).scalar_subquery().label(table.name) for table in tables]
    return dict(work.execute(sa.select(*counts)).one()._mapping)


def digest_of(work: UnitOfWork, tables: Sequence[sa.Table]) -> str:
    """SHA-256 over tables, hexadecimal: the same for the same rows, in whatever order they came.

    Rows are taken in the order of their keys and written as PostgreSQL writes them. Of a table without a key, sums that
    came to nothing are passed over.
    """
    _allow_whole_tables(work)
    sum_of_all = hashlib.sha256()
    for table in tables:
        sum_of_all.update(f"{table.name}\n".encode())
        result = work.connection.execution_options(stream_results=True, yield_per=_ROWS_AT_ONCE).execute(_hashes(table))
        for (row_hash,) in result:
            sum_of_all.update(row_hash)
    return sum_of_all.hexdigest()


def _hashes(table: sa.Table) -> sa.Select[Any]:
    """The hash of each row, in the order of its key."""
    row = sa.func.row(*table.c)
    key: list[Any] = list(table.primary_key.columns)
    statement = sa.select(sa.func.sha256(sa.func.convert_to(sa.cast(row, sa.Text), "UTF8")))
    if not key:
        key = [sa.cast(row, sa.Text).collate("C")]
        measures = [column for column in table.c if isinstance(column.type, sa.Numeric | sa.BigInteger)]
        statement = statement.where(sa.or_(*(column != 0 for column in measures)))
    return statement.order_by(*key)


def _allow_whole_tables(work: UnitOfWork) -> None:
    work.execute(sa.text(f"SET LOCAL statement_timeout = {WHOLE_TABLE_MS}"))
