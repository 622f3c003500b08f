"""Reading .xlsx and .xlsm: rows streamed with the format of every cell, macros never looked at.

openrsxl reads; where it gives up, openpyxl (the same API) goes on at the row it stopped, and where both give up the
values are read without formats in a process of their own (isolated.py), which is said in a finding.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from importlib import import_module
from pathlib import Path
from typing import IO, Any, Literal
from xml.etree.ElementTree import ParseError

from imports.reading.cells import BLANK_CELL, Cell, CellKind
from imports.reading.findings import Finding, FindingCode, FindingList, Severity
from imports.reading.formats import FileFormat
from imports.reading.isolated import IsolatedSource
from imports.reading.limits import CONTAINER_ERRORS, Limits, UnreadableFile
from imports.reading.number_formats import BUILT_IN_FORMATS, cell_of_number, kind_of_format
from imports.reading.sources import CellBudget, RawRow, SheetFacts, SheetState
from imports.reading.xlsx_parts import read_style_codes, scan_sheet

#: Imported when first used: each takes a third of a second, and most processes that import this read no .xlsx.
_ENGINES = ("openrsxl", "openpyxl")
#: What the two engines raise on files they cannot read; they promise no narrower set.
_ENGINE_ERRORS = (IndexError, TypeError, AttributeError, AssertionError, ParseError, UnicodeError, *CONTAINER_ERRORS)
_TEXT = CellKind.TEXT
_MOMENTS = frozenset({CellKind.DATE, CellKind.TIME})
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


class XlsxSource:
    """An Office Open XML workbook opened for streaming."""

    def __init__(self, path: Path, limits: Limits, file_format: Literal[FileFormat.XLSX, FileFormat.XLSM]) -> None:
        self.format = file_format
        self.findings = FindingList()
        self._path = path
        self._limits = limits
        self._engine = 0
        self._fallback: IsolatedSource | None = None
        self._book: Any = None
        self._file: IO[bytes] = path.open("rb")  # as a file, since the engines refuse by the ending of a name
        self._open()
        self.sheets: Sequence[SheetFacts] = self._describe_sheets()

    def _open(self) -> None:
        """Open with the first engine that can, from the current one on."""
        while self._engine < len(_ENGINES):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    self._book = import_module(_ENGINES[self._engine]).load_workbook(
                        self._file, read_only=True, data_only=True
                    )
                if self._book.worksheets:
                    return
            except _ENGINE_ERRORS:
                pass
            self._engine += 1
        self._fall_back()

    def _fall_back(self) -> None:
        self._fallback = IsolatedSource(self._path, self._limits, self.format, engine="calamine")
        self.findings.extend(self._fallback.findings)

    def _describe_sheets(self) -> tuple[SheetFacts, ...]:
        if self._fallback is not None:
            return tuple(self._fallback.sheets)
        return tuple(self._describe_sheet(sheet) for sheet in self._book.worksheets)

    def _describe_sheet(self, sheet: Any) -> SheetFacts:
        state = SheetState.VISIBLE if sheet.sheet_state == "visible" else SheetState.HIDDEN
        return scan_sheet(self._path, str(sheet._worksheet_path), SheetFacts(sheet.title, state))

    def rows(self, sheet: str) -> Iterator[RawRow]:
        """Stream the rows of a sheet, going over to the next engine at the row where one fails."""
        budget = CellBudget(self._limits)
        last = 0
        while self._fallback is None:
            try:
                for number, cells in self._rows_of_engine(sheet):
                    if number > last:
                        budget.spend(len(cells), number)
                        yield number, cells
                        last = number
                return
            except UnreadableFile:
                raise
            except _ENGINE_ERRORS:
                self._engine += 1
                self._open()
        for number, cells in self._fallback.rows(sheet):
            if number > last:
                yield number, cells

    def _rows_of_engine(self, sheet: str) -> Iterator[RawRow]:
        worksheet = self._book[sheet]
        worksheet.reset_dimensions()
        formats = _StyleFormats(self._book, self._path, import_module(_ENGINES[self._engine] + ".styles.numbers"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for number, row in enumerate(worksheet.iter_rows(), start=1):
                yield number, _convert_row(row, formats)

    def close(self) -> None:
        """Close the file."""
        if self._book is not None:
            self._book.close()
        if self._fallback is not None:
            self._fallback.close()
        self._file.close()


class _StyleFormats(dict[int, tuple[CellKind, str]]):
    """Style index -> kind and format code, worked out once per style of the workbook."""

    def __init__(self, book: Any, path: Path, numbers: Any) -> None:
        super().__init__()
        self._built_in: dict[int, str] = {**BUILT_IN_FORMATS, **numbers.BUILTIN_FORMATS}
        self._book = book
        self.epoch_1904 = book.epoch.year == 1904
        # The engines look for styles under one name only; a workbook that keeps them elsewhere is read by us.
        self._codes = read_style_codes(path) if len(book._cell_styles) <= 1 else []

    def __missing__(self, style: int) -> tuple[CellKind, str]:
        code = self._code(style)
        found = (kind_of_format(code), "" if code == "General" else code)
        self[style] = found
        return found

    def _code(self, style: int) -> str:
        if self._codes:
            return self._codes[style] if style < len(self._codes) else ""
        try:
            number = self._book._cell_styles[style].numFmtId
            if number < 164:
                return self._built_in.get(number, "")
            return str(self._book._number_formats[number - 164])
        except (IndexError, KeyError, TypeError):
            return ""  # a style the workbook does not have: the number is shown plain, as spreadsheets do


def _convert_row(row: Any, formats: _StyleFormats) -> list[Cell]:
    """The cells of a row without the blank ones at its end. Written flat: it runs for every cell of every file."""
    new = tuple.__new__
    cells: list[Cell] = []
    add = cells.append
    filled = 0
    for cell in row:
        value = cell.value
        if value is None:
            add(BLANK_CELL)
            continue
        kind_of_value = type(value)
        if kind_of_value is str:
            if cell.data_type == "e":
                add(Cell(CellKind.ERROR, value))
            elif value:
                add(new(Cell, (_TEXT, _unescape(value) if "_x" in value else value, "")))
            else:
                add(BLANK_CELL)
                continue
        elif kind_of_value is int:
            kind, code = formats[cell._style_id]
            add(
                new(Cell, (kind, value, code))
                if kind not in _MOMENTS
                else cell_of_number(value, code, formats.epoch_1904)
            )
        else:
            add(_convert_other(value, formats[cell._style_id], formats.epoch_1904))
        filled = len(cells)
    del cells[filled:]
    return cells


def _convert_other(value: Any, style: tuple[CellKind, str], epoch_1904: bool) -> Cell:
    kind, code = style
    if isinstance(value, float):
        if kind in _MOMENTS:  # the engine made no date of it; either a style it does not know or a day there never was
            return cell_of_number(value, code, epoch_1904)
        return Cell(kind, int(value) if value.is_integer() else value, code)
    return Cell(CellKind.BOOL, value) if isinstance(value, bool) else _moment_cell(value, code)


def _moment_cell(value: Any, code: str) -> Cell:
    if isinstance(value, datetime | date):
        return Cell(CellKind.DATE, value, code)
    if isinstance(value, time | timedelta):
        return Cell(CellKind.TIME, value, code)
    return Cell(CellKind.TEXT, str(value))


def _unescape(text: str) -> str:
    """`_x000D_` is a carriage return and `_x005F_` an underscore (ECMA-376 part 1, 22.9.2.19)."""
    return _ESCAPED.sub(lambda found: chr(int(found.group(1), 16)), text)


def macros_ignored() -> Finding:
    """The note that a workbook has macros and that none was run."""
    return Finding(
        FindingCode.MACROS_IGNORED,
        Severity.INFO,
        "the workbook contains macros; they are not run, only the stored values are read",
    )
