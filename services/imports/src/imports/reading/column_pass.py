"""The running look over one column, cell by cell, and the conclusions that only the whole column allows.

Written for speed where it runs for every cell: values seen to be plain text are looked at once.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from imports.reading.cells import NUMERIC_KINDS, Cell, CellKind, SourceRow, plain_number
from imports.reading.column_profile import ColumnProfile
from imports.reading.damaged_text import find_damage
from imports.reading.dates import DateForm, DateTrouble, date_forms
from imports.reading.description import ReadOptions
from imports.reading.findings import Finding, FindingCode, FindingList, Severity, excerpt
from imports.reading.limits import Limits
from imports.reading.numbers import NumberTrouble, ParsedNumber, parse_number

#: Cells named per kind and column; the counts say the rest.
SHOWN_CELLS = 50
#: Distinct values kept of a column; more say only that there are many.
DISTINCT_VALUES = 1_000
_EXAMPLES = 5
#: From this share of its filled cells on, a column is one of dates and what is wrong with them is worth telling.
_MAIN_SHARE = 0.5
#: Texts known to be nothing but text, so that repeated values cost one look; bounded, about 1 MB a column.
_PLAIN_TEXTS = 10_000
_VALUE_STARTS = frozenset("+-($€£¥₽.,−%")
_VALUE_ENDS = frozenset("%€₽$-)г.")
_CONTROLS = frozenset(map(chr, (*range(9), 11, 12, *range(14, 32), 127)))


class ColumnPass:
    """The running pass over one column."""

    def __init__(self, profile: ColumnProfile, limits: Limits) -> None:
        self.profile = profile
        self.blanks = 0
        self._limits = limits
        self._counts: dict[CellKind, int] = {}
        self._text_numbers = 0
        self._plain_texts: set[str] = set()
        self._smallest: int | float | Decimal | None = None
        self._largest: int | float | Decimal | None = None
        self._odd_dates: dict[frozenset[DateForm] | DateTrouble, list[tuple[str, int, str, str]]] = {}

    def look_at(self, cell: Cell, row: SourceRow, position: int, findings: FindingList) -> None:
        """Take in one filled cell."""
        kind = cell.kind
        count = self._counts.get(kind, 0) + 1
        self._counts[kind] = count
        if count <= SHOWN_CELLS:
            self.profile.cells.setdefault(kind, []).append(row.address(position))
        if kind is CellKind.TEXT:
            text = cell.value
            if text in self._plain_texts:
                self._count_value(text)  # type: ignore[arg-type]
                return
            self._look_at_text(text, row, position, findings)  # type: ignore[arg-type]
        else:
            self._look_at_value(cell, row, position, findings)
        if self.profile.distinct_complete:
            self._count_value(cell.value if isinstance(cell.value, str) else cell.text)

    def _look_at_value(self, cell: Cell, row: SourceRow, position: int, findings: FindingList) -> None:
        if cell.kind in NUMERIC_KINDS:
            self._measure(cell.value)  # type: ignore[arg-type]
        elif cell.kind is CellKind.DATE:
            self._look_at_moment(cell)
        elif cell.kind is CellKind.ERROR:
            message = f"the cell holds the error {cell.value}"
            self._report(
                findings,
                FindingCode.ERROR_CELL,
                Severity.ERROR,
                message,
                "correct the formula in the file",
                row,
                position,
                str(cell.value),
            )

    def _count_value(self, text: str) -> None:
        distinct = self.profile.distinct
        if text in distinct:
            distinct[text] += 1
        elif len(distinct) < DISTINCT_VALUES:
            distinct[text] = 1
            if len(self.profile.examples) < _EXAMPLES:
                self.profile.examples.append(excerpt(text))
        else:
            self.profile.distinct_complete = False

    def _measure(self, value: int | float | Decimal) -> None:
        # Kept as they come and made exact at the end: a Decimal of every number would cost more than reading it.
        if self._smallest is None or value < self._smallest:
            self._smallest = value
        if self._largest is None or value > self._largest:
            self._largest = value

    def _look_at_moment(self, cell: Cell) -> None:
        value, profile = cell.value, self.profile
        if isinstance(value, datetime):
            profile.earliest = value if profile.earliest is None or value < profile.earliest else profile.earliest
            profile.latest = value if profile.latest is None or value > profile.latest else profile.latest

    def _look_at_text(self, text: str, row: SourceRow, position: int, findings: FindingList) -> None:
        profile = self.profile
        if len(text) > profile.longest_text:
            profile.longest_text = len(text)
            if len(text) > self._limits.cell_characters:
                message = (
                    f"the text has {len(text):,} characters, a cell holds at most {self._limits.cell_characters:,}"
                )
                self._report(
                    findings,
                    FindingCode.TEXT_TOO_LONG,
                    Severity.ERROR,
                    message,
                    "look for an unclosed quote, or shorten it",
                    row,
                    position,
                    text,
                )
        damaged = self._look_for_damage(text, row, position, findings)
        first, last = text[:1], text[-1:]
        if first.isdigit() or last.isdigit() or first in _VALUE_STARTS or last in _VALUE_ENDS:
            self._look_at_written_value(text, row, position)
        elif len(self._plain_texts) < _PLAIN_TEXTS and not damaged and len(text) <= 200:
            self._plain_texts.add(text)

    def _look_for_damage(self, text: str, row: SourceRow, position: int, findings: FindingList) -> bool:
        if text.isascii() and text.isprintable() and "????" not in text:
            return False
        damage = find_damage(text)
        if damage is not None:
            probably = f", probably {excerpt(damage.original)!r}" if damage.original and damage.original != text else ""
            message = f"damaged text: {damage.how}{probably}"
            self._report(
                findings,
                FindingCode.DAMAGED_TEXT,
                Severity.WARNING,
                message,
                "choose the right encoding, or correct the source",
                row,
                position,
                text,
            )
        if not text.isprintable() and not _CONTROLS.isdisjoint(text):
            message = "the text holds control characters"
            self._report(
                findings,
                FindingCode.CONTROL_CHARACTERS,
                Severity.WARNING,
                message,
                "delete them in the source",
                row,
                position,
                text,
            )
            return True
        return damage is not None

    def _look_at_written_value(self, text: str, row: SourceRow, position: int) -> None:
        profile = self.profile
        if text.isascii() and text.isdigit() and len(text) != 8:
            self._text_numbers += 1
            profile.leading_zeros += 1 if text[0] == "0" and len(text) > 1 else 0
            self._measure(int(text))
            return
        # "Person 12" is no number; only a short word before the digits can be a currency.
        number = NumberTrouble.NOT_A_NUMBER if text[:5].isalpha() else parse_number(text)
        if isinstance(number, ParsedNumber):
            if number.percent:
                profile.text_percents += 1
            else:
                profile.text_numbers[number.decimal_mark] += 1
                self._measure(number.value)
            if len(text) != 8:  # 20171231 is a number and a day
                return
        elif number is NumberTrouble.AMBIGUOUS:
            profile.ambiguous_numbers += 1
            return
        self._look_at_written_date(text, row, position)

    def _look_at_written_date(self, text: str, row: SourceRow, position: int) -> None:
        forms = date_forms(text)
        if forms is DateTrouble.NOT_A_DATE or (isinstance(forms, dict) and DateForm.COMPACT in forms):
            return
        self.profile.text_dates.look_at(text)
        key = forms if isinstance(forms, DateTrouble) else frozenset(forms)
        kept = self._odd_dates.setdefault(key, [])
        if len(kept) < SHOWN_CELLS:
            kept.append((row.sheet, row.number, row.address(position), text))

    def conclude(self, options: ReadOptions, findings: FindingList) -> None:
        profile = self.profile
        name = profile.column.name
        profile.kinds.update(self._counts)
        profile.text_numbers[""] += self._text_numbers
        if self.blanks:
            profile.kinds[CellKind.BLANK] = self.blanks
        profile.smallest, profile.largest = _exact(self._smallest), _exact(self._largest)
        profile.decimal = options.decimal_of(name) or self._find_decimal()
        profile.date_form = options.date_form_of(name) or profile.text_dates.form
        if profile.text_dates.dates >= profile.filled * _MAIN_SHARE and profile.text_dates.dates:
            self._conclude_dates(findings)
        if profile.ambiguous_numbers and not profile.decimal and profile.main_kind is CellKind.NUMBER:
            message = f"{profile.ambiguous_numbers} numbers can be read with a decimal mark or a thousands mark"
            self._tell(findings, FindingCode.AMBIGUOUS_NUMBER, message, "choose the decimal mark of the column")
        self._conclude_mixture(findings)

    def _find_decimal(self) -> str:
        """The mark that the column's numbers show, when they show only one."""
        shown = {mark for mark in (".", ",") if self.profile.text_numbers[mark]}
        return shown.pop() if len(shown) == 1 else ""

    def _conclude_dates(self, findings: FindingList) -> None:
        profile = self.profile
        if profile.date_ambiguous:
            message = f"all {profile.text_dates.dates} dates can be read with the day first or the month first"
            self._tell(findings, FindingCode.AMBIGUOUS_DATE, message, "choose the date form of the column")
        for key, cells in self._odd_dates.items():
            for sheet, number, address, text in cells:
                if key is DateTrouble.IMPOSSIBLE:
                    code, message = FindingCode.IMPOSSIBLE_DATE, f"there is no day {excerpt(text)!r}"
                elif isinstance(key, frozenset) and profile.date_form is not None and profile.date_form not in key:
                    code, message = (
                        FindingCode.CONTRADICTING_DATE,
                        f"{excerpt(text)!r} is not written like the other dates ({profile.date_form})",
                    )
                else:
                    break
                findings.add(
                    Finding(
                        code,
                        Severity.ERROR,
                        message,
                        "correct the date",
                        sheet,
                        address,
                        number,
                        profile.column.name,
                        excerpt(text),
                    )
                )

    def _conclude_mixture(self, findings: FindingList) -> None:
        """Cells of another kind in a column of numbers or dates, with their addresses."""
        profile = self.profile
        main = profile.main_kind
        if main not in (CellKind.NUMBER, CellKind.CURRENCY, CellKind.DATE):
            return
        alike = NUMERIC_KINDS - {CellKind.PERCENT} if main is not CellKind.DATE else frozenset({CellKind.DATE})
        for kind, count in profile.kinds.items():
            if kind in alike or kind in (CellKind.BLANK, CellKind.ERROR, CellKind.TEXT):
                continue
            shown = ", ".join(profile.cells[kind][:10])
            self._tell(
                findings,
                FindingCode.MIXED_KINDS,
                f"{count} cells are of {kind} type in a column of {main}: {shown}",
                "check these cells",
            )
        if profile.text_percents and main is not CellKind.DATE:
            self._tell(
                findings,
                FindingCode.MIXED_KINDS,
                f"{profile.text_percents} texts are percents in a column of {main}",
                "check these cells",
            )

    def _tell(self, findings: FindingList, code: FindingCode, message: str, way_out: str) -> None:
        findings.add(Finding(code, Severity.WARNING, message, way_out, column=self.profile.column.name))

    def _report(
        self,
        findings: FindingList,
        code: FindingCode,
        severity: Severity,
        message: str,
        way_out: str,
        row: SourceRow,
        position: int,
        value: str,
    ) -> None:
        findings.add(
            Finding(
                code,
                severity,
                message,
                way_out,
                row.sheet,
                row.address(position),
                row.number,
                self.profile.column.name,
                excerpt(value),
            )
        )


def _exact(value: int | float | Decimal | None) -> Decimal | None:
    return value if value is None or isinstance(value, Decimal) else Decimal(plain_number(value))
