"""The two questions others ask of a file: what is it (inspect_file), and what does it say, row by row (read_rows)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PurePath

from imports.reading.cells import BLANK_CELL, Cell, CellKind, SourceRow, cell_address
from imports.reading.description import ReadOptions, Table, TablePart, TextFacts, Workbook
from imports.reading.findings import Finding, FindingCode, FindingList, Severity, excerpt
from imports.reading.formats import USUAL_ENDINGS, FileFormat, detect_format
from imports.reading.isolated import IsolatedSource
from imports.reading.limits import DEFAULT_LIMITS, Limits
from imports.reading.ods_source import OdsSource
from imports.reading.row_filter import RowFilter, SkippedRows
from imports.reading.sheet_findings import report_sheets, report_tables
from imports.reading.sources import Source
from imports.reading.tables import align_cells, choose_table, find_tables
from imports.reading.text_source import TextSource
from imports.reading.vcard_source import VcardSource
from imports.reading.xlsb_source import XlsbSource
from imports.reading.xlsx_source import XlsxSource, macros_ignored

_NO_OPTIONS = ReadOptions()


def open_source(path: Path, options: ReadOptions = _NO_OPTIONS, limits: Limits = DEFAULT_LIMITS) -> Source:
    """Open a file with the reader of its format, which its content decides."""
    found = detect_format(path, limits)
    if found is FileFormat.XLSX or found is FileFormat.XLSM:
        return XlsxSource(path, limits, found)
    if found is FileFormat.XLSB:
        return XlsbSource(path, limits)
    if found is FileFormat.XLS:
        return IsolatedSource(path, limits, found, engine="xlrd")
    if found is FileFormat.ODS:
        return OdsSource(path, limits)
    if found is FileFormat.VCARD:
        return VcardSource(path, limits, options.encoding)
    return TextSource(path, limits, options.encoding, options.delimiter, options.quote)


def inspect_file(
    path: Path, filename: str, options: ReadOptions = _NO_OPTIONS, limits: Limits = DEFAULT_LIMITS
) -> Workbook:
    """What `OpenFile.describe` tells of a file. Errors: UnreadableFile with its reason and way out."""
    with closing(OpenFile(path, options, limits)) as opened:
        return opened.describe(filename)


class OpenFile:
    """A file opened once for several passes, with its tables found. Errors: UnreadableFile."""

    def __init__(self, path: Path, options: ReadOptions = _NO_OPTIONS, limits: Limits = DEFAULT_LIMITS) -> None:
        self._options, self._limits = options, limits
        self._source = open_source(path, options, limits)
        self._size = path.stat().st_size
        try:
            self._tables = find_tables(self._source, options)
        except BaseException:
            self._source.close()
            raise
        self._findings = FindingList()
        self._findings.extend(self._source.findings)

    def describe(self, filename: str) -> Workbook:
        """Format, sheets, tables with headings and preview, how its text is written, what was noticed."""
        source, tables = self._source, self._tables
        findings = FindingList()
        findings.extend(self._findings)
        if source.format is FileFormat.XLSM:
            findings.add(macros_ignored())
        _report_name(source.format, filename, findings)
        report_sheets(source.sheets, findings)
        report_tables(tables, findings)
        text = _text_facts(source) if isinstance(source, TextSource) else None
        return Workbook(filename, source.format, self._size, tuple(source.sheets), tables, text, findings)

    def read_rows(self) -> RowReader:
        """The records of the table for one pass; several may follow each other. Errors: UnreadableFile."""
        table = choose_table(self._tables, self._options)
        return RowReader(self._source, table, self._limits, self._findings)

    def close(self) -> None:
        """Close the file."""
        self._source.close()


def _report_name(found: FileFormat, filename: str, findings: FindingList) -> None:
    ending = PurePath(filename).suffix.lower()
    other = next(
        (
            format_
            for format_, endings in USUAL_ENDINGS.items()
            if ending and ending in endings and format_ is not found
        ),
        None,
    )
    if other is not None:
        message = f"the file is called {ending} but is {found}; it is read by its content"
        findings.add(Finding(FindingCode.WRONG_FILE_NAME, Severity.INFO, message, value=filename))


def _text_facts(source: TextSource) -> TextFacts:
    dialect, encoding = source.dialect, source.encoding
    return TextFacts(
        encoding=encoding.encoding,
        encoding_certain=encoding.certain,
        encoding_how=encoding.how,
        delimiter=dialect.delimiter,
        delimiter_certain=dialect.certain,
        quote=dialect.quote,
        escape=dialect.escape,
        line_break=dialect.line_break,
        line_end=dialect.line_end,
        sep_line=dialect.sep_line,
    )


def read_rows(path: Path, options: ReadOptions = _NO_OPTIONS, limits: Limits = DEFAULT_LIMITS) -> RowReader:
    """Open the records of a file's table for one pass, in memory that does not grow with the file.

    Errors: UnreadableFile here, or while iterating where the damage lies deeper in the file.
    """
    opened = OpenFile(path, options, limits)
    reader = opened.read_rows()
    reader.closes(opened)
    return reader


class RowReader:
    """The records of one table, once. After the pass `skipped` and `findings` hold what was left out and noticed."""

    def __init__(self, source: Source, table: Table, limits: Limits, findings: FindingList) -> None:
        self.table = table
        self.columns = table.columns
        self.skipped = SkippedRows()
        self.findings = FindingList()
        self.findings.extend(findings)
        self._source = source
        self._limits = limits
        self._opened: OpenFile | None = None

    def closes(self, opened: OpenFile) -> None:
        """Have the file closed at the end of the pass."""
        self._opened = opened

    def __iter__(self) -> Iterator[SourceRow]:
        try:
            for part in self.table.parts:
                yield from self._read_part(part)
        finally:
            if self._opened is not None:
                self._opened.close()

    def _read_part(self, part: TablePart) -> Iterator[SourceRow]:
        sheet = part.sheet
        indexes = tuple(column.index for column in part.columns)
        width = len(indexes)
        plain = indexes == tuple(range(1, width + 1))
        table_ends = part.last_row is not None and self.table.named
        is_text = self._source.format is FileFormat.TEXT
        for number, cells in RowFilter(part, self.skipped).records(self._source.rows(sheet)):
            if len(cells) != width or not plain:
                if not table_ends:
                    self._look_beside(part, number, cells, is_text)
                cells = align_cells(cells, indexes)
            yield SourceRow(sheet, number, cells, indexes)

    def _look_beside(self, part: TablePart, number: int, cells: list[Cell], is_text: bool) -> None:
        """Report cells that stand in no column of the table, and text records that end early."""
        known = {column.index for column in part.columns}
        for index, cell in enumerate(cells, start=1):
            if (
                cell is not BLANK_CELL
                and index not in known
                and not (cell.kind is CellKind.TEXT and not cell.text.strip())
            ):
                self._report_extra(part.sheet, number, index, cell, is_text)
        if is_text and len(cells) < part.columns[-1].index:
            message = f"the row has {len(cells)} fields, the table {part.columns[-1].index}"
            address = cell_address(part.sheet, number, len(cells) + 1)
            way_out = "check the row for a missing separator; the missing fields are read as blank"
            self.findings.add(
                Finding(FindingCode.MISSING_CELLS, Severity.WARNING, message, way_out, part.sheet, address, number)
            )

    def _report_extra(self, sheet: str, number: int, index: int, cell: Cell, is_text: bool) -> None:
        self.findings.add(
            Finding(
                FindingCode.EXTRA_CELLS,
                Severity.ERROR if is_text else Severity.WARNING,
                "the row has more fields than the table has columns"
                if is_text
                else "the cell stands beside the table and is not read",
                "put quotes around fields that hold the separator"
                if is_text
                else "give its column a heading, or delete the cell",
                sheet,
                cell_address(sheet, number, index),
                number,
                value=excerpt(cell.text),
            )
        )
