"""Reading .ods: content.xml streamed cell by cell, with the type and currency that each cell states.

The libraries that read ODS give no percents (they lose office:value-type) and refuse indented XML, so this is ours: an
event parser over one part. Source: OpenDocument 1.3 part 3, sections 9.1 (tables) and 19.385 (value types).
"""

from __future__ import annotations

import re
import zipfile
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from pathlib import Path
from xml.parsers import expat

from imports.reading.cells import BLANK_CELL, Cell, CellKind, CellValue
from imports.reading.findings import FindingList
from imports.reading.formats import FileFormat
from imports.reading.limits import CONTAINER_ERRORS, Limits, refuse_damaged
from imports.reading.number_formats import whole
from imports.reading.sources import CellBudget, RawRow, SheetFacts, SheetState, trim_row

_CHUNK_BYTES = 65_536
_DURATION = re.compile(r"(-)?P(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:[.,]\d+)?)S)?")
_ERROR_SIGN = re.compile(r"#[A-Z0-9/]+[!?]?$|Err:\d+$")
#: Repeats beyond this are the empty rest of a sheet, or an attack; blank ones are skipped, full ones refused by the
#: budget.
_MAX_ROW = 1_048_576


class OdsSource:
    """An OpenDocument spreadsheet opened for streaming."""

    format = FileFormat.ODS

    def __init__(self, path: Path, limits: Limits) -> None:
        self.findings = FindingList()
        self._path = path
        self._limits = limits
        scan = _ContentParser(None, limits)
        for _ in self._parse(scan):
            pass
        self.sheets: Sequence[SheetFacts] = tuple(scan.facts())

    def rows(self, sheet: str) -> Iterator[RawRow]:
        """Stream the rows of a sheet; runs of blank rows are left out of the numbers."""
        budget = CellBudget(self._limits)
        for number, cells in self._parse(_ContentParser(sheet, self._limits)):
            budget.spend(len(cells), number)
            yield number, cells

    def _parse(self, parser: _ContentParser) -> Iterator[RawRow]:
        try:
            with zipfile.ZipFile(self._path) as archive, archive.open("content.xml") as stream:
                while chunk := stream.read(_CHUNK_BYTES):
                    parser.feed(chunk)
                    yield from parser.take_rows()
                    if parser.done:
                        return
                parser.finish()
                yield from parser.take_rows()
        except (expat.ExpatError, *CONTAINER_ERRORS) as error:
            raise refuse_damaged(f"its content breaks off ({error})") from error

    def close(self) -> None:
        """Nothing stays open between rows."""


