"""What a cell is worth to a field of a known type: the value, or the trouble with its way out. Never coerced.

Pure: the mapping decides which field a column feeds, these functions read one cell for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from imports.reading.cells import NUMERIC_KINDS, Cell, CellKind, SourceRow, plain_number
from imports.reading.dates import DateForm, DateTrouble, date_forms, parse_date
from imports.reading.findings import Finding, FindingCode, Severity, excerpt
from imports.reading.numbers import NumberTrouble, ParsedNumber, parse_number

_RETYPE_NUMBER = "format the cell as a number, type the value again and save the file"
_RETYPE_DATE = "format the cell as a date, type the day again and save the file"


@dataclass(frozen=True, slots=True)
class CellProblem:
    """Why a cell cannot feed a field."""

    code: FindingCode
    message: str
    way_out: str
    value: str

    def at(self, row: SourceRow, position: int, column: str) -> Finding:
        """The finding of this problem at table column `position` of a row."""
        address = row.address(position)
        return Finding(
            self.code, Severity.ERROR, self.message, self.way_out, row.sheet, address, row.number, column, self.value
        )


def text_of(cell: Cell) -> str | CellProblem | None:
    """The cell as text, byte for byte in text cells; None when blank. Leading zeros of zero formats stay."""
    if cell.kind is CellKind.ERROR:
        return _error_cell(cell)
    text = cell.text
    return text if text.strip() else None


def number_of(cell: Cell, decimal: str = "") -> Decimal | CellProblem | None:
    """The cell as an exact number; None when blank.

    Shapes: `decimal` is the mark of the column ("." or ","), "" when unknown.
    Returns: a problem for percents, dates, booleans, errors, words and numbers that have two readings.
    """
    if cell.kind is CellKind.NUMBER or cell.kind is CellKind.CURRENCY:
        return Decimal(plain_number(cell.value))  # type: ignore[arg-type]
    if cell.kind is CellKind.TEXT:
        return _number_of_text(str(cell.value), decimal)
    if cell.kind is CellKind.BLANK:
        return None
    if cell.kind is CellKind.PERCENT:
        stored = plain_number(cell.value)  # type: ignore[arg-type]
        message = f"the cell is of percent type and shows {cell.text} (stored {stored}), a number is expected"
        return CellProblem(FindingCode.PERCENT_FOR_NUMBER, message, _RETYPE_NUMBER, cell.text)
    if cell.kind in (CellKind.DATE, CellKind.TIME):
        return CellProblem(
            FindingCode.DATE_FOR_NUMBER,
            f"the cell is a date or time ({cell.text}), a number is expected",
            _RETYPE_NUMBER,
            cell.text,
        )
    if cell.kind is CellKind.BOOL:
        return CellProblem(
            FindingCode.BOOL_FOR_VALUE, f"the cell is {cell.text}, a number is expected", _RETYPE_NUMBER, cell.text
        )
    return _error_cell(cell)


def _number_of_text(text: str, decimal: str) -> Decimal | CellProblem | None:
    if not text.strip():
        return None
    found = parse_number(text, decimal)
    shown = excerpt(text)
    if isinstance(found, ParsedNumber):
        if found.percent:
            return CellProblem(
                FindingCode.PERCENT_FOR_NUMBER,
                f"the text {shown!r} is a percent, a number is expected",
                "write it without the percent sign",
                shown,
            )
        return found.value
    if found is NumberTrouble.AMBIGUOUS:
        message = f"{shown!r} can be read with a decimal mark or a thousands mark"
        return CellProblem(FindingCode.AMBIGUOUS_NUMBER, message, "choose the decimal mark of the column", shown)
    if found is NumberTrouble.WRONG_MARK:
        message = f"{shown!r} does not use {decimal!r} as its decimal mark like the rest of the column"
        return CellProblem(
            FindingCode.AMBIGUOUS_NUMBER,
            message,
            "write the number like the others, or choose another decimal mark",
            shown,
        )
    if isinstance(date_forms(text), dict):
        return CellProblem(
            FindingCode.DATE_FOR_NUMBER, f"the text {shown!r} is a date, a number is expected", _RETYPE_NUMBER, shown
        )
    return CellProblem(FindingCode.TEXT_FOR_NUMBER, f"{shown!r} is text, a number is expected", _RETYPE_NUMBER, shown)


def date_of(cell: Cell, form: DateForm | None = None) -> datetime | date | CellProblem | None:
    """The cell as a day, or a moment where it has a time; None when blank.

    Shapes: `form` is the form of the column's written dates; without one only what has one meaning is read. A zero in a
    date column is a problem, not a day of 1899.
    """
    if cell.kind is CellKind.DATE:
        return _day_or_moment(cell)
    if cell.kind is CellKind.TEXT:
        return _date_of_text(str(cell.value), form)
    if cell.kind is CellKind.BLANK:
        return None
    if cell.kind in NUMERIC_KINDS or cell.kind is CellKind.TIME:
        return CellProblem(FindingCode.NUMBER_FOR_DATE, f"{cell.text} is no date", _RETYPE_DATE, cell.text)
    if cell.kind is CellKind.BOOL:
        return CellProblem(
            FindingCode.BOOL_FOR_VALUE, f"the cell is {cell.text}, a date is expected", _RETYPE_DATE, cell.text
        )
    return _error_cell(cell)


def _day_or_moment(cell: Cell) -> datetime | date | CellProblem:
    value = cell.value
    if isinstance(value, datetime):
        return value.date() if value.tzinfo is None and value.time() == datetime.min.time() else value
    assert isinstance(value, date)
    return value


def _date_of_text(text: str, form: DateForm | None) -> datetime | date | CellProblem | None:
    if not text.strip():
        return None
    found = parse_date(text, form)
    shown = excerpt(text)
    if not isinstance(found, DateTrouble):
        if isinstance(found, datetime) and found.tzinfo is None and found.time() == datetime.min.time():
            return found.date()
        return found
    if found is DateTrouble.IMPOSSIBLE:
        return CellProblem(FindingCode.IMPOSSIBLE_DATE, f"there is no day {shown!r}", "correct the date", shown)
    if found is DateTrouble.NOT_A_DATE:
        return CellProblem(FindingCode.TEXT_FOR_DATE, f"{shown!r} is no date", _RETYPE_DATE, shown)
    if form is None:
        message = f"{shown!r} can be read with the day first or the month first"
        return CellProblem(FindingCode.AMBIGUOUS_DATE, message, "choose the date form of the column", shown)
    message = f"{shown!r} is not written like the other dates of the column ({form})"
    return CellProblem(
        FindingCode.CONTRADICTING_DATE, message, "write the date like the others, or choose another date form", shown
    )


def _error_cell(cell: Cell) -> CellProblem:
    message = f"the cell holds the error {cell.value}"
    return CellProblem(FindingCode.ERROR_CELL, message, "correct the formula in the file and save it", str(cell.value))
