"""Reading .xlsb: the binary records of a workbook streamed, with the number format of every cell.

The libraries that read XLSB give values without formats, and a percent without its format is a wrong number, so this is
ours: a walk over records of [type][size][bytes]. Source: MS-XLSB 2.1.4 (records), 2.5.122 (RkNumber), 2.4 (each
record).
"""

from __future__ import annotations

import posixpath
import re
import struct
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from imports.reading.cells import BLANK_CELL, Cell, CellKind
from imports.reading.findings import FindingList
from imports.reading.formats import FileFormat
from imports.reading.limits import CONTAINER_ERRORS, Limits, refuse_damaged
from imports.reading.number_formats import BUILT_IN_FORMATS, cell_of_number
from imports.reading.sources import CellBudget, RawRow, SheetFacts, SheetState, trim_row

_ROW, _BLANK, _RK, _ERROR, _BOOL, _REAL, _TEXT, _SHARED = range(8)
_FORMULA_TEXT, _FORMULA_NUMBER, _FORMULA_BOOL, _FORMULA_ERROR = 8, 9, 10, 11
_SHARED_ITEM, _FORMAT, _STYLE, _RICH_TEXT = 19, 44, 47, 62
_END_OF_ROWS, _WORKBOOK_PROPERTIES, _SHEET = 146, 153, 156
_STYLES_BEGIN, _STYLES_END = 617, 618
_ERRORS = {
    0: "#NULL!",
    7: "#DIV/0!",
    15: "#VALUE!",
    23: "#REF!",
    29: "#NAME?",
    36: "#NUM!",
    42: "#N/A",
    43: "#GETTING_DATA",
}
_RELATION = re.compile(r"<Relationship\b[^>]*>")
_ATTRIBUTE = re.compile(r'\b(Id|Target|Type)="([^"]*)"')
_MALFORMED = (IndexError, UnicodeError, *CONTAINER_ERRORS)
_CHUNK_BYTES = 65_536