class _ContentParser:
    """Turns the events of content.xml into rows of one sheet, or into facts of all sheets when none is named."""

    def __init__(self, sheet: str | None, limits: Limits) -> None:
        self._wanted = sheet
        self._limits = limits
        self._names: list[str] = []
        self._styles: list[str] = []
        self._row_counts: list[int] = []
        self._hidden_rows: list[int] = []
        self._hidden_styles: set[str] = set()
        self._style = ""
        self._in_sheet = False
        self._number = 0
        self._row: list[Cell] = []
        self._repeat_row = 1
        self._cell: dict[str, str] | None = None
        self._text: list[str] = []
        self._paragraphs = 0
        self._note_depth = 0
        self._text_depth = 0
        self._ready: deque[RawRow] = deque()
        self.done = False
        self._expat = expat.ParserCreate()
        self._expat.buffer_text = True
        self._expat.StartElementHandler = self._start
        self._expat.EndElementHandler = self._end
        self._expat.CharacterDataHandler = self._characters

    def feed(self, chunk: bytes) -> None:
        """Parse a piece of the part."""
        self._expat.Parse(chunk, False)

    def finish(self) -> None:
        """Tell that the part has ended, which fails when it broke off."""
        self._expat.Parse(b"", True)

    def take_rows(self) -> Iterator[RawRow]:
        """The rows finished so far."""
        while self._ready:
            yield self._ready.popleft()

    def facts(self) -> Iterator[SheetFacts]:
        """The sheets met, in order."""
        for name, style, rows, hidden in zip(
            self._names, self._styles, self._row_counts, self._hidden_rows, strict=True
        ):
            state = SheetState.HIDDEN if style in self._hidden_styles else SheetState.VISIBLE
            yield SheetFacts(name, state, rows=rows, hidden_rows=hidden)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "table:table-cell" or tag == "table:covered-table-cell":
            self._cell = attributes
            self._text = []
            self._paragraphs = 0
        elif tag == "office:annotation":
            self._note_depth += 1
        elif tag == "text:p" or tag == "text:h":
            self._start_paragraph()
        elif tag == "text:s" and self._text_depth:
            self._text.append(" " * min(int(attributes.get("text:c", "1")), self._limits.cell_characters))
        elif tag == "text:tab" or tag == "text:line-break":
            self._text.append("\t" if tag == "text:tab" else "\n")
        elif tag == "table:table-row":
            self._start_row(attributes)
        elif tag == "table:table":
            self._start_sheet(attributes)
        elif tag == "style:style":
            self._style = attributes.get("style:name", "")
        elif tag == "style:table-properties" and attributes.get("table:display") == "false":
            self._hidden_styles.add(self._style)

    def _start_paragraph(self) -> None:
        if self._cell is not None and not self._note_depth:
            self._text_depth += 1
            self._paragraphs += 1
            if self._paragraphs > 1:
                self._text.append("\n")

    def _start_sheet(self, attributes: dict[str, str]) -> None:
        name = attributes.get("table:name", "")
        self._names.append(name)
        self._styles.append(attributes.get("table:style-name", ""))
        self._row_counts.append(0)
        self._hidden_rows.append(0)
        self._in_sheet = self._wanted == name
        self._number = 0

    def _start_row(self, attributes: dict[str, str]) -> None:
        self._row = []
        self._repeat_row = max(1, int(attributes.get("table:number-rows-repeated", "1")))
        if (
            attributes.get("table:visibility", "visible") != "visible"
            and self._hidden_rows
            and self._repeat_row < 10_000
        ):
            self._hidden_rows[-1] += self._repeat_row

    def _end(self, tag: str) -> None:
        if tag == "table:table-cell" or tag == "table:covered-table-cell":
            self._end_cell()
        elif (tag == "text:p" or tag == "text:h") and self._text_depth:
            self._text_depth -= 1
        elif tag == "office:annotation":
            self._note_depth -= 1
        elif tag == "table:table-row":
            self._end_row()
        elif tag == "table:table":
            self.done = self.done or self._in_sheet
            self._in_sheet = False

    def _characters(self, data: str) -> None:
        if self._text_depth and not self._note_depth:
            self._text.append(data)

    def _end_cell(self) -> None:
        attributes, self._cell = self._cell or {}, None
        repeat = max(1, int(attributes.get("table:number-columns-repeated", "1")))
        cell = _make_cell(attributes, "".join(self._text))
        if cell is not BLANK_CELL and len(self._row) + repeat > self._limits.columns:
            CellBudget(self._limits).spend(len(self._row) + repeat, self._number + 1)
        self._row.extend([cell] * min(repeat, self._limits.columns + 1))
        del self._row[max(self._limits.columns + 1, 0) :]

    def _end_row(self) -> None:
        cells = trim_row(self._row)
        if self._row_counts:
            self._row_counts[-1] += self._repeat_row if cells else 0
        if self._in_sheet and cells:
            if self._number + self._repeat_row > _MAX_ROW:
                raise refuse_damaged("a row is repeated beyond the last row of a sheet")
            for again in range(self._repeat_row):
                self._ready.append((self._number + again + 1, list(cells)))
        self._number += self._repeat_row


def _make_cell(attributes: dict[str, str], text: str) -> Cell:
    kind = attributes.get("office:value-type") or attributes.get("calcext:value-type", "")
    if attributes.get("calcext:value-type") == "error" or ("table:formula" in attributes and _ERROR_SIGN.match(text)):
        return Cell(CellKind.ERROR, text or "#ERROR")
    if kind in ("float", "percentage", "currency"):
        number = whole(float(attributes.get("office:value", "nan")))
        kinds = {"float": CellKind.NUMBER, "percentage": CellKind.PERCENT, "currency": CellKind.CURRENCY}
        return Cell(kinds[kind], number, attributes.get("office:currency", ""))
    if kind == "date":
        return Cell(CellKind.DATE, _moment(attributes.get("office:date-value", "")))
    if kind == "time":
        return Cell(CellKind.TIME, _length(attributes.get("office:time-value", "")))
    if kind == "boolean":
        return Cell(CellKind.BOOL, attributes.get("office:boolean-value") == "true")
    value = attributes.get("office:string-value", text) if kind == "string" else text
    return Cell(CellKind.TEXT, value) if value else BLANK_CELL


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text[:26])


def _length(text: str) -> CellValue:
    found = _DURATION.fullmatch(text)
    if found is None:
        return text
    sign, days, hours, minutes, seconds = found.groups()
    length = timedelta(
        days=int(days or 0),
        hours=int(hours or 0),
        minutes=int(minutes or 0),
        seconds=float((seconds or "0").replace(",", ".")),
    )
    if sign or length >= timedelta(days=1):
        return -length if sign else length
    return (datetime.min + length).time() if length else time()
