"""Which days a written period means: a month, a quarter or a year, in the writing of any branch."""

from __future__ import annotations

import re
from datetime import date, datetime

from imports.reading.cells import Cell
from imports.reading.dates import DateTrouble, parse_date

_QUARTER = re.compile(
    r"(?:(\d{4})\D{0,3}(?:q|кв\.?|квартал|т)\s?([1-4])|(?:q|т)?\s?([1-4])\s?(?:кв\.?|квартал|\.?\s?quartal|q)?[\s./-]*(\d{4}))",
    re.I,
)
_MONTH = re.compile(r"(?:(\d{4})[-./](\d{1,2})|(\d{1,2})[-./](\d{4}))")
_YEAR = re.compile(r"(?:fy\s?)?(\d{4})(?:\s?г(?:од|\.)?)?", re.I)


def read_period(cell: Cell) -> tuple[date, date] | None:
    """First day and first day after; None when the cell is no period. A date means its month."""
    if isinstance(cell.value, datetime | date):
        return month_of(cell.value.year, cell.value.month)
    text = cell.text.strip()
    if found := _YEAR.fullmatch(text):
        year = int(found[1])
        return (date(year, 1, 1), date(year + 1, 1, 1)) if 1 <= year < 9999 else None
    if found := _MONTH.fullmatch(text):
        return month_of(int(found[1] or found[4]), int(found[2] or found[3]))
    if ("q" in text.lower() or "кв" in text.lower() or "quart" in text.lower()) and (found := _QUARTER.fullmatch(text)):
        year, quarter = int(found[1] or found[4]), int(found[2] or found[3])
        after = date(year + (quarter == 4), quarter * 3 % 12 + 1, 1)
        return date(year, quarter * 3 - 2, 1), after
    for written in (text, f"1 {text}"):  # "May 2024" is a month, "2024-05-17" a day of it
        day = parse_date(written)
        if not isinstance(day, DateTrouble):
            return month_of(day.year, day.month)
    return None


def month_of(year: int, month: int) -> tuple[date, date] | None:
    """First day of a month and of the next; None when there is no such month."""
    if not (1 <= month <= 12 and 1 <= year < 9999):
        return None
    return date(year, month, 1), date(year + (month == 12), month % 12 + 1, 1)
