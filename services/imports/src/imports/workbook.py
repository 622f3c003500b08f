"""A file as a run needs it: the columns with what they hold, how their texts are read, and its rows, in two passes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
_SEVERITIES = {Severity.ERROR: WARNING, Severity.WARNING: WARNING, Severity.INFO: INFO}


@dataclass
class OpenedTable:
    """The table of a file. `forms[i]` belongs to `columns[i]`; `rows()` reads the file once more from its beginning."""

    opened: OpenFile
    columns: list[ColumnFacts]
    forms: list[ColumnForm]
    detected: dict[str, Any]
    expected_rows: int
    findings: list[Finding]
    _reader: RowReader | None = field(default=None, repr=False)

    def rows(self) -> Iterator[SourceRow]:
        """The data rows, in order. Errors: UnreadableFile."""
        self._reader = self.opened.read_rows()
        yield from self._reader

    def close(self) -> None:
        """Close the file."""
        self.opened.close()

    def skipped(self) -> int:
        """Rows left out in the last pass: totals, notes, repeated headers; blank rows are not counted."""
        if self._reader is None:
            return 0
        return sum(count for reason, count in self._reader.skipped.counts.items() if reason is not SkipReason.BLANK)

    def findings_after(self) -> list[Finding]:
        """What only the whole pass could tell."""
        if self._reader is None:
            return []
        told = _plain(self._reader.findings)
        for one in self._reader.skipped.shown:
            message = f"row {one.row} is left out: {one.reason}"
            way_out = "if it is data, set the rows to read"
            told.append(Finding("skipped_row", INFO, message, way_out, one.sheet, row=one.row, value=one.text))
        return told


def open_table(path: Path, filename: str, options: Mapping[str, Any]) -> OpenedTable:
    """Find the table of a file and survey every column. Errors: UnreadableFile."""
    asked = read_options(options)
    opened = OpenFile(path, asked)
    try:
        return _survey(opened, filename, asked)
    except BaseException:
        opened.close()
        raise


def _survey(opened: OpenFile, filename: str, asked: ReadOptions) -> OpenedTable:
    book = opened.describe(filename)
    reader = opened.read_rows()
    names = [column.name for column in reader.columns]
    surveys = [ColumnSurvey(name) for name in names]
    damage = DamageSurvey(names)
    rows = 0
    for row in reader:
        rows += 1
        for survey, cell in zip(surveys, row.cells, strict=True):
            survey.look(cell)
        damage.look(row)
    forms = [
        survey.end(asked.decimal_of(survey.facts.header), asked.date_form_of(survey.facts.header)) for survey in surveys
    ]
    found = Findings()
    found.extend(_plain(book.findings))
    found.extend(damage.findings.worst_first())
    detected = _detected(book, reader, forms, surveys)
    return OpenedTable(opened, [one.facts for one in surveys], forms, detected, rows, found.worst_first())


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
