"""The rows of a file into the run's table: values ready to load, or the trouble that keeps a row out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any

import orjson
import sqlalchemy as sa

from chassis.database import Database, UnitOfWork
from imports.batches import StagedRow
from imports.findings import ERROR, SHOWN_CELLS, WARNING, Finding, Findings
from imports.kinds import FieldType, Kind
from imports.reading.cells import SourceRow
from imports.records import Record, RecordReader, RowTrouble, record_key
from imports.row_checks import PercentQuantity
from imports.tables import run_reference, run_row

STAGED_AT_ONCE = 2_000  # rows a transaction: progress is seen, memory stays flat
_COLUMNS = ("run_id", "place", "sheet", "row", "cells", "record", "record_key", "record_place", "reason", "message")


@dataclass
class Reference:
    """How often a text refers to something, and where first."""

    column: str
    first_place: int
    count: int = 0


@dataclass
class Staged:
    """What staging leaves: counts, findings, references by (field, text)."""

    rows: int = 0
    refused: int = 0
    findings: Findings = field(default_factory=Findings)
    references: dict[tuple[str, str], Reference] = field(default_factory=dict)
    fields: Counter[str] = field(default_factory=Counter)
    percents: list[PercentQuantity] = field(default_factory=list)


def stage_rows(
    database: Database,
    run_id: str,
    reader: RecordReader,
    rows: Iterable[SourceRow],
    tell: Callable[[UnitOfWork, int], None],
    ready: Callable[[Sequence[StagedRow]], None] = lambda _: None,
) -> Staged:
    """Store every data row; `tell(work, rows so far)` is called in each transaction for progress and the lease.

    While the database takes some rows, on a thread of its own, the next ones are read. `ready(rows)` is called, here,
    after they are stored, with those that may be loaded.
    """
    staged = Staged()
    batch: list[tuple[Any, ...]] = []
    good: list[StagedRow] = []
    reference_columns = {
        column.field.name: column.header
        for column in reader.columns
        if column.field is not None and column.field.type is FieldType.REFERENCE
    }
    with closing(_Storing(database, tell, ready)) as storing:
        for row in rows:
            staged.rows += 1
            record, stored = _stage_row(run_id, reader, row, staged, reference_columns)
            batch.append(stored)
            if record is not None:
                good.append(StagedRow(staged.rows, row.sheet, row.number, record, ""))
            if len(batch) == STAGED_AT_ONCE:
                storing.take(batch, good, staged.rows)
                batch, good = [], []
        storing.take(batch, good, staged.rows)
        storing.finish()
    with database.transaction() as work:
        _store_references(work, run_id, staged)
        _place_records(work, run_id, reader.kind)
    return staged


class _Storing:
    """Stores rows on a thread of its own, one transaction at a time."""

    def __init__(
        self,
        database: Database,
        tell: Callable[[UnitOfWork, int], None],
        ready: Callable[[Sequence[StagedRow]], None],
    ) -> None:
        self._database, self._tell, self._ready = database, tell, ready
        self._pool = ThreadPoolExecutor(1, "staging")
        self._under_way: tuple[Future[None], Sequence[StagedRow]] | None = None

    def take(self, rows: Sequence[tuple[Any, ...]], good: Sequence[StagedRow], so_far: int) -> None:
        """Have rows stored, after those before. Errors: what storing those raised."""
        self.finish()
        self._under_way = self._pool.submit(copy_context().run, self._store, rows, so_far), good

    def finish(self) -> None:
        """Wait until all is stored. Errors: what storing raised."""
        if self._under_way is not None:
            (stored, good), self._under_way = self._under_way, None
            stored.result()
            self._ready(good)

    def close(self) -> None:
        """Let the thread go."""
        self._pool.shutdown()

    def _store(self, rows: Sequence[tuple[Any, ...]], so_far: int) -> None:
        with self._database.transaction() as work:
            work.copy_rows(run_row, _COLUMNS, rows)
            self._tell(work, so_far)


def _stage_row(
    run_id: str, reader: RecordReader, row: SourceRow, staged: Staged, references: dict[str, str]
) -> tuple[Record | None, tuple[Any, ...]]:
    """The record where the row may be loaded, and the row as it is stored."""
    record, troubles = reader.read(row)
    place = staged.rows
    for trouble in troubles:
        staged.findings.add(_finding(reader, row, trouble))
        _note_percent(staged, reader, row, record, trouble)
    refusing = [one.trouble for one in troubles if one.trouble.refuses]
    reason = refusing[0].code if refusing else ""
    message = "; ".join(dict.fromkeys(one.message for one in refusing))[:1000]
    if refusing:
        staged.refused += 1
    else:
        staged.fields.update(record.keys())
    if not refusing or any(one.blocks for one in refusing):  # what a refused row names hinders nobody
        _note_references(staged, record, references)
    key, _ = record_key(reader.kind, record)
    cells = _json_of_texts([text if type(text := cell.value) is str else cell.text for cell in row.cells])
    stored = _json(record) if not refusing else None
    good = None if stored is None else orjson.loads(stored) if _NUL in stored else record
    return good, (run_id, place, row.sheet, row.number, cells, stored, key, place, reason, _plain(message))


def _note_references(staged: Staged, record: Record, references: dict[str, str]) -> None:
    for name, header in references.items():
        text = record.get(name)
        if text:
            known = staged.references.setdefault((name, text), Reference(header, staged.rows))
            known.count += 1


def _note_percent(staged: Staged, reader: RecordReader, row: SourceRow, record: Record, found: RowTrouble) -> None:
    """Keep what a percent-typed quantity holds until it is known whether its product has fractions."""
    fed = next((one.field for one in reader.columns if one.place == found.place), None)
    number, product = found.trouble.number, record.get("product")
    if number is None or not product or found.place is None or fed is None or fed.name != "quantity":
        return
    if len(staged.percents) < SHOWN_CELLS:
        cell = row.address(found.place)
        staged.percents.append(PercentQuantity(product, number, row.sheet, row.number, cell))


def _finding(reader: RecordReader, row: SourceRow, found: RowTrouble) -> Finding:
    header = next((one.header for one in reader.columns if one.place == found.place), "")
    cell = row.address(found.place) if found.place is not None else ""
    trouble = found.trouble
    return Finding(
        trouble.code,
        ERROR if trouble.refuses else WARNING,
        f"column {header}: {trouble.message}" if header else trouble.message,
        trouble.way_out,
        row.sheet,
        cell,
        row.number,
        header,
        found.value,
        row_only=not trouble.blocks,
    )


def _store_references(work: UnitOfWork, run_id: str, staged: Staged) -> None:
    work.copy_rows(
        run_reference,
        ("run_id", "field", "text", "times", "first_place", "column"),
        [
            (run_id, name, text, found.count, found.first_place, found.column)
            for (name, text), found in staged.references.items()
        ],
    )


def _place_records(work: UnitOfWork, run_id: str, kind: Kind) -> None:
    """Give rows of one record the place of its first row; tell equal fingerprints apart by their order.

    The planner must have seen the copied rows before: where it knew only smaller runs, it joined 8,800 rows with
    themselves by a nested loop, which took 60 s; now it takes less than half a second.
    """
    if kind.name in ("deals", "interactions"):
        work.execute(_LOOK_AT_ROWS)
        work.execute(sa.text(_SAME_NUMBER), {"run": run_id})
        work.execute(sa.text(_SAME_VALUES), {"run": run_id})
    work.execute(_LOOK_AT_ROWS)


# Without the two JSON columns, which nobody searches by and which take nine tenths of the time.
_LOOK_AT_ROWS = sa.text("ANALYZE run_row (run_id, place, record_key, record_place, reason)")
_SAME_NUMBER = """
UPDATE run_row r SET record_place = f.first FROM (
  SELECT place, min(place) OVER (PARTITION BY record_key) AS first FROM run_row
  WHERE run_id = :run AND reason = '' AND record_key LIKE 'id:%') f
WHERE r.run_id = :run AND r.place = f.place AND f.first <> f.place
"""
_SAME_VALUES = """
UPDATE run_row r SET record_key = r.record_key || ':' || f.nth FROM (
  SELECT place, row_number() OVER (PARTITION BY record_key ORDER BY place) AS nth FROM run_row
  WHERE run_id = :run AND record_key LIKE 'row:%') f
WHERE r.run_id = :run AND r.place = f.place AND f.nth > 1
"""
_ESCAPED = re.compile(r'["\\\x00-\x1f]').search
_NUL = "␀"  # what stands for the character NUL, which PostgreSQL does not store


def _json(value: Any) -> str:
    return orjson.dumps(value).decode().replace("\\u0000", _NUL)


def _json_of_texts(texts: list[str]) -> str:
    """As `_json`, ten times faster where no text holds a sign that JSON escapes: nearly every row."""
    return _json(texts) if not texts or _ESCAPED("".join(texts)) else '["' + '","'.join(texts) + '"]'


def _plain(text: str) -> str:
    return text.replace("\x00", _NUL)
