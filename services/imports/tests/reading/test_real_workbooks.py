"""Every workbook of the sets is read as two other readers agree, or refused, or differs for a reason given here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from imports.reading import CellKind, UnreadableFile, UnreadableReason
from imports.reading.cells import NUMERIC_KINDS
from imports.reading.workbook import open_source

SETS = ("xls-calamine", "xls-readxl", "xls-exceljs", "tab-phpspreadsheet", "tab-frictionless")
READERS = ("calamine", "openpyxl", "xlrd", "pyxlsb")
WRITTEN_INDENTED = "the other reader refuses indented XML or a missing mimetype; read here"
SPACES = "cells of one space, which the other reader takes for empty; their styles are not where one reader looks"
DIFFERENT = {
    "minimal_package.xlsx": SPACES,
    "los-angeles-arrests-xlsx.xlsx": SPACES,
    "dates-leap-year-1900-xls.xls": "29 February 1900 was no day: the cell is left a number and not made 28 February",
    "too_small.xls": "a line of text under the name of a workbook: read as text, and the name is reported",
    "RepeatedDataCells.ods": WRITTEN_INDENTED,
    "issue.4435b.ods": WRITTEN_INDENTED,
    "issue.804.ods": WRITTEN_INDENTED,
    "nomimetype.ods": WRITTEN_INDENTED,
}
REFUSED = {
    "OOM_alloc3.xls": UnreadableReason.DAMAGED,
    "issue252.xlsx": UnreadableReason.DAMAGED,
    "issue_385.xls": UnreadableReason.PASSWORD_PROTECTED,
    "missing-bits.xlsx": UnreadableReason.DAMAGED,
    "oleloop.xls": UnreadableReason.DAMAGED,
    "pass_protected.ods": UnreadableReason.PASSWORD_PROTECTED,
    "pass_protected.xlsb": UnreadableReason.PASSWORD_PROTECTED,
    "pass_protected.xlsx": UnreadableReason.PASSWORD_PROTECTED,
    "pwtest.xls": UnreadableReason.PASSWORD_PROTECTED,
    "pwtest2.xls": UnreadableReason.PASSWORD_PROTECTED,
    "pwtest3.xls": UnreadableReason.PASSWORD_PROTECTED,
    "test-row-styles.xlsx": UnreadableReason.DAMAGED,
    "issue_594_dos.ods": UnreadableReason.TOO_MANY_COLUMNS,
}

Counts = dict[str, float]


def count_cells(path: Path) -> dict[str, Counts]:
    """Per sheet the figures that expected.json has."""
    counted = {}
    with closing(open_source(path)) as source:
        for facts in source.sheets:
            sheet: Counts = dict.fromkeys(("non_empty", "numbers", "text", "dates", "bools", "errors", "sum"), 0)
            for _, cells in source.rows(facts.name):
                for cell in cells:
                    count_cell(cell.kind, cell.value, sheet)
            counted[facts.name] = sheet
    return counted


def count_cell(kind: CellKind, value: Any, sheet: Counts) -> None:
    if kind is CellKind.BLANK:
        return
    sheet["non_empty"] += 1
    if kind in NUMERIC_KINDS:
        sheet["numbers"] += 1
        sheet["sum"] += value
    else:
        names = {CellKind.TEXT: "text", CellKind.BOOL: "bools", CellKind.ERROR: "errors"}
        sheet[names.get(kind, "dates")] += 1


def agrees(read: dict[str, Counts], expected: dict[str, Any]) -> bool:
    """Whether one other reader saw the same; some count error cells as text, some leave them out."""
    for name, other in expected.items():
        if not isinstance(other, dict):
            continue
        ours = read.get(name)
        if ours is None:
            if other["non_empty"]:
                return False
            continue
        same = all(ours[key] == other[key] for key in ("numbers", "dates", "bools"))
        filled = other["non_empty"] in (ours["non_empty"], ours["non_empty"] - ours["errors"])
        texts = other["text"] in (ours["text"], ours["text"] + ours["errors"])
        if not (same and filled and texts and ours["sum"] == pytest.approx(other["sum"], rel=1e-6, abs=1e-6)):
            return False
    return True


def workbooks_of(folder: Path) -> Iterator[tuple[Path, list[dict[str, Any]]]]:
    for name, readers in json.loads((folder / "expected.json").read_text("utf-8"))["detail"].items():
        yield folder / name, [readers[reader] for reader in READERS if isinstance(readers.get(reader), dict)]


@pytest.mark.parametrize("name", SETS)
@pytest.mark.timeout(600)
def test_workbooks_are_read_as_other_readers_agree(name: str, shared_data: Callable[[str], Path]) -> None:
    wrong: list[tuple[object, ...]] = []
    for path, others in workbooks_of(shared_data(name)):
        try:
            read = count_cells(path)
        except UnreadableFile as refusal:
            if REFUSED.get(path.name) is not refusal.reason:
                wrong.append((path.name, refusal.reason, refusal.message))
            continue
        if (not others or not any(agrees(read, other) for other in others)) and path.name not in DIFFERENT:
            wrong.append((path.name, read, others))
    assert wrong == []
