"""What one cell and one row of a branch's file are, whatever format they came from.

Knows nothing of files: the readers make cells, everything else only looks at them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple


class CellKind(StrEnum):
    """What a cell is by its value and its cell format together."""

    BLANK = "blank"
    TEXT = "text"
    NUMBER = "number"
    PERCENT = "percent"
    CURRENCY = "currency"
    DATE = "date"
    TIME = "time"
    BOOL = "bool"
    ERROR = "error"

    __hash__ = str.__hash__  # an enum's own is written in Python, and each cell of a file is counted by its kind


NUMERIC_KINDS = frozenset({CellKind.NUMBER, CellKind.PERCENT, CellKind.CURRENCY})

CellValue = str | int | float | bool | datetime | date | time | timedelta | None


class Cell(NamedTuple):
    """One cell: its kind, its stored value and the number format it is shown with.

    Shapes: `value` is str for TEXT and ERROR (the error's sign, "#N/A"), int or float for NUMBER, PERCENT and CURRENCY
    (a percent of 7.5 % holds 0.075), datetime or date for DATE, time or timedelta for TIME, bool for BOOL, None for
    BLANK. An integral float is an int. `format` is the spreadsheet's format code, "" where there is none.
    """

    kind: CellKind
    value: CellValue
    format: str = ""

    @property
    def text(self) -> str:
        """The cell as its user reads it: "007" stays "007", a percent carries its sign, dates are ISO."""
        value = self.value
        return value if type(value) is str else show_cell(self)


BLANK_CELL = Cell(CellKind.BLANK, None)


class SourceRow(NamedTuple):
    """One data row of a table and where it stands in the file.

    Shapes: `number` is the 1-based row of the sheet (of the record in a text file); `cells[i]` belongs to column i
    of the table, which stands in sheet column `columns[i]` (1-based). Identity of a row is (sheet, number).
    """

    sheet: str
    number: int
    cells: Sequence[Cell]
    columns: Sequence[int]

    def address(self, position: int) -> str:
        """Name the cell of table column `position`, for example Sheet1!C14."""
        return cell_address(self.sheet, self.number, self.columns[position])


def column_letters(column: int) -> str:
    """Letters of a 1-based sheet column: 1 is A, 28 is AB."""
    letters = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_number(letters: str) -> int:
    """The 1-based sheet column of its letters: A is 1, AB is 28."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def cell_address(sheet: str, row: int, column: int) -> str:
    """Address of a cell as a user looks it up; a sheet name is quoted the way spreadsheets do when it needs to be."""
    plain = sheet.replace("_", "").isalnum()
    name = sheet if plain else "'" + sheet.replace("'", "''") + "'"
    return f"{name}!{column_letters(column)}{row}"


def plain_number(value: float) -> str:
    """A stored number without exponent and without binary noise: spreadsheets hold 15 significant digits."""
    if isinstance(value, int):
        return str(value)
    text = format(Decimal(format(value, ".15g")), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def show_cell(cell: Cell) -> str:
    """The text of a cell as its user reads it in the spreadsheet, in a neutral locale."""
    value = cell.value
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _show_number(cell, value)
    if isinstance(value, datetime):
        midnight = value.time() == time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _show_number(cell: Cell, value: float) -> str:
    if cell.kind is CellKind.PERCENT:
        return plain_number(value * 100) + "%"
    zeros = len(cell.format)
    # A format of zeros only ("00000") is how spreadsheets keep the leading zeros of codes that were typed as numbers.
    if zeros > 1 and cell.format == "0" * zeros and isinstance(value, int):
        return str(value).zfill(zeros)
    return plain_number(value)
