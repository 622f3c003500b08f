"""Which rows on top of a sheet are titles, which are headings, and where the records begin.

Decides on the first rows of a sheet. Evidence for headings is a text over values of another kind; evidence against is a
"heading" that reads like the values below it. Without evidence either way the first row is taken for headings. Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from statistics import median

from imports.reading.cells import BLANK_CELL, NUMERIC_KINDS, Cell, CellKind
from imports.reading.dates import date_forms
from imports.reading.description import Column
from imports.reading.numbers import NumberTrouble, ParsedNumber, parse_number
from imports.reading.sources import RawRow

#: Rows of a sheet that decide about its headings.
SAMPLE_ROWS = 200
#: More lines than this in a heading were never met in a real file.
_MAX_HEADER_ROWS = 3
_DATA_LIKE = re.compile(r"\S+@\S+\.\S+|https?://|\+?\d[\d\s().-]{6,}$|^[A-Za-z]{0,4}[-_]?\d{3,}\w*$")


class Likeness(Enum):
    """What a cell looks like to somebody who skims the sheet."""

    BLANK = auto()
    TEXT = auto()
    VALUE_TEXT = auto()
    NUMBER = auto()
    DATE = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Headings:
    """Where the headings of a sample stand: indexes into the sample, and the first record's index."""

    titles: tuple[int, ...]
    headings: tuple[int, ...]
    first: int


def likeness(cell: Cell) -> Likeness:
    """Skim one cell; text in a text file that is written like a number counts as one."""
    if cell.kind is CellKind.TEXT:
        return _likeness_of_text(str(cell.value).strip())
    if cell.kind in NUMERIC_KINDS:
        return Likeness.NUMBER
    if cell.kind in (CellKind.DATE, CellKind.TIME):
        return Likeness.DATE
    return Likeness.BLANK if cell.kind is CellKind.BLANK else Likeness.OTHER


def _likeness_of_text(text: str) -> Likeness:
    if not text:
        return Likeness.BLANK
    if text[0].isdigit() or text[0] in "+-($€£¥₽.,−" or text[-1].isdigit() or text[-1] in "%€₽$":
        number = parse_number(text)
        if isinstance(number, ParsedNumber) or number is NumberTrouble.AMBIGUOUS:
            return Likeness.NUMBER
        if isinstance(date_forms(text), dict):
            return Likeness.DATE
    return Likeness.VALUE_TEXT if _DATA_LIKE.search(text[:100]) else Likeness.TEXT


def fill_of(cells: Sequence[Cell]) -> int:
    """How many cells of a row hold something."""
    return sum(1 for cell in cells if likeness(cell) is not Likeness.BLANK)


def find_headings(sample: Sequence[RawRow], spans: Sequence[tuple[int, int, int, int]] = ()) -> Headings:
    """Find titles, headings and the first record among the non-blank rows of a sample.

    Shapes: `spans` are merged areas (first row, first column, last row, last column), 1-based.
    """
    looks = [[likeness(cell) for cell in cells] for _, cells in sample]
    fills = [sum(1 for look in row if look is not Likeness.BLANK) for row in looks]
    if not sample:
        return Headings((), (), 0)
    top = _top_row(fills, looks)
    titles = tuple(range(top))
    if not _is_heading(sample, looks, top):
        return Headings(titles, (), top)
    last = top
    while last - top + 1 < _MAX_HEADER_ROWS and _continues(sample, looks, last, spans):
        last += 1
    return Headings(titles, tuple(range(top, last + 1)), last + 1)


