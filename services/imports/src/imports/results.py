"""The result file: every row of the upload as it was, with its fate and the reason. Formulas come out as text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa

from chassis.access import Access
from chassis.database import Database
from chassis.errors import FieldInvalid, FieldViolation
from imports.queries import rows_with_fates
from imports.quiet import quiet_text
from imports.runs import get_run
from imports.tables import run_row

PIECE_BYTES = 256 * 1024
ROWS_AT_ONCE = 5_000
SHEET_ROWS = 1_000_000  # a sheet holds 1,048,576
_FORMATS = ("xlsx", "csv")


def write_result(database: Database, access: Access, run_id: str, format_: str) -> Iterator[bytes]:
    """The result file in pieces, a few thousand rows in memory. Errors: RunNotFound, FieldInvalid (format)."""
    if format_ not in _FORMATS:
        raise FieldInvalid(FieldViolation("format", f"is {format_!r}; use xlsx or csv"))
    with database.transaction(access) as work:
        found = get_run(work, run_id)
    header = ["sheet", "row", *(one["column"] for one in found.mapping), "fate", "reason", "message", "record"]
    rows = _rows(database, access, found)
    if format_ == "csv":
        yield from _csv(header, rows)
    else:
        yield from _xlsx(header, rows)


def _rows(database: Database, access: Access, found: sa.Row[Any]) -> Iterator[list[str]]:
    place, width = 0, len(found.mapping)
    while True:
        question = rows_with_fates(found).where(run_row.c.place > place).order_by(run_row.c.place).limit(ROWS_AT_ONCE)
        with database.transaction(access) as work:
            page = work.execute(question).all()
        if not page:
            return
        for row in page:
            cells = (list(row.cells) + [""] * width)[:width]
            yield [row.sheet, str(row.row), *cells, row.fate, row.reason, row.message, row.record_id]
        place = page[-1].place


def _csv(header: list[str], rows: Iterator[list[str]]) -> Iterator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    text.write("\ufeff")  # spreadsheets take UTF-8 only with the mark
    writer.writerow(map(quiet_text, header))
    for row in rows:
        writer.writerow(map(quiet_text, row))
        if text.tell() > PIECE_BYTES:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _xlsx(header: list[str], rows: Iterator[list[str]]) -> Iterator[bytes]:
    import xlsxwriter  # heavy, and most processes never write a workbook

    with TemporaryDirectory(prefix="branchline-result-") as folder:
        path = Path(folder) / "result.xlsx"
        book = xlsxwriter.Workbook(
            str(path), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        )
        sheet, line = None, 0
        for row in rows:
            if sheet is None or line == SHEET_ROWS:
                sheet, line = _new_sheet(book, header), 1
            for column, text in enumerate(row):
                sheet.write_string(line, column, text[:32_767])
            line += 1
        if sheet is None:
            _new_sheet(book, header)
        book.close()
        with path.open("rb") as made:
            while piece := made.read(PIECE_BYTES):
                yield piece


def _new_sheet(book: Any, header: list[str]) -> Any:
    sheet = book.add_worksheet()
    bold = book.add_format({"bold": True})
    for column, text in enumerate(header):
        sheet.write_string(0, column, text[:32_767], bold)
    sheet.freeze_panes(1, 0)
    return sheet
