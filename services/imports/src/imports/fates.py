"""What became of each row, and counts that always add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from opentelemetry import metrics

from chassis.database import UnitOfWork
from imports.tables import run_fate, run_row

FATES = ("created", "updated", "unchanged", "merged", "refused")
EXPECTED, ACTUAL = "expected", "actual"
_rows = metrics.get_meter("branchline").create_counter("branchline.import.rows", "{row}", "rows by phase and fate")


class RowFate(NamedTuple):
    """The fate of one row."""

    place: int
    fate: str
    reason: str = ""
    message: str = ""
    record_id: str = ""


def store_fates(work: UnitOfWork, run_id: str, phase: str, fates: Sequence[RowFate]) -> None:
    """Store fates of rows that have none yet in this phase, and measure how many."""
    work.copy_rows(
        run_fate,
        ("run_id", "phase", "place", "fate", "reason", "message", "record_id"),
        [(run_id, phase, one.place, one.fate, one.reason, one.message[:1000], one.record_id) for one in fates],
    )
    for fate, rows in Counter(one.fate for one in fates).items():
        _rows.add(rows, {"branchline.import.phase": phase, "branchline.import.fate": fate})


def store_refused(work: UnitOfWork, run_id: str, phase: str) -> None:
    """Give the rows that staging kept out their fate."""
    refused = sa.select(
        run_row.c.run_id,
        sa.literal(phase),
        run_row.c.place,
        sa.literal("refused"),
        run_row.c.reason,
        run_row.c.message,
        sa.literal(""),
    ).where(run_row.c.run_id == run_id, run_row.c.reason != "")
    work.execute(sa.insert(run_fate).from_select([column.name for column in run_fate.c], refused))


def forget_fates(work: UnitOfWork, run_id: str, phase: str) -> None:
    """Drop the fates of a phase, before it begins anew."""
    work.execute(sa.delete(run_fate).where(run_fate.c.run_id == run_id, run_fate.c.phase == phase))


def count_fates(work: UnitOfWork, run_id: str, phase: str) -> dict[str, int]:
    """Rows by fate, all five named."""
    rows: Iterable[Any] = work.execute(
        sa.select(run_fate.c.fate, sa.func.count().label("rows"))
        .where(run_fate.c.run_id == run_id, run_fate.c.phase == phase)
        .group_by(run_fate.c.fate)
    )
    found = dict.fromkeys(FATES, 0)
    found.update({row.fate: row.rows for row in rows})
    return found
