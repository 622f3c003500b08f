"""A file as a run needs it: the columns with what they hold, how their texts are read, and its rows, in two passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from imports.cell_values import ColumnForm
from imports.column_facts import ColumnSurvey, DamageSurvey
from imports.findings import ERROR, INFO, WARNING, Finding, Findings
from imports.mapping import ColumnFacts
from imports.reading import OpenFile
from imports.reading.cells import SourceRow
from imports.reading.dates import DateForm
from imports.reading.description import ReadOptions, Workbook
from imports.reading.findings import FindingList, Severity
from imports.reading.row_filter import SkipReason
from imports.reading.workbook import RowReader

DATE_ORDERS = {"dmy": DateForm.DAY_FIRST, "mdy": DateForm.MONTH_FIRST, "ymd": DateForm.ISO}
NO_HEADER = -1
GUESSED_FROM = 2_000  # rows: what they say of a column the rest of the file seldom contradicts
_SEVERITIES = {Severity.ERROR: WARNING, Severity.WARNING: WARNING, Severity.INFO: INFO}


class Pass(Protocol):
    """The data rows of a table, once; what was left out and noticed is known when they are through."""

    def rows(self) -> Iterator[SourceRow]:
        """The rows, in order. Errors: UnreadableFile."""
        ...

    def skipped(self) -> int:
        """Rows left out: totals, notes, repeated headers; blank rows are not counted."""
        ...

    def findings(self) -> list[Finding]:
        """What only the whole pass could tell."""
        ...


@dataclass
class OpenedTable:
    """The table of a file. `forms[i]` belongs to `columns[i]`; `rows()` reads the file once more from its beginning.

    What was left out and noticed is that of the last pass, begun here or by the survey.
    """

    columns: list[ColumnFacts]
    forms: list[ColumnForm]
    detected: dict[str, Any]
    expected_rows: int
    findings: list[Finding]
    _last: Pass = field(repr=False)
    _begin: Callable[[], Pass] = field(repr=False)

    def rows(self) -> Iterator[SourceRow]:
        """The data rows, in order. Errors: UnreadableFile."""
        self._last = self._begin()
        yield from self._last.rows()

    def skipped(self) -> int:
        """Rows that the last pass left out."""
        return self._last.skipped()

    def findings_after(self) -> list[Finding]:
        """What only the whole pass could tell."""
        return self._last.findings()


class Survey(Protocol):
    """Looks at every column of a file's table while its rows are read; `table` tells what is known so far."""

    @property
    def rows_in_sheets(self) -> int:
        """About how many rows are to come, as the file says; 0 where only reading tells."""
        ...

    def rows(self) -> Iterator[SourceRow]:
        """The data rows not read yet, in order, each looked at before it is given. Errors: UnreadableFile."""
        ...

    def look_through(self) -> None:
        """Look at all rows not read yet, for what they say of the columns. Errors: UnreadableFile."""
        ...

    def table(self) -> OpenedTable:
        """The table with what the rows so far say of its columns: after the first GUESSED_FROM, or after all."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


class FilePass:
    """A pass over a file that is open in this process."""

    def __init__(self, reader: RowReader) -> None:
        self.reader = reader

    def rows(self) -> Iterator[SourceRow]:
        """The rows, in order. Errors: UnreadableFile."""
        return iter(self.reader)

    def skipped(self) -> int:
        """Rows left out, but for blank ones."""
        return sum(count for reason, count in self.reader.skipped.counts.items() if reason is not SkipReason.BLANK)

    def findings(self) -> list[Finding]:
        """What only the whole pass could tell."""
        told = _plain(self.reader.findings)
        for one in self.reader.skipped.shown:
            message = f"row {one.row} is left out: {one.reason}"
            way_out = "if it is data, set the rows to read"
            told.append(Finding("skipped_row", INFO, message, way_out, one.sheet, row=one.row, value=one.text))
        return told


class FileSurvey:
    """The survey of a file that is open in this process."""

    def __init__(self, opened: OpenFile, filename: str, asked: ReadOptions) -> None:
        self._opened, self._asked = opened, asked
        self._book = opened.describe(filename)
        self._pass = self._begin()
        self._rows = self._pass.rows()
        names = [column.name for column in self._pass.reader.columns]
        self._surveys = [ColumnSurvey(name) for name in names]
        self._damage = DamageSurvey(names)
        self._seen = 0

    def _begin(self) -> FilePass:
        return FilePass(self._opened.read_rows())

    @property
    def rows_in_sheets(self) -> int:
        """About how many rows are to come, as the file says; 0 where only reading tells."""
        return sum(sheet.rows for sheet in self._book.sheets)

    def rows(self) -> Iterator[SourceRow]:
        """The data rows not read yet, in order, each looked at before it is given. Errors: UnreadableFile."""
        looks, look_for_damage = [one.look for one in self._surveys], self._damage.look
        for row in self._rows:
            self._seen += 1
            for look, cell in zip(looks, row.cells, strict=True):
                look(cell)
            look_for_damage(row)
            yield row

    def look_through(self) -> None:
        """Look at all rows not read yet. Errors: UnreadableFile."""
        for _ in self.rows():
            pass

    def table(self) -> OpenedTable:
        """The table with what the rows so far say of its columns."""
        forms = [
            survey.sum_up(self._asked.decimal_of(survey.facts.header), self._asked.date_form_of(survey.facts.header))
            for survey in self._surveys
        ]
        found = Findings()
        found.extend(_plain(self._book.findings))
        found.extend(self._damage.findings.worst_first())
        detected = _detected(self._book, self._pass.reader, forms, self._surveys)
        columns = [one.facts for one in self._surveys]
        return OpenedTable(columns, forms, detected, self._seen, found.worst_first(), self._pass, self._begin)

    def close(self) -> None:
        """Close the file."""
        self._opened.close()


def open_survey(path: Path, filename: str, options: Mapping[str, Any]) -> FileSurvey:
    """Find the table of a file. Errors: UnreadableFile."""
    asked = read_options(options)
    opened = OpenFile(path, asked)
    try:
        return FileSurvey(opened, filename, asked)
    except BaseException:
        opened.close()
        raise


def read_options(options: Mapping[str, Any]) -> ReadOptions:
    """A run's options as the reader takes them."""
    header = options.get("header_row", 0)
    return ReadOptions(
        sheets=tuple(options["sheets"]) if options.get("sheets") else None,
        encoding=options.get("encoding"),
        delimiter=options.get("delimiter"),
        quote="" if options.get("quote") == "none" else options.get("quote"),
        has_header=False if header == NO_HEADER else None,
        header_row=header if header > 0 else None,
        decimal=options.get("decimal_sign"),
        date_form=DATE_ORDERS.get(options.get("date_order", "")),
    )