def _top_row(fills: Sequence[int], looks: Sequence[Sequence[Likeness]]) -> int:
    """The first row as wide as the table: what stands above it is titles."""
    body = fills[len(fills) // 3 :]
    usual = max(median(body), 1)
    for row, fill in enumerate(fills):
        wide = fill >= usual * 0.6 and (fill >= 2 or usual < 2)
        # A comment line of a text file is one field, or a few when it holds the separator.
        if wide and not (row + 1 < len(fills) and fill * 2 <= fills[row + 1] and _all_text(looks[row + 1])):
            return row
    return 0


def _all_text(looks: Sequence[Likeness]) -> bool:
    return all(look in (Likeness.TEXT, Likeness.BLANK) for look in looks)


def _is_heading(sample: Sequence[RawRow], looks: Sequence[Sequence[Likeness]], row: int) -> bool:
    here = looks[row]
    below = looks[row + 1 :]
    filled = [look for look in here if look is not Likeness.BLANK]
    if not below:
        return all(look is Likeness.TEXT for look in filled)
    if not _reads_like_headings(sample[row][1], filled):
        return False
    # The same row further below is the heading once more, as on printed pages, and says nothing against it.
    kept = [place for place in range(len(sample)) if place <= row or sample[place][1] != sample[row][1]]
    others, looks_of_others = [sample[place] for place in kept], [looks[place] for place in kept]
    score = sum(_evidence(others, looks_of_others, row, column) for column in range(len(here)))
    if score == 0:
        return filled.count(Likeness.TEXT) * 2 > len(filled)
    return score > 0


def _reads_like_headings(cells: Sequence[Cell], filled: Sequence[Likeness]) -> bool:
    """Mostly words, or a word and then years or days, as in a table of periods."""
    words = sum(1 for look in filled if look in (Likeness.TEXT, Likeness.VALUE_TEXT))
    periods = sum(1 for cell in cells if likeness(cell) is Likeness.DATE or _is_year(cell.text.strip()))
    return words * 2 > len(filled) or (words >= 1 and words + periods == len(filled))


def _evidence(sample: Sequence[RawRow], looks: Sequence[Sequence[Likeness]], row: int, column: int) -> float:
    """What one column says: above 0 for a heading over values, below 0 for one more value."""
    here = looks[row][column]
    below = [line[column] for line in looks[row + 1 :] if column < len(line) and line[column] is not Likeness.BLANK]
    if here is Likeness.BLANK or not below:
        return 0.0
    usual, times = Counter(below).most_common(1)[0]
    text = str(sample[row][1][column].text).strip()
    if here is Likeness.TEXT:
        if usual is not Likeness.TEXT:
            return 1.0 if times * 2 > len(below) else 0.3
        return _evidence_among_texts(sample, row, column, text)
    if here is Likeness.NUMBER and usual is Likeness.NUMBER and _is_year(text):
        return 0.0 if any(_is_year(_text_at(line, column)) for line in sample[row + 1 : row + 4]) else 0.5
    if here in (Likeness.DATE, Likeness.NUMBER) and usual is Likeness.NUMBER and here is not usual:
        return 0.5  # months as headings over figures
    return -1.0 if here is usual else -0.5


def _evidence_among_texts(sample: Sequence[RawRow], row: int, column: int, text: str) -> float:
    others = [_text_at(line, column) for line in sample[row + 1 :]]
    others = [other for other in others if other]
    if text in others:
        return -0.8
    lengths = {len(other) for other in others}
    if len(lengths) == 1 and len(others) > 2:
        return -0.2 if len(text) in lengths else 0.4
    return 0.1 if len(set(others)) < len(others) else 0.0


def _text_at(row: RawRow, column: int) -> str:
    return row[1][column].text.strip() if column < len(row[1]) else ""


def _is_year(text: str) -> bool:
    return len(text) == 4 and text.isdigit() and "1900" <= text <= "2100"


def _continues(
    sample: Sequence[RawRow], looks: Sequence[Sequence[Likeness]], last: int, spans: Sequence[tuple[int, int, int, int]]
) -> bool:
    """Whether the row under `last` is one more line of the headings."""
    under = last + 1
    if under >= len(sample) or sample[under][0] != sample[last][0] + 1 or not _all_text(looks[under]):
        return False
    row = sample[last][0]
    width = len(sample[last][1])
    for first_row, first_column, last_row, last_column in spans:
        grouped = last_column > first_column and last_column - first_column + 1 < width
        if first_row <= row <= last_row and (last_row > row or (grouped and first_row == row)):
            return True
    values = [column for column in range(width) if _holds_values(looks, under + 1, column)]
    texts = sum(1 for column in values if column < len(looks[under]) and looks[under][column] is Likeness.TEXT)
    return texts * 2 > len(values) > 0 and len(looks) > under + 1


def _holds_values(looks: Sequence[Sequence[Likeness]], start: int, column: int) -> bool:
    """Most filled cells from `start` on are numbers or dates."""
    below = [line[column] for line in looks[start:] if column < len(line) and line[column] is not Likeness.BLANK]
    return bool(below) and sum(1 for look in below if look in (Likeness.NUMBER, Likeness.DATE)) * 5 >= len(below) * 4


def name_columns(headings: Sequence[Sequence[Cell]], indexes: Sequence[int]) -> tuple[Column, ...]:
    """Name the columns at sheet columns `indexes` (1-based): lines of a heading joined, blanks numbered, repeats
    told apart.
    """
    written = [_join_heading(headings, index - 1) for index in indexes]
    taken: Counter[str] = Counter()
    columns: list[Column] = []
    names = {heading for heading in written if heading}
    for position, (index, heading) in enumerate(zip(indexes, written, strict=True), start=1):
        name = heading or f"column {position}"
        taken[name] += 1
        number = taken[name]
        while number > 1 and f"{name} ({number})" in names:
            number += 1
        columns.append(Column(name if number == 1 else f"{name} ({number})", heading, index))
    return tuple(columns)


def _join_heading(headings: Sequence[Sequence[Cell]], column: int) -> str:
    parts: list[str] = []
    for line, cells in enumerate(headings):
        text = _heading_text(cells, column)
        is_group = not text and line + 1 < len(headings) and _heading_text(headings[line + 1], column)
        if is_group:
            text = next(
                (_heading_text(cells, left) for left in range(column - 1, -1, -1) if _heading_text(cells, left)), ""
            )
        if text and text not in parts:
            parts.append(text)
    return " ".join(parts)


def _heading_text(cells: Sequence[Cell], column: int) -> str:
    cell = cells[column] if column < len(cells) else BLANK_CELL
    return " ".join(cell.text.split())
