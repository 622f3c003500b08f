"""Staged rows in batches whose bounds never change, so that a batch repeated after a crash is the same batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import sqlalchemy as sa

from chassis.database import Database
from imports.tables import run_row


class StagedRow(NamedTuple):
    """One staged row that may be loaded."""

    place: int
    sheet: str
    row: int
    record: dict[str, Any]
    record_key: str


@dataclass(frozen=True)
class Batch:
    """Whole records in file order: `records[i]` are the rows of one record. `last` is the place to go on after.

    `after` is the `last` of the batch before, 0 for the first one.
    """

    records: list[list[StagedRow]]
    last: int
    after: int = 0
    request: Any = None  # the call that hands it over, where it was made ahead

    @property
    def rows(self) -> int:
        """How many rows it holds."""
        return sum(len(rows) for rows in self.records)


def read_batches(database: Database, run_id: str, after: int, size: int) -> Iterator[Batch]:
    """Batches of at most `size` records, from the record after place `after` on; refused rows are left out."""
    while True:
        batch = _read_batch(database, run_id, after, size)
        if not batch.records:
            return
        yield batch
        after = batch.last


def _read_batch(database: Database, run_id: str, after: int, size: int) -> Batch:
    ready = sa.and_(run_row.c.run_id == run_id, run_row.c.record_place > after, run_row.c.reason == "")
    places = sa.select(run_row.c.record_place).where(ready).distinct().order_by(run_row.c.record_place).limit(size)
    with database.transaction() as work:
        last = work.execute(sa.select(sa.func.max(places.subquery().c.record_place))).scalar()
        if last is None:
            return Batch([], after)
        columns = (
            run_row.c.record_place,
            run_row.c.place,
            run_row.c.sheet,
            run_row.c.row,
            run_row.c.record,
            run_row.c.record_key,
        )
        rows = work.execute(
            sa.select(*columns)
            .where(ready, run_row.c.record_place <= last)
            .order_by(run_row.c.record_place, run_row.c.place)
        ).all()
    grouped = groupby(rows, key=itemgetter(0))
    return Batch([[StagedRow._make(row[1:]) for row in group] for _, group in grouped], last, after)
