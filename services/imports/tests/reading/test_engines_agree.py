"""The fast .xlsx engine reads what the slow one reads, and our own .xlsb and .ods readers read what calamine reads."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from imports.reading import Cell, FileFormat, UnreadableFile, xlsx_source
from imports.reading.isolated import IsolatedSource
from imports.reading.limits import DEFAULT_LIMITS
from imports.reading.sources import Source
from imports.reading.workbook import open_source

SETS = ("xls-calamine", "xls-readxl", "xls-exceljs", "tab-frictionless", "sales-pbpython-excel")
#: The slow engine needs minutes for their empty rows and cells.
TOO_SLOW = {"issue_174.xlsx", "2018_Sales_Total_Tabs.xlsx"}


def cells_of(source: Source) -> dict[str, list[tuple[int, list[Cell]]]]:
    with closing(source):
        return {facts.name: [row for row in source.rows(facts.name) if row[1]] for facts in source.sheets}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", SETS)
def test_both_xlsx_engines_give_the_same_cells(
    name: str, shared_data: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    different = []
    for path in sorted(shared_data(name).rglob("*.xlsx")):
        if path.name in TOO_SLOW:
            continue
        answers = []
        for engine in ("openrsxl", "openpyxl"):
            monkeypatch.setattr(xlsx_source, "_ENGINES", (engine,))
            try:
                answers.append(cells_of(open_source(path)))
            except UnreadableFile as refusal:
                answers.append({"refused": [(0, [])], str(refusal.reason): []})
        if answers[0] != answers[1]:
            different.append(path.name)
    assert different == []


@pytest.mark.parametrize("name", ["xls-calamine", "tab-phpspreadsheet", "tab-frictionless"])
def test_our_readers_give_the_values_that_calamine_gives(name: str, shared_data: Callable[[str], Path]) -> None:
    different = []
    for path in sorted([*shared_data(name).rglob("*.xlsb"), *shared_data(name).rglob("*.ods")]):
        try:
            theirs = cells_of(IsolatedSource(path, DEFAULT_LIMITS, FileFormat.ODS, engine="calamine"))
        except UnreadableFile:
            continue
        ours = cells_of(open_source(path))
        for sheet, rows in theirs.items():
            if plain(rows) != plain(ours.get(sheet, [])):
                different.append((path.name, sheet))
    assert different == []


def plain(rows: list[tuple[int, list[Cell]]]) -> list[tuple[int, int, str]]:
    """Numbers and texts with their places; the kinds differ, since calamine knows no formats."""
    kinds = ("number", "percent", "currency", "text")
    return [
        (number, column, cell.text.strip().rstrip("%") if cell.kind == "text" else f"{cell.value:.9g}")
        for number, cells in rows
        for column, cell in enumerate(cells)
        if cell.kind in kinds and cell.text.strip()
    ]
