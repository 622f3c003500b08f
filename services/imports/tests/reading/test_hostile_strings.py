"""Any text comes through a text file and through a workbook byte for byte."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter

from imports.reading import ReadOptions, read_rows


@pytest.fixture
def strings(shared_data: Callable[[str], Path]) -> list[str]:
    """The naughty strings, injections and scripts."""
    folder = shared_data("strings-hostile")
    lines = [line for path in sorted(folder.glob("*.txt")) for line in path.read_text("utf-8").split("\n")]
    found = json.loads((folder / "blns.json").read_text("utf-8")) + lines
    return [text for text in dict.fromkeys(found) if text.strip()]


def test_hostile_strings_come_through_a_text_file_unchanged(strings: list[str], tmp_path: Path) -> None:
    path = tmp_path / "hostile.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(["Number", "Text"])
        writer.writerows([number, text] for number, text in enumerate(strings))
    options = ReadOptions(encoding="utf-8", delimiter=",", quote='"', header_row=1)
    assert [row.cells[1].text for row in read_rows(path, options)] == strings


def test_hostile_strings_come_through_a_workbook_unchanged(strings: list[str], tmp_path: Path) -> None:
    path = tmp_path / "hostile.xlsx"
    book = xlsxwriter.Workbook(path, {"strings_to_urls": False, "strings_to_formulas": False})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["Number", "Text"])
    for number, text in enumerate(strings, start=1):
        sheet.write_number(number, 0, number)
        sheet.write_string(number, 1, text)
    book.close()
    assert [row.cells[1].text for row in read_rows(path, ReadOptions(header_row=1))] == strings