class XlsbSource:
    """A binary workbook opened for streaming."""

    format = FileFormat.XLSB

    def __init__(self, path: Path, limits: Limits) -> None:
        self.findings = FindingList()
        self._path = path
        self._limits = limits
        self._parts: dict[str, str] = {}
        self._epoch_1904 = False
        try:
            with zipfile.ZipFile(path) as archive:
                self._names = {name.lower().lstrip("/"): name for name in archive.namelist()}
                self._workbook = next(name for name in self._names if name.endswith("workbook.bin"))
                self.sheets: Sequence[SheetFacts] = tuple(self._read_workbook(archive))
                self._formats = self._read_styles(archive)
                self._strings = self._read_strings(archive)
        except (*_MALFORMED, StopIteration) as error:
            raise refuse_damaged(f"its parts do not fit together ({type(error).__name__})") from error

    def _sibling(self, name: str) -> str | None:
        return self._names.get(posixpath.join(posixpath.dirname(self._workbook), name))

    def _read_workbook(self, archive: zipfile.ZipFile) -> Iterator[SheetFacts]:
        targets = self._read_relations(archive)
        with archive.open(self._names[self._workbook]) as stream:
            for kind, body in read_records(stream):
                if kind == _WORKBOOK_PROPERTIES:
                    self._epoch_1904 = bool(body[0] & 1)
                elif kind == _SHEET:
                    state = struct.unpack_from("<I", body)[0]
                    relation, at = read_string(body, 8)
                    name, _ = read_string(body, at)
                    part = targets.get(relation, "")
                    if part in self._names and "worksheet" in part:
                        self._parts[name] = self._names[part]
                        yield SheetFacts(name, SheetState.VISIBLE if state == 0 else SheetState.HIDDEN)

    def _read_relations(self, archive: zipfile.ZipFile) -> dict[str, str]:
        folder, name = posixpath.split(self._workbook)
        content = archive.read(self._names[posixpath.join(folder, "_rels", name + ".rels")]).decode("utf-8", "replace")
        relations = (dict(_ATTRIBUTE.findall(found)) for found in _RELATION.findall(content))
        return {
            entry["Id"]: (
                entry["Target"].lstrip("/")
                if entry["Target"].startswith("/")
                else posixpath.normpath(posixpath.join(folder, entry["Target"]))
            ).lower()
            for entry in relations
            if "Id" in entry and "Target" in entry
        }

    def _read_styles(self, archive: zipfile.ZipFile) -> list[str]:
        part = self._sibling("styles.bin")
        if part is None:
            return []
        codes = dict(BUILT_IN_FORMATS)
        styles: list[str] = []
        in_styles = False
        with archive.open(part) as stream:
            for kind, body in read_records(stream):
                if kind == _FORMAT:
                    codes[struct.unpack_from("<H", body)[0]] = read_string(body, 2)[0]
                elif kind in (_STYLES_BEGIN, _STYLES_END):
                    in_styles = kind == _STYLES_BEGIN
                elif kind == _STYLE and in_styles:
                    styles.append(codes.get(struct.unpack_from("<H", body, 2)[0], ""))
        return styles

    def _read_strings(self, archive: zipfile.ZipFile) -> list[str]:
        part = self._sibling("sharedstrings.bin")
        if part is None:
            return []
        with archive.open(part) as stream:
            return [read_string(body, 1)[0] for kind, body in read_records(stream) if kind == _SHARED_ITEM]

    def rows(self, sheet: str) -> Iterator[RawRow]:
        """Stream the rows of a sheet; rows that the file leaves out are missing from the numbers."""
        budget = CellBudget(self._limits)
        try:
            with zipfile.ZipFile(self._path) as archive, archive.open(self._parts[sheet]) as stream:
                for number, cells in self._read_rows(stream, budget):
                    budget.spend(len(cells), number)
                    yield number, trim_row(cells)
        except _MALFORMED as error:
            raise refuse_damaged(f"sheet {sheet} breaks off ({type(error).__name__})") from error

    def _read_rows(self, stream: IO[bytes], budget: CellBudget) -> Iterator[RawRow]:
        number = 0
        cells: list[Cell] = []
        for kind, body in read_records(stream):
            if kind == _ROW:
                if cells:
                    yield number, cells
                number, cells = struct.unpack_from("<I", body)[0] + 1, []
            elif _BLANK < kind <= _FORMULA_ERROR or kind == _RICH_TEXT:
                column = struct.unpack_from("<I", body)[0]
                if column >= self._limits.columns:
                    budget.spend(column + 1, number)
                cells.extend([BLANK_CELL] * (column - len(cells)))
                cells.append(self._read_cell(kind, body))
            elif kind == _END_OF_ROWS:
                break
        if cells:
            yield number, cells

    def _read_cell(self, kind: int, body: bytes) -> Cell:
        style = body[4] | body[5] << 8 | body[6] << 16
        code = self._formats[style] if style < len(self._formats) else ""
        if kind == _RK:
            return cell_of_number(read_rk(struct.unpack_from("<I", body, 8)[0]), code, self._epoch_1904)
        if kind in (_REAL, _FORMULA_NUMBER):
            return cell_of_number(struct.unpack_from("<d", body, 8)[0], code, self._epoch_1904)
        if kind in (_BOOL, _FORMULA_BOOL):
            return Cell(CellKind.BOOL, body[8] != 0)
        if kind in (_ERROR, _FORMULA_ERROR):
            return Cell(CellKind.ERROR, _ERRORS.get(body[8], "#ERROR"))
        if kind == _SHARED:
            text = self._strings[struct.unpack_from("<I", body, 8)[0]]
        else:
            text = read_string(body, 9 if kind == _RICH_TEXT else 8)[0]
        return Cell(CellKind.TEXT, text) if text else BLANK_CELL

    def close(self) -> None:
        """Nothing stays open between rows."""


def read_records(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """The records of a part: type in one or two bytes, size in up to four of seven bits each, then the body."""
    buffer = b""
    at = 0
    while True:
        if len(buffer) - at < _CHUNK_BYTES // 2:
            buffer, at = buffer[at:] + stream.read(_CHUNK_BYTES), 0
        if at >= len(buffer):
            return
        kind = buffer[at]
        at += 1
        if kind & 0x80:
            kind = kind & 0x7F | (buffer[at] & 0x7F) << 7
            at += 1
        size = 0
        for shift in (0, 7, 14, 21):
            byte = buffer[at]
            at += 1
            size |= (byte & 0x7F) << shift
            if not byte & 0x80:
                break
        while len(buffer) - at < size:
            more = stream.read(max(_CHUNK_BYTES, size))
            if not more:
                raise EOFError
            buffer, at = buffer[at:] + more, 0
        yield kind, buffer[at : at + size]
        at += size


def read_string(body: bytes, at: int) -> tuple[str, int]:
    """A length-prefixed UTF-16 string and where it ends."""
    length = struct.unpack_from("<I", body, at)[0]
    end = at + 4 + 2 * length
    if length == 0xFFFFFFFF or end > len(body):
        return "", at + 4
    return body[at + 4 : end].decode("utf-16-le", "replace"), end


def read_rk(packed: int) -> float:
    """A number packed in 30 bits: an integer or the top of a double, perhaps in hundredths."""
    if packed & 2:
        value: float = (packed >> 2) - (1 << 30 if packed & 0x80000000 else 0)
    else:
        value = struct.unpack("<d", b"\0\0\0\0" + struct.pack("<I", packed & 0xFFFFFFFC))[0]
    return value / 100 if packed & 1 else value
