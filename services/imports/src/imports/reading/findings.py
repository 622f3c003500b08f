"""What was noticed in a file: each trouble with its cell, its value and the way out.

Lists are bounded: a column of a million wrong cells is one code, a count and its first cells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

#: Enough to show what is wrong, few enough to read.
SHOWN_PER_CODE_AND_COLUMN = 50
#: A value in a message is an excerpt; the cell address leads to the whole.
SHOWN_VALUE_CHARACTERS = 200


class Severity(StrEnum):
    """ERROR keeps the row or file from loading, WARNING asks for a look, INFO tells."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class FindingCode(StrEnum):
    """Every kind of trouble the reading of files can report."""

    EXTRA_CELLS = "extra_cells"
    MISSING_CELLS = "missing_cells"
    BLANK_HEADER = "blank_header"
    DUPLICATE_HEADER = "duplicate_header"
    NO_HEADER = "no_header"
    NO_DATA = "no_data"
    TITLE_ROWS = "title_rows"
    HIDDEN_SHEET = "hidden_sheet"
    HIDDEN_ROWS = "hidden_rows"
    HIDDEN_COLUMNS = "hidden_columns"
    MERGED_CELLS = "merged_cells"
    FORMULA_WITHOUT_VALUE = "formula_without_value"
    FORMATS_UNKNOWN = "formats_unknown"
    MACROS_IGNORED = "macros_ignored"
    WRONG_FILE_NAME = "wrong_file_name"
    ENCODING_GUESSED = "encoding_guessed"
    DELIMITER_GUESSED = "delimiter_guessed"
    OTHER_SHEETS = "other_sheets"


@dataclass(frozen=True, slots=True)
class Finding:
    """One trouble. `cell` is an address like Sheet1!C14, empty when the finding is about a column, sheet or file."""

    code: FindingCode
    severity: Severity
    message: str
    way_out: str = ""
    sheet: str = ""
    cell: str = ""
    row: int | None = None
    column: str = ""
    value: str = ""


class FindingList:
    """Findings in the order they were met, at most SHOWN_PER_CODE_AND_COLUMN kept per code and column, all counted."""

    def __init__(self) -> None:
        self._kept: list[Finding] = []
        self._counts: Counter[tuple[FindingCode, str]] = Counter()

    def add(self, finding: Finding) -> None:
        """Count a finding, and keep it while there are few of its kind."""
        key = (finding.code, finding.column)
        self._counts[key] += 1
        if self._counts[key] <= SHOWN_PER_CODE_AND_COLUMN:
            self._kept.append(finding)

    def extend(self, findings: FindingList) -> None:
        """Take over another list with its counts."""
        for finding in findings:
            key = (finding.code, finding.column)
            if sum(1 for kept in self._kept if (kept.code, kept.column) == key) < SHOWN_PER_CODE_AND_COLUMN:
                self._kept.append(finding)
        self._counts.update(findings._counts)

    def count(self, code: FindingCode, column: str | None = None) -> int:
        """How many findings of a code were met, kept or not; in one column when named."""
        return sum(n for (known, where), n in self._counts.items() if known is code and column in (None, where))

    @property
    def counts(self) -> dict[tuple[FindingCode, str], int]:
        """How many were met per (code, column)."""
        return dict(self._counts)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)


def excerpt(value: str) -> str:
    """A value short enough for a message."""
    return value if len(value) <= SHOWN_VALUE_CHARACTERS else value[: SHOWN_VALUE_CHARACTERS - 1] + "…"
