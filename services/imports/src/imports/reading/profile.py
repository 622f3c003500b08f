"""What the columns of a table hold over the whole file, in one streaming pass of bounded memory.

Feed ColumnProfiler the rows that are read anyway, or let profile_columns do the pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from imports.reading.cells import CellKind, SourceRow
from imports.reading.column_pass import ColumnPass
from imports.reading.column_profile import ColumnProfile
from imports.reading.description import Column, ReadOptions
from imports.reading.findings import FindingList
from imports.reading.limits import DEFAULT_LIMITS, Limits


@dataclass(frozen=True, slots=True)
class Profile:
    """The columns of a table after the whole file was read."""

    columns: tuple[ColumnProfile, ...]
    rows: int
    findings: FindingList


def profile_columns(
    rows: Iterable[SourceRow],
    columns: Sequence[Column],
    options: ReadOptions | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Profile:
    """Read all rows and say what each column holds."""
    profiler = ColumnProfiler(columns, options, limits)
    for row in rows:
        profiler.add(row)
    return profiler.finish()


class ColumnProfiler:
    """Gathers the profile row by row; finish() once, after the last."""

    def __init__(
        self, columns: Sequence[Column], options: ReadOptions | None = None, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self._columns = [ColumnPass(ColumnProfile(column), limits) for column in columns]
        self._options = options or ReadOptions()
        self._findings = FindingList()
        self._rows = 0

    def add(self, row: SourceRow) -> None:
        """Take in one row."""
        self._rows += 1
        findings = self._findings
        for position, (column, cell) in enumerate(zip(self._columns, row.cells, strict=True)):
            if cell.kind is CellKind.BLANK:
                column.blanks += 1
            else:
                column.look_at(cell, row, position, findings)

    def finish(self) -> Profile:
        """Draw the conclusions that need the whole column."""
        for column in self._columns:
            column.conclude(self._options, self._findings)
        return Profile(tuple(column.profile for column in self._columns), self._rows, self._findings)
