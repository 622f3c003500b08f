"""How a read file is described to its user, and what the user may change about the reading.

Everything detected is here with the value it was given, and each has its option in ReadOptions.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from imports.reading.cells import SourceRow
from imports.reading.dates import DateForm
from imports.reading.findings import FindingList
from imports.reading.formats import FileFormat
from imports.reading.sources import SheetFacts


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the user told about a file; None leaves a fact to detection.

    Shapes: rows are 1-based sheet rows, inclusive. `table` names a table of the workbook (Workbook.tables), `sheets`
    reads these sheets instead of the detected ones. `decimal` is "." or ","; it and `date_form` hold for columns that
    `column_decimals` and `column_date_forms` do not name.
    """

    table: str | None = None
    sheets: tuple[str, ...] | None = None
    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    has_header: bool | None = None
    header_row: int | None = None
    first_row: int | None = None
    last_row: int | None = None
    decimal: str | None = None
    date_form: DateForm | None = None
    column_decimals: dict[str, str] = field(default_factory=dict)
    column_date_forms: dict[str, DateForm] = field(default_factory=dict)

    def decimal_of(self, column: str) -> str:
        """The decimal mark told for a column, "" when none was."""
        return self.column_decimals.get(column) or self.decimal or ""

    def date_form_of(self, column: str) -> DateForm | None:
        """The date form told for a column."""
        return self.column_date_forms.get(column) or self.date_form


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: a name that no other column has, the heading as written, and its 1-based sheet column."""

    name: str
    heading: str
    index: int


@dataclass(frozen=True, slots=True)
class TablePart:
    """Where a table stands on one sheet. `last_row` is None when it goes on to the end of the sheet."""

    sheet: str
    header_rows: tuple[int, ...]
    first_row: int
    last_row: int | None
    columns: tuple[Column, ...]
    title_rows: tuple[tuple[int, str], ...] = ()
    #: Sheet columns that nearly every row fills with text; a row without any of them is no record.
    key_columns: tuple[int, ...] = ()
    usual_fill: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """One table: usually one sheet, or several sheets of the same headings, read one after another.

    `name` is the sheet's name, the name the workbook gives the table, or the first sheet's name of several.
    `preview` holds its first rows.
    """

    name: str
    parts: tuple[TablePart, ...]
    preview: tuple[SourceRow, ...] = ()
    named: bool = False
    hidden: bool = False
    #: Rows present in the file under its headings; a count of the file's parts, not of records.
    rows: int = 0

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns, as the first part has them."""
        return self.parts[0].columns

    @property
    def has_header(self) -> bool:
        """Whether the names come from the file."""
        return bool(self.parts[0].header_rows)


@dataclass(frozen=True, slots=True)
class TextFacts:
    """How a text file is written, as found or told."""

    encoding: str
    encoding_certain: bool
    encoding_how: str
    delimiter: str
    delimiter_certain: bool
    quote: str
    escape: str
    line_break: str
    line_end: str
    sep_line: bool


@dataclass(frozen=True, slots=True)
class Workbook:
    """What a file is and holds. `tables` come with the one that is read by default first."""

    filename: str
    format: FileFormat
    bytes: int
    sheets: tuple[SheetFacts, ...]
    tables: tuple[Table, ...]
    text: TextFacts | None
    findings: FindingList
