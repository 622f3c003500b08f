"""What every reader of a format gives: its sheets with their facts, and their rows as cells.

A reader knows its format and nothing of headers or tables; table_shape.py knows tables and nothing of formats.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from imports.reading.cells import Cell
from imports.reading.findings import FindingList
from imports.reading.formats import FileFormat
from imports.reading.limits import Limits, UnreadableFile, UnreadableReason

#: A row of a sheet: its 1-based number and its cells from column A on; trailing blanks may be left off.
RawRow = tuple[int, list[Cell]]


class SheetState(StrEnum):
    """Whether a user sees the sheet; hidden sheets are not read unless they are named."""

    VISIBLE = "visible"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class NamedRange:
    """A table that the workbook itself names: 1-based, inclusive, header row first."""

    name: str
    first_row: int
    last_row: int
    first_column: int
    last_column: int


@dataclass(frozen=True, slots=True)
class SheetFacts:
    """One sheet as its file describes it. `rows` counts the rows present in the file, 0 where only reading would
    tell.
    """

    name: str
    state: SheetState = SheetState.VISIBLE
    rows: int = 0
    hidden_rows: int = 0
    hidden_columns: int = 0
    merged: tuple[str, ...] = ()
    merged_count: int = 0
    tables: tuple[NamedRange, ...] = ()
    formulas_without_value: int = 0
    first_formula_without_value: str = ""


class Source(Protocol):
    """An opened file."""

    @property
    def format(self) -> FileFormat: ...

    @property
    def sheets(self) -> Sequence[SheetFacts]: ...

    @property
    def findings(self) -> FindingList: ...

    def rows(self, sheet: str) -> Iterator[RawRow]:
        """Stream the rows of a sheet in order; rows that the file leaves out may be missing from the numbers."""
        ...

    def close(self) -> None: ...


class CellBudget:
    """Counts cells of a file and refuses it when there are too many, or a row too wide."""

    def __init__(self, limits: Limits) -> None:
        self._left = limits.cells
        self._limits = limits

    def spend(self, width: int, number: int) -> None:
        """Take one row of `width` cells off the budget."""
        if width > self._limits.columns:
            raise UnreadableFile(
                UnreadableReason.TOO_MANY_COLUMNS,
                f"row {number} has {width:,} columns, at most {self._limits.columns:,} are read",
                "check the separator of the file, or leave only the columns of the table",
            )
        self._left -= width
        if self._left < 0:
            raise UnreadableFile(
                UnreadableReason.TOO_MANY_CELLS,
                f"the file has more than {self._limits.cells:,} cells",
                "split the file into several and import them one after another",
            )


def trim_row(cells: list[Cell]) -> list[Cell]:
    """Drop the blank cells at the end of a row, in place."""
    while cells and cells[-1].value is None:
        cells.pop()
    return cells
