"""What a sheet says of itself is counted the same whatever prefix its elements have."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from imports.reading.sources import SheetFacts
from imports.reading.xlsx_parts import scan_sheet

SHEET = (
    '<{p}worksheet><{p}cols><{p}col min=\'1\' max=\'2\'/><{p}col min="3" max="4" hidden="1"/></{p}cols><{p}sheetData>'
    '<{p}row r="1"><{p}c r="A1"/></{p}row><{p}row><{p}c/></{p}row><{p}row r="3" hidden="true"/><{p}rowBreaks/>'
    '</{p}sheetData><{p}mergeCells><{p}mergeCell ref="A1:B2"/></{p}mergeCells></{p}worksheet>'
)


@pytest.mark.parametrize("prefix", ["", "x:", "main:"])
@pytest.mark.parametrize("more", ["", "<v>a:row b</v>"])
def test_rows_hidden_ones_and_merged_cells_are_counted(tmp_path: Path, prefix: str, more: str) -> None:
    path = tmp_path / "book.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/sheet.xml", SHEET.format(p=prefix) + more)
    found = scan_sheet(path, "xl/sheet.xml", SheetFacts("Sheet"))
    assert (found.rows, found.hidden_rows, found.hidden_columns, found.merged) == (3, 1, 2, ("A1:B2",))


def test_rows_are_counted_once_where_the_pieces_of_a_large_sheet_meet(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    rows = "".join(f'<row r="{at}"><c r="A{at}"><v>{at}</v></c></row>' for at in range(60_000))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sheet.xml", f"<worksheet><sheetData>{rows}</sheetData></worksheet>")
    assert len(rows) > 2 * 1024 * 1024
    assert scan_sheet(path, "xl/sheet.xml", SheetFacts("Sheet")).rows == 60_000
