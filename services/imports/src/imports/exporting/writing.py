"""The file of an export: rows as XLSX, CSV, JSON or vCard, with the mark of who took it, and no cell that is a formula.

A workbook's texts are typed as texts, so they stand as they are; in CSV what a spreadsheet would take for a formula
gets an apostrophe before it, which imports take away again. Rows come and go one by one; memory does not grow.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from imports.exporting.address_book import write_cards
from imports.exporting.asking import Heading
from imports.exporting.cells import DATE, NUMBER, TIME
from imports.quiet import MARK_OF_EXPORTS, quiet_text

MOST_TEXT = 32_767  # characters a cell of a workbook holds
MOST_FOOTER = 200  # characters at the foot of each printed page
EXACT_DIGITS = 15  # of a number in a workbook; longer ones stay text
SHEET_ROWS = 1_000_000  # a sheet holds 1,048,576
Facts = Sequence[tuple[str, str]]  # the mark: name and value
Rows = Iterable[Sequence[str]]
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_FORMS = {DATE: "yyyy-mm-dd", TIME: "yyyy-mm-dd hh:mm:ss"}


def write_file(format_: str, path: Path, headings: Sequence[Heading], rows: Rows, facts: Facts) -> None:
    """Write an export. Shapes: each row has one cell a heading, as `imports.exporting.cells` writes them."""
    WRITERS[format_](path, headings, rows, facts)


def mark_of(facts: Facts) -> str:
    """The mark in one line, such as stands below the rows of a text file."""
    return MARK_OF_EXPORTS.removesuffix("by ") + ", ".join(f"{name} {value}" for name, value in facts if value)


def _write_csv(path: Path, headings: Sequence[Heading], rows: Rows, facts: Facts) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:  # spreadsheets take UTF-8 only with the mark
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([one.name for one in headings])
        figures = [one.type == NUMBER for one in headings]
        for row in rows:
            cells = zip(row, figures, strict=True)
            writer.writerow([cell if figure and _is_number(cell) else quiet_text(cell) for cell, figure in cells])
        file.write("\r\n")
        writer.writerow([quiet_text(mark_of(facts))])


def _write_json(path: Path, headings: Sequence[Heading], rows: Rows, facts: Facts) -> None:
    names = [one.name for one in headings]
    with path.open("w", encoding="utf-8") as file:
        file.write('{"export": ' + json.dumps(dict(facts), ensure_ascii=False) + ', "rows": [')
        for number, row in enumerate(rows):
            file.write(",\n" if number else "\n")
            file.write(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False))
        file.write("\n]}\n")


def _write_vcf(path: Path, headings: Sequence[Heading], rows: Rows, facts: Facts) -> None:
    names = [one.name for one in headings]
    write_cards(path, (dict(zip(names, row, strict=True)) for row in rows), mark_of(facts))


def _write_xlsx(path: Path, headings: Sequence[Heading], rows: Rows, facts: Facts) -> None:
    import xlsxwriter  # heavy, and most processes never write a workbook

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(str(path), {**options, "strings_to_numbers": False})
    book.set_properties({"author": dict(facts).get("by", ""), "comments": mark_of(facts)})
    bold = book.add_format({"bold": True})
    forms = {kind: book.add_format({"num_format": form}) for kind, form in _FORMS.items()}
    writers = [_WRITE.get(one.type, _write_text) for one in headings]
    kinds = [forms.get(one.type) for one in headings]
    sheet, line = None, 0
    for row in rows:
        if sheet is None or line == SHEET_ROWS:
            sheet, line = _new_sheet(book, headings, bold, mark_of(facts)), 1
        for column, cell in enumerate(row):
            if cell:
                writers[column](sheet, line, column, cell, kinds[column])
        line += 1
    if sheet is None:
        sheet, line = _new_sheet(book, headings, bold, mark_of(facts)), 1
    sheet.write_string(line + 1, 0, mark_of(facts)[:MOST_TEXT])
    book.close()


def _new_sheet(book: Any, headings: Sequence[Heading], bold: Any, mark: str) -> Any:
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    sheet.set_footer("&L" + mark[:MOST_FOOTER].replace("&", "&&"))
    for column, one in enumerate(headings):
        sheet.write_string(0, column, one.name, bold)
    return sheet


def _write_text(sheet: Any, line: int, column: int, cell: str, form: Any) -> None:
    sheet.write_string(line, column, cell[:MOST_TEXT], form)


def _write_number(sheet: Any, line: int, column: int, cell: str, form: Any) -> None:
    if not _is_number(cell) or len(Decimal(cell).as_tuple().digits) > EXACT_DIGITS:
        sheet.write_string(line, column, cell[:MOST_TEXT], form)
    else:
        sheet.write_number(line, column, float(cell), form)


def _is_number(cell: str) -> bool:
    """Whether a cell is the number that its column says: what is older than a field of the company's own may not be."""
    return _NUMBER.fullmatch(cell) is not None


def _write_date(sheet: Any, line: int, column: int, cell: str, form: Any) -> None:
    try:
        day = date.fromisoformat(cell)
    except ValueError:  # as with numbers
        day = date.min
    if day.year < 1900:  # a workbook knows no day before
        sheet.write_string(line, column, cell[:MOST_TEXT])
    else:
        sheet.write_datetime(line, column, day, form)


def _write_time(sheet: Any, line: int, column: int, cell: str, form: Any) -> None:
    sheet.write_datetime(line, column, datetime.fromisoformat(cell).replace(tzinfo=None), form)


_WRITE: dict[str, Callable[[Any, int, int, str, Any], None]] = {
    NUMBER: _write_number,
    DATE: _write_date,
    TIME: _write_time,
}
WRITERS: dict[str, Callable[[Path, Sequence[Heading], Rows, Facts], None]] = {
    "xlsx": _write_xlsx,
    "csv": _write_csv,
    "json": _write_json,
    "vcf": _write_vcf,
}


def pieces_of(path: Path, size: int) -> Iterator[tuple[int, bytes]]:
    """The bytes of a file in pieces of `size`, each with its position."""
    position = 0
    with path.open("rb") as file:
        while piece := file.read(size):
            yield position, piece
            position += len(piece)
