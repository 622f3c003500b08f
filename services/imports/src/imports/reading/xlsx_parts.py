"""What an .xlsx sheet says about itself beside its values: rows, hidden rows and columns, merged cells, named tables.

One pass over the unpacked bytes of the sheet part with regular expressions, in constant memory; no cell is made.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from dataclasses import replace
from html import unescape
from pathlib import Path

from imports.reading.cells import column_number
from imports.reading.limits import CONTAINER_ERRORS
from imports.reading.number_formats import BUILT_IN_FORMATS
from imports.reading.sources import NamedRange, SheetFacts

_CHUNK_BYTES = 1024 * 1024
#: Longest piece a pattern may need; carried over from chunk to chunk.
_OVERLAP_BYTES = 4096
_SHOWN_MERGED = 50
_ROW = re.compile(rb"<(?:\w+:)?row[ >]")
_HIDDEN_ROW = re.compile(rb'<(?:\w+:)?row [^>]*?hidden="(?:1|true)"')
_HIDDEN_COLUMN = re.compile(rb'<(?:\w+:)?col ([^>]*?hidden="(?:1|true)"[^>]*)>')
_SPAN = re.compile(rb'(min|max)="(\d+)"')
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell [^>]*?ref="([A-Z0-9:]+)"')
_FORMULA_WITHOUT_VALUE = re.compile(
    rb'<(?:\w+:)?c [^>]{0,80}?\br="([A-Z]+[0-9]+)"[^>]{0,80}>\s*'
    rb"<(?:\w+:)?f\b[^>]{0,200}(?:/>|>[^<]{0,2000}</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_TABLE_TARGET = re.compile(rb'Target="([^"]*tables?/[^"]+\.xml)"', re.IGNORECASE)
_TABLE_NAME = re.compile(rb'\bdisplayName="([^"]*)"')
_TABLE_REF = re.compile(rb'<(?:\w+:)?table [^>]*?\bref="([A-Z]+)(\d+):([A-Z]+)(\d+)"')
_TABLE_TOTALS = re.compile(rb'\btotalsRowCount="(\d+)"')

_NUMBER_FORMAT = re.compile(r"<(?:\w+:)?numFmt\b[^>]*?>")
_CELL_STYLES = re.compile(r"<(?:\w+:)?cellXfs\b.*?</(?:\w+:)?cellXfs>", re.DOTALL)
_CELL_STYLE = re.compile(r"<(?:\w+:)?xf\b([^>]*)>")
_ATTRIBUTE = re.compile(r'\b(numFmtId|formatCode)="([^"]*)"')


def read_style_codes(path: Path) -> list[str]:
    """Format code of each cell style, wherever the workbook keeps its styles; empty when it has none."""
    with zipfile.ZipFile(path) as archive:
        part = next((name for name in archive.namelist() if posixpath.basename(name).lower() == "styles.xml"), None)
        content = archive.read(part).decode("utf-8", "replace") if part else ""
    own = [dict(_ATTRIBUTE.findall(found)) for found in _NUMBER_FORMAT.findall(content)]
    codes = dict(BUILT_IN_FORMATS)
    codes.update(
        {
            int(entry["numFmtId"]): unescape(entry.get("formatCode", ""))
            for entry in own
            if entry.get("numFmtId", "").isdigit()
        }
    )
    styles = _CELL_STYLES.search(content)
    found = [dict(_ATTRIBUTE.findall(style)) for style in _CELL_STYLE.findall(styles.group())] if styles else []
    return [codes.get(int(style.get("numFmtId", "0")), "") for style in found]


def scan_sheet(path: Path, part: str, facts: SheetFacts) -> SheetFacts:
    """Add to `facts` what the sheet part says; a part that cannot be scanned leaves them as they are."""
    try:
        with zipfile.ZipFile(path) as archive:
            name = part.lstrip("/")
            return replace(_scan_bytes(archive, name, facts), tables=_named_tables(archive, name))
    except CONTAINER_ERRORS:
        return facts


def _scan_bytes(archive: zipfile.ZipFile, part: str, facts: SheetFacts) -> SheetFacts:
    rows = hidden_rows = hidden_columns = formulas = 0
    merged: list[str] = []
    merged_count = 0
    first_formula = ""
    carried = b""
    with archive.open(part) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            data = carried + chunk
            cut = data.rfind(b"<", max(0, len(data) - _OVERLAP_BYTES)) if len(chunk) == _CHUNK_BYTES else len(data)
            row_start = data.rfind(b"<c ", max(0, cut - _OVERLAP_BYTES), cut) if len(chunk) == _CHUNK_BYTES else -1
            cut = row_start if row_start > 0 else max(cut, 1)
            data, carried = data[:cut], data[cut:]
            rows += _count_rows(data)
            if b"hidden" in data:
                hidden_rows += len(_HIDDEN_ROW.findall(data))
                hidden_columns += sum(_columns_in(span) for span in _HIDDEN_COLUMN.findall(data))
            found = _FORMULA_WITHOUT_VALUE.findall(data) if b"f>" in data or b"<f" in data else []
            formulas += len(found)
            first_formula = first_formula or (found[0].decode() if found else "")
            ranges = _MERGED.findall(data) if b"mergeCell " in data else []
            merged_count += len(ranges)
            merged += [name.decode() for name in ranges[: _SHOWN_MERGED - len(merged)]]
    return replace(
        facts,
        rows=rows,
        hidden_rows=hidden_rows,
        hidden_columns=hidden_columns,
        merged=tuple(merged),
        merged_count=merged_count,
        formulas_without_value=formulas,
        first_formula_without_value=first_formula,
    )


def _count_rows(data: bytes) -> int:
    """A pattern stops at each cell; nearly every workbook names its elements without a prefix, and is only searched."""
    return len(_ROW.findall(data)) if b":row" in data else data.count(b"<row ") + data.count(b"<row>")


def _columns_in(attributes: bytes) -> int:
    span = {name: int(number) for name, number in _SPAN.findall(attributes)}
    # A hidden span to the last column is the unused rest of the sheet, not columns somebody hides.
    return span[b"max"] - span[b"min"] + 1 if span.get(b"max", 0) < 16_384 and b"min" in span else 0


def _named_tables(archive: zipfile.ZipFile, part: str) -> tuple[NamedRange, ...]:
    folder, name = posixpath.split(part)
    relations = posixpath.join(folder, "_rels", name + ".rels")
    if relations not in archive.NameToInfo:
        return ()
    found: list[NamedRange] = []
    for target in _TABLE_TARGET.findall(archive.read(relations)):
        where = target.decode("utf-8", "replace")
        inside = where.lstrip("/") if where.startswith("/") else posixpath.normpath(posixpath.join(folder, where))
        table = _read_table(archive.read(inside)) if inside in archive.NameToInfo else None
        if table:
            found.append(table)
    return tuple(found)


def _read_table(content: bytes) -> NamedRange | None:
    ref, name, totals = _TABLE_REF.search(content), _TABLE_NAME.search(content), _TABLE_TOTALS.search(content)
    if ref is None or name is None:
        return None
    first_column, first_row, last_column, last_row = (group.decode() for group in ref.groups())
    return NamedRange(
        name.group(1).decode("utf-8", "replace"),
        int(first_row),
        int(last_row) - (int(totals.group(1)) if totals else 0),
        column_number(first_column),
        column_number(last_column),
    )
