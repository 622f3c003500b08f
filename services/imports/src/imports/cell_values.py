"""From a cell to a value of a field's type, or the trouble that stands in the way; never coerced.

Pure: knows cells and fields, no file and no service.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal

from imports.kinds import FieldType
from imports.reading.cells import Cell, CellKind, plain_number
from imports.reading.dates import DateForm, DateTrouble, parse_date
from imports.reading.numbers import NumberTrouble, ParsedNumber, parse_number
from values.flags import read_yes_no

# What people write for "nothing" in a cell.
NOTHING = frozenset({"", "-", "–", "—", "n/a", "na", "null", "none", "nan", "\\n", "#n/a", "нет", "н/д"})
LONGEST_NOTHING = 12  # with blanks around; longer texts are not looked at
MAX_NUMBER = Decimal(10) ** 13  # what numeric(20, 6) holds with room for sums


@dataclass(frozen=True, slots=True)
class CellTrouble:
    """Why a cell cannot be its field's value: it `blocks` the file, else `refuses` the row, else is only told.

    `number` is what a percent cell holds, so that it can be told what else would be wrong with it.
    """

    code: str
    message: str
    way_out: str
    blocks: bool = True
    number: Decimal | None = None
    refuses: bool = True


@dataclass(frozen=True, slots=True)
class ColumnForm:
    """How texts of a column are read, found over the whole column or chosen: decimal mark, date form.

    `typed` says that the column also has real numbers (or dates), so that a text among them is a trouble.
    """

    decimal: str = ""
    date_form: DateForm | None = None
    typed: bool = False


def is_nothing(cell: Cell) -> bool:
    """Tell whether the cell says nothing."""
    value = cell.value
    if type(value) is str:
        return len(value) < LONGEST_NOTHING and value.strip().lower() in NOTHING
    return value is None


def read_number(cell: Cell, form: ColumnForm, type_: FieldType) -> Decimal | CellTrouble:
    """The number in a cell. A percent is a number only for a fraction field."""
    kind, value = cell.kind, cell.value
    if kind is CellKind.PERCENT and type_ is not FieldType.FRACTION:
        return CellTrouble(
            "percent_in_number_column",
            f"the cell shows {cell.text}: percent type, a number is expected (stored {plain_number(value)})",  # type: ignore[arg-type]
            "set the cells to the number format in the file and upload it again",
            number=Decimal(plain_number(value)),  # type: ignore[arg-type]
        )
    if kind in (CellKind.DATE, CellKind.TIME):
        return CellTrouble(
            "date_in_number_column",
            f"the cell holds a date ({cell.text}), a number is expected",
            "type the number again with the number format and upload the file again",
        )
    if isinstance(value, bool):
        return CellTrouble(
            "flag_in_number_column", f"the cell holds {cell.text}, a number is expected", "type the number"
        )
    if isinstance(value, int | float):
        number = Decimal(plain_number(value))
    else:
        parsed = _parsed(cell.text.strip(), form, type_)
        if isinstance(parsed, CellTrouble):
            return parsed
        number = parsed
    if abs(number) >= MAX_NUMBER:
        return CellTrouble("number_too_large", f"{cell.text} is beyond {MAX_NUMBER:,}", "check the value", blocks=False)
    return number


def _parsed(text: str, form: ColumnForm, type_: FieldType) -> Decimal | CellTrouble:
    found = parse_number(text, form.decimal)
    if isinstance(found, ParsedNumber):
        if found.percent and type_ is FieldType.FRACTION:
            return found.value / 100
        if found.percent:
            return CellTrouble(
                "percent_in_number_column",
                f"{text!r} is a percentage, a number is expected",
                "write the number without a percent sign and upload the file again",
                number=found.value / 100,
            )
        if form.typed:
            return CellTrouble(
                "text_in_number_column",
                f"{text!r} is text among numbers; it would be read as {found.value}",
                "turn the cells into numbers in the file and upload it again",
            )
        return found.value
    if found is NumberTrouble.AMBIGUOUS:
        return CellTrouble(
            "ambiguous_number",
            f"{text!r} is two numbers, depending on the decimal sign",
            "say which sign is the decimal one (decimal_sign . or ,)",
        )
    return CellTrouble(
        "text_in_number_column", f"{text!r} is not a number", "correct the cell, or leave the column out of the mapping"
    )


def read_date(cell: Cell, form: ColumnForm) -> datetime | date | CellTrouble:
    """The day (or moment) in a cell."""
    if isinstance(cell.value, datetime | date):
        return cell.value
    if cell.kind is not CellKind.TEXT:
        return CellTrouble(
            "number_in_date_column", f"the cell holds {cell.text}, a date is expected", "set the cells to a date format"
        )
    text = cell.text.strip()
    found = parse_date(text, form.date_form)
    if not isinstance(found, DateTrouble):
        return found
    if found is DateTrouble.IMPOSSIBLE:
        return CellTrouble("impossible_date", f"{text!r} is no day of the calendar", "correct the cell", blocks=False)
    if found is DateTrouble.OTHER_FORM:
        if form.date_form is None:
            return CellTrouble(
                "ambiguous_dates",
                f"{text!r} can be two days, and no value of the column decides",
                "say in which order the dates are written (date_order dmy, mdy or ymd)",
            )
        return CellTrouble(
            "contradicting_date",
            f"{text!r} is not written like the other dates of its column ({form.date_form.value})",
            "correct the cell",
            blocks=False,
        )
    return CellTrouble("text_in_date_column", f"{text!r} is not a date", "correct the cell", blocks=False)


def read_flag(cell: Cell) -> bool | CellTrouble:
    """Yes or no, in the words people use."""
    if isinstance(cell.value, bool):
        return cell.value
    answer = read_yes_no(cell.text)
    if answer is not None:
        return answer
    return CellTrouble("not_a_flag", f"{cell.text.strip()!r} is neither yes nor no", "write yes or no", blocks=False)


def as_day(value: datetime | date) -> date:
    """The calendar day of a date or moment, as it is written."""
    return value.date() if isinstance(value, datetime) else value


def as_moment(value: datetime | date) -> datetime:
    """The moment of a date (its midnight) or moment; without a zone when none is written."""
    return value if isinstance(value, datetime) else datetime.combine(value, time())
