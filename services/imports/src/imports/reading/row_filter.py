"""Which rows under the headings are records, and which are blank, totals, notes or the headings once more.

Nothing is dropped in silence: every row left out is counted with its reason, and the first of them are kept to be
shown.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from imports.quiet import MARK_OF_EXPORTS
from imports.reading.cells import BLANK_CELL, NUMERIC_KINDS, Cell, CellKind
from imports.reading.description import TablePart
from imports.reading.findings import excerpt
from imports.reading.header import Likeness, likeness
from imports.reading.sources import RawRow

#: Rows held back until it is known whether records follow; more than this are records.
_MOST_HELD = 50
_SHOWN_SKIPPED = 50
_TOTAL_WORD = (
    r"(?:grand\s+|sub[\s-]?|overall\s+|running\s+)?totals?|sum(?:me|ma)?|(?:общий\s+)?итог(?:о|и)?|под[иы]тог|всего|gesamt(?:summe)?|insgesamt|zwischensumme|totale?|total\s+g[ée]n[ée]ral"
    r"|subtotal|totaal|razem|suma|celkem|всього|разом|барлығы|жами|合计|总计|小计|合計|総計|小計|합계|총계|المجموع|الإجمالي|מיליון|סה\"כ|toplam"
)
_TOTAL_ALONE = re.compile(rf"\W*(?:{_TOTAL_WORD})\W*", re.IGNORECASE)
_TOTAL_FIRST = re.compile(rf"\W*(?:{_TOTAL_WORD})(?![\w])", re.IGNORECASE)
_NOTE = re.compile(
    r"(?:source|notes?|generated|exported|printed|prepared|signed|signature|page|\*|©|примечани|источник|составил|подпис|исполнител|"
    r"директор|бухгалтер|ответственн|отчет|сформирован|страница|quelle|hinweis|stand:)",
    re.IGNORECASE,
)


class SkipReason(StrEnum):
    """Why a row is not read as a record."""

    BLANK = "blank row"
    TOTALS = "totals row"
    NOTE = "note below the table"
    REPEATED_HEADER = "repeated header"


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """A row left out, where it stands and what it says."""

    sheet: str
    row: int
    reason: SkipReason
    text: str


class SkippedRows:
    """The rows left out of a table: counted by reason, the first ones kept; blank ones are only counted."""

    def __init__(self) -> None:
        self.counts: Counter[SkipReason] = Counter()
        self.shown: list[SkippedRow] = []

    def add(self, sheet: str, row: int, reason: SkipReason, cells: Sequence[Cell] = ()) -> None:
        """Count a row, and keep it while there is room."""
        self.counts[reason] += 1
        if reason is not SkipReason.BLANK and len(self.shown) < _SHOWN_SKIPPED:
            text = " | ".join(cell.text for cell in cells if cell.value is not None)
            self.shown.append(SkippedRow(sheet, row, reason, excerpt(text)))


class RowFilter:
    """Passes the records of one table part on and counts the rest; one pass, holding back at most a few rows."""

    def __init__(self, part: TablePart, skipped: SkippedRows) -> None:
        self._part = part
        self._skipped = skipped
        self._indexes = [column.index - 1 for column in part.columns]
        self._headings = tuple(column.heading for column in part.columns)
        self._first_heading = next((heading for heading in self._headings if heading), "")
        self._keys = [index - 1 for index in part.key_columns]
        # Totals have a label and, in a wide table, one more text; so many filled key columns no total has.
        sure = 2 if len(self._indexes) <= 5 else 3
        self._sure_keys = self._keys[:sure] if len(self._keys) >= sure else []
        self._width_of_keys = self._sure_keys[-1] + 1 if self._sure_keys else 0
        self._held: list[tuple[int, list[Cell], SkipReason]] = []
        self._after_blank = False
        self._last = part.first_row - 1

    def records(self, rows: Iterator[RawRow]) -> Iterator[RawRow]:
        """The records of the part, in order."""
        last_row = self._part.last_row
        for number, cells in rows:
            if number < self._part.first_row:
                continue
            if last_row is not None and number > last_row:
                break
            plain = self._is_plainly_a_record(cells)
            if not plain and self._is_blank(cells):
                continue
            if number != self._last + 1:
                self._count_blanks(self._last + 1, number)
            self._last = number
            if plain and not self._held:
                yield number, cells
            else:
                yield from self._judge(number, cells)
            self._after_blank = False
        self._end_held()

    def _is_plainly_a_record(self, cells: Sequence[Cell]) -> bool:
        """Nearly every row: it fills more of the usual text cells than a total or a note ever does."""
        if self._width_of_keys > len(cells):
            return False
        for index in self._sure_keys:
            if cells[index].value is None:
                return False
        return self._width_of_keys > 0 and cells[self._sure_keys[0]].value not in self._headings

    def _count_blanks(self, start: int, end: int) -> None:
        """Blank rows between records; the empty rest of a sheet is not worth a word."""
        if end > start:
            self._skipped.counts[SkipReason.BLANK] += end - start
            self._after_blank = True

    def _is_blank(self, cells: Sequence[Cell]) -> bool:
        return all(cell.value is None or (isinstance(cell.value, str) and cell.value.isspace()) for cell in cells)

    def _judge(self, number: int, cells: list[Cell]) -> Iterator[RawRow]:
        reason, hold = self._doubt(cells)
        if reason and not hold:
            self._skipped.add(self._part.sheet, number, reason, cells)
            return
        if reason and len(self._held) < _MOST_HELD:
            self._held.append((number, cells, reason))
            return
        yield from self._release()
        yield number, cells

    def _doubt(self, cells: list[Cell]) -> tuple[SkipReason | None, bool]:
        """Whether a row may be no record: its reason, and whether that shows only when nothing follows."""
        first = cells[0] if cells[0].value is not None else next(cell for cell in cells if cell.value is not None)
        text = first.value if isinstance(first.value, str) else ""
        if text and text.strip() == self._first_heading and self._repeats_headings(cells):
            return SkipReason.REPEATED_HEADER, False
        if text and _TOTAL_FIRST.match(text) and self._is_total(text, cells):
            return SkipReason.TOTALS, len(self._indexes) <= 2 and not _TOTAL_ALONE.fullmatch(text)
        if text.startswith(MARK_OF_EXPORTS) and sum(1 for cell in cells if cell.value is not None) == 1:
            return SkipReason.NOTE, True
        if self._part.usual_fill < 3:
            return None, False
        if self._keys and not self._fills_a_key(cells):
            return self._doubt_without_keys(cells)
        if (
            text
            and (len(cells) == 1 or cells[-1].value is None)
            and sum(1 for cell in cells if cell.value is not None) == 1
        ):
            note = self._after_blank or len(text) > 60 or _NOTE.match(text.strip())
            return (SkipReason.NOTE, True) if note else (None, False)
        return None, False

    def _doubt_without_keys(self, cells: list[Cell]) -> tuple[SkipReason | None, bool]:
        looks = [likeness(cell) for cell in cells if cell.value is not None]
        first = cells[self._indexes[0]] if self._indexes[0] < len(cells) else BLANK_CELL
        if first.value is None and all(look is Likeness.NUMBER for look in looks):
            return SkipReason.TOTALS, True
        only_text = len(looks) == 1 and looks[0] is Likeness.TEXT
        return (SkipReason.NOTE, True) if only_text and self._after_blank else (None, False)

    def _fills_a_key(self, cells: Sequence[Cell]) -> bool:
        width = len(cells)
        return any(index < width and cells[index].value is not None for index in self._keys)

    def _repeats_headings(self, cells: Sequence[Cell]) -> bool:
        texts = tuple(" ".join(cells[index].text.split()) if index < len(cells) else "" for index in self._indexes)
        return texts == self._headings and any(texts)

    def _is_total(self, label: str, cells: Sequence[Cell]) -> bool:
        """A label of totals and nothing but numbers beside it, in a row that leaves usual cells blank."""
        others = [cell for cell in cells if cell.value is not None and cell.value is not label]
        texts = [cell for cell in others if cell.kind not in NUMERIC_KINDS and likeness(cell) is not Likeness.NUMBER]
        if any(cell.kind is CellKind.DATE for cell in texts) or len(texts) > (1 if len(self._indexes) > 5 else 0):
            return False
        return bool(others) or bool(_TOTAL_ALONE.fullmatch(label))

    def _end_held(self) -> None:
        """Nothing follows the held rows, so they are what they seemed to be."""
        for number, cells, reason in self._held:
            self._skipped.add(self._part.sheet, number, reason, cells)
        self._held = []

    def _release(self) -> Iterator[RawRow]:
        """Records follow the held rows, so they are records too."""
        held, self._held = self._held, []
        for number, cells, _ in held:
            yield number, cells
