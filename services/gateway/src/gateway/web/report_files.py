"""A report as a workbook: what the page shows, figures as numbers, texts as texts and never as formulas."""

from __future__ import annotations

import io
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from gateway.web.report_tables import Heading, Line, Shown, Table

FORMATS = {"count": "#,##0", "money": "#,##0.00", "percent": "0.0%", "per_hundred": "0.0", "days": "0.0"}
OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": True,
}
FIRST_WIDTH, WIDTH = 28, 16  # characters
MOST_TEXT = 32_767  # characters a cell holds


def write_workbook(
    title: str, facts: Sequence[tuple[str, str]], table: Table, notes: Sequence[str], rtl: bool = False
) -> bytes:
    """The workbook of a table: its title and what was asked, headings, rows, totals, remarks."""
    import xlsxwriter  # heavy, and most gateways never write a workbook

    output = io.BytesIO()
    book = xlsxwriter.Workbook(output, OPTIONS)
    sheet = book.add_worksheet()
    if rtl:
        sheet.right_to_left()
    writer = _Writer(book, sheet)
    writer.text(0, 0, title, bold=True)
    for at, (name, value) in enumerate(facts, 1):
        writer.text(at, 0, name)
        writer.text(at, 1, value)
    top = len(facts) + 2
    for place, one in enumerate(table.headings):
        writer.text(top, place, one.title, bold=True)
    sheet.set_column(0, max(len(table.headings) - 1, 0), WIDTH)
    sheet.set_column(0, 0, FIRST_WIDTH)
    sheet.freeze_panes(top + 1, 0)
    row = top + 1
    for line in table.lines:
        writer.line(row, line, table.headings)
        row += 1
    if table.lines:
        sheet.autofilter(top, 0, row - 1, len(table.headings) - 1)
    for line in table.totals:
        writer.line(row, line, table.headings, bold=True)
        row += 1
    for at, note in enumerate(notes, row + 1):
        writer.text(at, 0, note)
    book.close()
    return output.getvalue()


class _Writer:
    """Writes cells with the formats of one workbook, each made once."""

    def __init__(self, book: Any, sheet: Any) -> None:
        self.book, self.sheet = book, sheet
        self.formats: dict[tuple[str, bool], Any] = {}

    def line(self, row: int, line: Line, headings: Sequence[Heading], bold: bool = False) -> None:
        """One row of the table."""
        for place, (cell, one) in enumerate(zip(line.cells, headings, strict=True)):
            if one.is_figure:
                self._figure(row, place, cell, one.kind, bold)
            else:
                self.text(row, place, cell.text, bold)

    def text(self, row: int, place: int, text: str, bold: bool = False) -> None:
        """A text as it is, whatever it begins with."""
        if text:
            self.sheet.write_string(row, place, text[:MOST_TEXT], self._format("@", bold))

    def _figure(self, row: int, place: int, cell: Shown, kind: str, bold: bool) -> None:
        if cell.value is None:
            return
        kind = "percent" if kind == "change" else kind
        value = cell.value / Decimal(100) if kind == "percent" else cell.value
        form = FORMATS.get(kind, "General")
        if kind == "money" and cell.currency:
            form = f'{form} "{cell.currency}"'
        self.sheet.write_number(row, place, float(value), self._format(form, bold))

    def _format(self, form: str, bold: bool) -> Any:
        if (form, bold) not in self.formats:
            self.formats[form, bold] = self.book.add_format({"num_format": form, "bold": bold})
        return self.formats[form, bold]
