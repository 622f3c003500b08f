"""What the cells of each column say together: kinds, first values, decimal mark, date form, damaged text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from imports.cell_values import ColumnForm
from imports.findings import WARNING, Finding, Findings
from imports.mapping import ColumnFacts
from imports.reading.cells import Cell, CellKind, SourceRow
from imports.reading.damaged_text import find_damage
from imports.reading.dates import DateEvidence, DateForm
from imports.reading.numbers import ParsedNumber, parse_number

SAMPLES = 5
LONGEST_VALUE = 40  # characters: no number or date is longer
ENOUGH = 2_000  # looked at without a single hit: the column is no such column
_DIGIT = re.compile(r"\d")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"[+(]?\d[\d\s()./-]{5,}\d")
#: "40000.0000" is a sum of money, "1957-03-04" and "04.03.1957" are days.
_OTHER_FIGURES = re.compile(r"\d+\.\d+|\d{4}([./-])\d{1,2}\1\d{1,2}|\d{1,2}([./-])\d{1,2}\2(?:19|20)\d\d")


class ColumnSurvey:
    """Looks at every cell of one column once."""

    def __init__(self, name: str) -> None:
        self.facts = ColumnFacts(name)
        self.kinds: Counter[str] = Counter()
        self.dates = DateEvidence()
        self.marks: Counter[str] = Counter()
        self.numbers = 0
        self._looked = 0
        self._phones = 0
        self._samples_left = SAMPLES

    def look(self, cell: Cell) -> None:
        """Take one cell into account."""
        value = cell.value
        if value is None:
            return
        self.kinds[cell.kind] += 1
        if self._samples_left and cell.text[:100] not in self.facts.samples:
            self.facts.samples.append(cell.text[:100])
            self._samples_left -= 1
        if type(value) is str and len(value) <= LONGEST_VALUE:
            self._look_at_text(value)

    def _look_at_text(self, text: str) -> None:
        if "@" in text:
            if _EMAIL.search(text):
                self.facts.looks_like["email"] = self.facts.looks_like.get("email", 0) + 1
            return
        if not _DIGIT.search(text):
            return
        text = text.strip()
        if self._looked < ENOUGH and _PHONE.fullmatch(text) and not _OTHER_FIGURES.fullmatch(text):
            self._phones += 1
        self._looked += 1
        if self.dates.dates or self._looked < ENOUGH:
            self.dates.look_at(text)
        if self.numbers or self._looked < ENOUGH:
            found = parse_number(text)
            if isinstance(found, ParsedNumber):
                self.numbers += 1
                self.marks[found.decimal_mark] += 1

    def sum_up(self, decimal: str, date_form: DateForm | None) -> ColumnForm:
        """The form of the column, options of a person first; and its facts filled in, from all cells so far."""
        self.facts.filled = sum(self.kinds.values())
        if self._phones:  # the share among the first stands for all
            self.facts.looks_like["phone"] = self._phones * max(self._looked, ENOUGH) // ENOUGH
        self.facts.cell_kinds = {str(kind): count for kind, count in self.kinds.items()}
        shown = [mark for mark, _ in self.marks.most_common() if mark]
        numeric = self.kinds[CellKind.NUMBER] + self.kinds[CellKind.CURRENCY] + self.kinds[CellKind.DATE]
        return ColumnForm(
            decimal or (shown[0] if len(shown) == 1 else ""), date_form or self.dates.form, typed=numeric > 0
        )


class DamageSurvey:
    """Looks for text that was read or written in a wrong encoding."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = columns
        self.findings = Findings()

    def look(self, row: SourceRow) -> None:
        """Take the text cells of one row into account."""
        for place, cell in enumerate(row.cells):
            value = cell.value
            # Plain letters show damage by question marks alone; nearly every cell is done with here.
            if type(value) is str and (not value.isascii() or "????" in value):
                damage = find_damage(value)
                if damage is not None:
                    self._add(row, place, value, damage.how, damage.original)

    def _add(self, row: SourceRow, place: int, value: str, how: str, original: str) -> None:
        message = f"damaged text: {how}" + (f"; it may have been {original[:100]!r}" if original else "")
        self.findings.add(
            Finding(
                "damaged_text",
                WARNING,
                message,
                "export the file again as UTF-8, or choose its encoding; as it is, the text is stored as it stands",
                row.sheet,
                row.address(place),
                row.number,
                self.columns[place],
                value[:200],
                suggestions=[original[:200]] if original else [],
            )
        )
