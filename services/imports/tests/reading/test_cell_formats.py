"""A cell is what its format says: percents, dates, money and codes keep their kind, in every format of file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time
from pathlib import Path

import openpyxl
import pytest

from imports.reading import Cell, CellKind, FindingCode, inspect_file, read_rows
from imports.reading.number_formats import kind_of_format

SaveXlsx = Callable[..., Path]


def column(path: Path, position: int = 0) -> list[Cell]:
    return [row.cells[position] for row in read_rows(path)]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("General", CellKind.NUMBER),
        ("0.00", CellKind.NUMBER),
        ("0%", CellKind.PERCENT),
        ("0.0\\ %", CellKind.PERCENT),
        ("[Red]0.00%;-0.00%", CellKind.PERCENT),
        ('"100%" 0', CellKind.NUMBER),
        ('#,##0.00 "₽"', CellKind.CURRENCY),
        ("[$€-407] #,##0.00", CellKind.CURRENCY),
        ("yyyy-mm-dd", CellKind.DATE),
        ("[$-F800]dddd\\,\\ mmmm\\ dd", CellKind.DATE),
        ("[Blue]d.m.yy", CellKind.DATE),
        ("h:mm AM/PM", CellKind.TIME),
        ("[h]:mm:ss", CellKind.TIME),
        ('0 "days"', CellKind.NUMBER),
        ("0.00E+00", CellKind.NUMBER),
        ("@", CellKind.NUMBER),
    ],
)
def test_a_format_code_says_the_kind(code: str, kind: CellKind) -> None:
    assert kind_of_format(code) is kind


def test_percents_dates_and_money_of_a_workbook_keep_their_kind(save_xlsx: SaveXlsx) -> None:
    line = ["Set", (256.76, "0%"), (datetime(2024, 5, 1), "dd.mm.yyyy"), (12.5, '#,##0.00 "€"'), (0.5, "h:mm"), True, 7]
    path = save_xlsx([["Product", "Share", "Day", "Price", "Hour", "Active", "Count"], line, line])
    cells = list(read_rows(path))[0].cells
    kinds = ["text", "percent", "date", "currency", "time", "bool", "number"]
    assert [cell.kind.value for cell in cells] == kinds
    assert [cell.text for cell in cells] == ["Set", "25676%", "2024-05-01", "12.5", "12:00:00", "TRUE", "7"]
    assert cells[4].value == time(12)


def test_codes_keep_their_leading_zeros(save_xlsx: SaveXlsx) -> None:
    path = save_xlsx([["Name", "Code", "Index"], ["A", "007", (7, "00000")], ["B", "010", (1234, "00000")]])
    assert [cell.text for cell in column(path, 1)] == ["007", "010"]
    assert [cell.text for cell in column(path, 2)] == ["00007", "01234"]


def test_long_ids_are_not_shown_with_an_exponent_and_whole_numbers_are_whole(save_xlsx: SaveXlsx) -> None:
    path = save_xlsx([["Name", "Id"], ["A", 123456789012345.0], ["B", 1.0], ["C", 0.1]])
    cells = column(path, 1)
    assert [cell.text for cell in cells] == ["123456789012345", "1", "0.1"]
    assert isinstance(cells[1].value, int)


def test_days_of_1904_workbooks_are_the_days_their_users_see(save_xlsx: SaveXlsx) -> None:
    rows = [["Name", "Day"], ["A", (datetime(2024, 2, 29), "yyyy-mm-dd")], ["B", (datetime(2024, 3, 1), "yyyy-mm-dd")]]
    path = save_xlsx(rows, date_1904=True)
    assert [cell.value for cell in column(path, 1)] == [datetime(2024, 2, 29), datetime(2024, 3, 1)]


def test_errors_of_formulas_are_error_cells(shared_data: Callable[[str], Path]) -> None:
    cells = [cell for row in read_rows(shared_data("xls-calamine") / "errors.xlsx") for cell in row.cells]
    assert {cell.value for cell in cells if cell.kind is CellKind.ERROR} >= {"#DIV/0!", "#N/A", "#NAME?", "#REF!"}


@pytest.mark.parametrize("name", ["date.xlsx", "date.xls", "date.xlsb", "date.ods"])
def test_a_date_is_the_same_in_every_format(name: str, shared_data: Callable[[str], Path]) -> None:
    days = [
        cell.value
        for row in read_rows(shared_data("xls-calamine") / name)
        for cell in row.cells
        if cell.kind is CellKind.DATE
    ]
    assert datetime(2021, 1, 1) in days


@pytest.mark.parametrize(("name", "shown"), [("XLS/formulas.xls", "9.99999999999999%"), ("Ods/data.ods", "10%")])
def test_percents_of_other_formats_are_percents(name: str, shown: str, shared_data: Callable[[str], Path]) -> None:
    rows = read_rows(shared_data("tab-phpspreadsheet") / name)
    percents = [cell.text for row in rows for cell in row.cells if cell.kind is CellKind.PERCENT]
    assert shown in percents


def test_a_formula_that_was_never_calculated_is_reported_with_its_cell(save_xlsx: SaveXlsx, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for line in (["Name", "Sum"], ["A", "=1+1"], ["B", "=2+2"]):
        sheet.append(line)
    path = tmp_path / "formulas.xlsx"
    book.save(path)
    found = [one for one in inspect_file(path, path.name).findings if one.code is FindingCode.FORMULA_WITHOUT_VALUE]
    assert [one.cell for one in found] == ["Sheet!B2"]
    assert found[0].message.startswith("2 formulas")