def _detected(
    book: Workbook, reader: RowReader, forms: list[ColumnForm], surveys: list[ColumnSurvey]
) -> dict[str, Any]:
    """The options in force, for people to see and change."""
    table = reader.table
    found: dict[str, Any] = {"header_row": table.parts[0].header_rows[0] if table.has_header else NO_HEADER}
    if book.text is not None:
        found |= {
            "encoding": book.text.encoding,
            "delimiter": book.text.delimiter,
            "quote": book.text.quote or "none",
        }
    else:
        found["sheets"] = [part.sheet for part in table.parts]
    marks = {form.decimal for form, one in zip(forms, surveys, strict=True) if one.numbers and form.decimal}
    if len(marks) == 1:
        found["decimal_sign"] = marks.pop()
    orders = {form.date_form for form, one in zip(forms, surveys, strict=True) if one.dates.dates}
    names = {form: order for order, form in DATE_ORDERS.items()}
    known = {names[form] for form in orders if form in names}
    if len(known) == 1:
        found["date_order"] = known.pop()
    return found


def _plain(findings: FindingList) -> list[Finding]:
    """The reader's findings as a run shows them; what it calls an error, rows with it still load as they stand."""
    return [
        Finding(
            str(one.code),
            ERROR if one.code in ("no_data",) else _SEVERITIES[one.severity],
            one.message,
            one.way_out,
            one.sheet,
            one.cell,
            one.row or 0,
            one.column,
            one.value,
        )
        for one in findings
    ]
