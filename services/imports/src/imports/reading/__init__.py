"""Reading the branches' files: a path in, typed rows and findings out. No database, no network, no business meaning.

The public names are below; README.md beside this file shows their use.
"""

from imports.reading.cells import Cell, CellKind, SourceRow, cell_address
from imports.reading.dates import DateForm, DateTrouble, parse_date
from imports.reading.description import Column, ReadOptions, Table, TablePart, TextFacts, Workbook
from imports.reading.findings import Finding, FindingCode, FindingList, Severity
from imports.reading.formats import FileFormat
from imports.reading.limits import DEFAULT_LIMITS, Limits, UnreadableFile, UnreadableReason
from imports.reading.numbers import NumberTrouble, ParsedNumber, parse_number
from imports.reading.row_filter import SkippedRow, SkippedRows, SkipReason
from imports.reading.sources import SheetFacts, SheetState
from imports.reading.workbook import OpenFile, RowReader, inspect_file, read_rows

__all__ = [
    "DEFAULT_LIMITS",
    "Cell",
    "CellKind",
    "Column",
    "DateForm",
    "DateTrouble",
    "FileFormat",
    "Finding",
    "FindingCode",
    "FindingList",
    "Limits",
    "NumberTrouble",
    "OpenFile",
    "ParsedNumber",
    "ReadOptions",
    "RowReader",
    "Severity",
    "SheetFacts",
    "SheetState",
    "SkipReason",
    "SkippedRow",
    "SkippedRows",
    "SourceRow",
    "Table",
    "TablePart",
    "TextFacts",
    "UnreadableFile",
    "UnreadableReason",
    "Workbook",
    "cell_address",
    "inspect_file",
    "parse_date",
    "parse_number",
    "read_rows",
]
