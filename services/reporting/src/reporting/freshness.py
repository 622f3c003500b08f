"""How far the read models are, how many records they hold, and their digest, the same for the same events."""

from __future__ import annotations

import hashlib
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from chassis.schema import consumer_mark
from reporting.settings import CONSUMER
from reporting.tables import READ_MODELS, ROLLUPS
from units.tables import unit

# A digest reads and sorts every row once: minutes where there are millions and the machine is busy.
DIGEST_MILLISECONDS = 300_000
_ROWS_AT_ONCE = 5_000


def read_positions(work: UnitOfWork) -> dict[str, int]:
    """The newest position handled, by source."""
    mark = consumer_mark.c
    found = work.execute(
        sa.select(mark.source, sa.func.max(mark.position).label("position"))
        .where(mark.consumer == CONSUMER)
        .group_by(mark.source)
    )
    return {row.source: row.position for row in found}


def count_records(work: UnitOfWork) -> dict[str, int]:
    """How many rows each read model has, in one statement."""
    tables = (unit, *READ_MODELS)
    counts = [sa.select(sa.func.count()).select_from(table).scalar_subquery().label(table.name) for table in tables]
    return dict(work.execute(sa.select(*counts)).one()._mapping)


def digest(work: UnitOfWork) -> str:
    """SHA-256 over all read models and rollups, hexadecimal.

    Rows are taken in the order of their keys and written as PostgreSQL writes them, so arrival order, duplicates and
    replay do not show. Emptied keys of rollups are passed over. Exchange rates are no part of it: no event brings them.
    """
    work.execute(sa.text(f"SET LOCAL statement_timeout = {DIGEST_MILLISECONDS}"))
    sum_of_all = hashlib.sha256()
    for table in (unit, *READ_MODELS, *ROLLUPS):
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
