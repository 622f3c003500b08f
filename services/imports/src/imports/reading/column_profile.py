"""What one column of a table holds over the whole file, and what its main kind is. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from imports.reading.cells import CellKind
from imports.reading.dates import DateEvidence, DateForm
from imports.reading.description import Column


@dataclass(slots=True)
class ColumnProfile:
    """What one column holds.

    Shapes: `kinds` counts cells by kind; `cells` names the first cells of each kind. Of the text cells, `text_numbers`
    counts those that are numbers, by the decimal mark they show ("" for neither), `text_percents` those with a percent
    sign, `ambiguous_numbers` those that could be two numbers, `text_dates` gathers what the dates among them prove.
    """

    column: Column
    kinds: Counter[CellKind] = field(default_factory=Counter)
    cells: dict[CellKind, list[str]] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)
    distinct: dict[str, int] = field(default_factory=dict)
    distinct_complete: bool = True
    smallest: Decimal | None = None
    largest: Decimal | None = None
    earliest: datetime | date | None = None
    latest: datetime | date | None = None
    longest_text: int = 0
    leading_zeros: int = 0
    text_numbers: Counter[str] = field(default_factory=Counter)
    text_percents: int = 0
    ambiguous_numbers: int = 0
    text_dates: DateEvidence = field(default_factory=DateEvidence)
    decimal: str = ""
    date_form: DateForm | None = None

    @property
    def filled(self) -> int:
        """Cells that hold something."""
        return sum(count for kind, count in self.kinds.items() if kind is not CellKind.BLANK)

    @property
    def main_kind(self) -> CellKind:
        """What the column is by most of its cells, written numbers and dates counted as what they are; BLANK when
        empty.
        """
        counts = Counter({kind: count for kind, count in self.kinds.items() if kind is not CellKind.BLANK})
        written = sum(self.text_numbers.values()) + self.ambiguous_numbers
        counts[CellKind.NUMBER] += written
        counts[CellKind.PERCENT] += self.text_percents
        counts[CellKind.DATE] += self.text_dates.dates + self.text_dates.impossible
        counts[CellKind.TEXT] -= written + self.text_percents + self.text_dates.dates + self.text_dates.impossible
        kind, count = max(counts.items(), key=lambda item: item[1], default=(CellKind.BLANK, 0))
        return kind if count else CellKind.BLANK

    @property
    def date_ambiguous(self) -> bool:
        """Its written dates can be read two ways and no cell tells which."""
        return self.text_dates.ambiguous and self.date_form is None
