"""Titles, headings, records, totals and notes of a sheet are told apart, and every row left out is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imports.reading import (
    CellKind,
    FindingCode,
    ReadOptions,
    RowReader,
    SkipReason,
    UnreadableFile,
    UnreadableReason,
    inspect_file,
    read_rows,
)
from imports.reading.dates import DateEvidence, DateForm, parse_date

SaveXlsx = Callable[..., Path]
SaveText = Callable[..., Path]

HEADINGS = ["Customer", "City", "Product", "Amount"]
RECORDS: list[list[Any]] = [
    ["Barton LLC", "Minsk", "Chair", 10],
    ["Kulas Inc", "Brest", "Table", 20],
    ["Koepp Ltd", "Gomel", "Lamp", 30],
]
TOTALS = (
    "Total",
    "TOTAL:",
    "Grand total",
    "Subtotal",
    "Итого",
    "Итого по филиалу",
    "Всего:",
    "Summe",
    "合計",
    "المجموع",
)


def texts(reader: RowReader) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in reader]


def read_all(path: Path, options: ReadOptions | None = None) -> tuple[list[list[str]], RowReader]:
    reader = read_rows(path, options or ReadOptions())
    return texts(reader), reader


def names(reader: RowReader) -> list[str]:
    return [column.name for column in reader.columns]


EXPECTED = [[str(value) for value in record] for record in RECORDS]


def test_titles_above_blank_rows_inside_totals_and_notes_below_are_left_out_visibly(save_xlsx: SaveXlsx) -> None:
    sheet = [
        ["Sales of the Brest branch"],
        ["Period", "May 2024"],
        [],
        HEADINGS,
        *RECORDS[:2],
        [],
        RECORDS[2],
        ["Total", None, None, 60],
        [],
        ["Source: outlet ledger"],
    ]
    read, reader = read_all(save_xlsx(sheet))
    assert read == EXPECTED
    assert reader.table.parts[0].header_rows == (4,)
    assert [number for number, _ in reader.table.parts[0].title_rows] == [1, 2]
    assert [(row.row, row.reason) for row in reader.skipped.shown] == [(9, SkipReason.TOTALS), (11, SkipReason.NOTE)]
    assert reader.skipped.counts[SkipReason.BLANK] == 2


@pytest.mark.parametrize("label", TOTALS)
def test_totals_are_recognized_in_the_languages_of_the_branches(save_xlsx: SaveXlsx, label: str) -> None:
    read, reader = read_all(save_xlsx([HEADINGS, *RECORDS, [label, None, None, 60]]))
    assert read == EXPECTED
    assert reader.skipped.counts[SkipReason.TOTALS] == 1


def test_a_sum_without_a_label_below_the_table_is_a_total(save_xlsx: SaveXlsx) -> None:
    read, reader = read_all(save_xlsx([HEADINGS, *RECORDS, [None, None, None, 60]]))
    assert read == EXPECTED
    assert reader.skipped.shown[0].reason is SkipReason.TOTALS


def test_a_customer_called_total_is_a_record(save_xlsx: SaveXlsx) -> None:
    record = ["Total Energies SE", "Paris", "Oil", 40]
    read, reader = read_all(save_xlsx([HEADINGS, *RECORDS, record]))
    assert read[-1] == ["Total Energies SE", "Paris", "Oil", "40"]
    assert not reader.skipped.shown


def test_a_record_with_one_cell_among_others_is_kept(save_xlsx: SaveXlsx) -> None:
    read, _ = read_all(save_xlsx([HEADINGS, RECORDS[0], ["Only a name"], *RECORDS[1:]]))
    assert [row[0] for row in read] == ["Barton LLC", "Only a name", "Kulas Inc", "Koepp Ltd"]


def test_headings_repeated_inside_are_left_out(save_xlsx: SaveXlsx) -> None:
    read, reader = read_all(save_xlsx([HEADINGS, *RECORDS[:2], HEADINGS, RECORDS[2]]))
    assert read == EXPECTED
    assert reader.skipped.counts[SkipReason.REPEATED_HEADER] == 1


def test_a_table_off_the_first_column_and_row_is_found_with_its_cell_addresses(save_xlsx: SaveXlsx) -> None:
    sheet = [[], [], *([None, None, *line] for line in [HEADINGS, *RECORDS])]
    path = save_xlsx(sheet)
    row = next(iter(read_rows(path)))
    assert [cell.text for cell in row.cells] == EXPECTED[0]
    assert row.address(0) == "Sheet1!C4"


def test_headings_of_two_lines_are_joined(save_xlsx: SaveXlsx) -> None:
    sheet = [
        ["Customer", "Plan", None, "Fact", None],
        [None, "Units", "Sum", "Units", "Sum"],
        ["A", 1, 2.5, 3, 4.5],
        ["B", 5, 6.5, 7, 8.5],
    ]
    read, reader = read_all(save_xlsx(sheet))
    assert names(reader) == ["Customer", "Plan Units", "Plan Sum", "Fact Units", "Fact Sum"]
    assert len(read) == 2


def test_blank_and_repeated_headings_get_names_of_their_own(save_xlsx: SaveXlsx) -> None:
    path = save_xlsx([["Name", None, "Phone", "Phone"], ["A", "x", "1", "2"], ["B", "y", "3", "4"]])
    workbook = inspect_file(path, path.name)
    assert [column.name for column in workbook.tables[0].columns] == ["Name", "column 2", "Phone", "Phone (2)"]
    found = {one.code: one.cell for one in workbook.findings}
    assert found[FindingCode.BLANK_HEADER] == "Sheet1!B1"
    assert found[FindingCode.DUPLICATE_HEADER] == "Sheet1!D1"


def test_a_table_without_headings_has_numbered_columns(save_text: SaveText) -> None:
    path = save_text("1|637|AW00000001|245-555-0173\n2|635|AW00000002|170-555-0127\n")
    workbook = inspect_file(path, path.name)
    assert [column.name for column in workbook.tables[0].columns] == [f"column {number}" for number in range(1, 5)]
    assert workbook.findings.count(FindingCode.NO_HEADER) == 1


def test_the_user_can_say_where_headings_and_records_are(save_xlsx: SaveXlsx) -> None:
    path = save_xlsx([["x", "y"], ["Name", "Sum"], ["A", 1], ["B", 2], ["C", 3]])
    read, reader = read_all(path, ReadOptions(header_row=2, last_row=4))
    assert (names(reader), read) == (["Name", "Sum"], [["A", "1"], ["B", "2"]])
    read, reader = read_all(path, ReadOptions(has_header=False))
    assert (names(reader), len(read)) == (["column 1", "column 2"], 5)
    with pytest.raises(UnreadableFile) as caught:
        read_rows(path, ReadOptions(header_row=99))
    assert caught.value.reason is UnreadableReason.WRONG_OPTION


def test_sheets_of_one_template_are_read_as_one_table(shared_data: Callable[[str], Path]) -> None:
    folder = shared_data("sales-pbpython-excel")
    truth = json.loads((folder / "expected.json").read_text())["2018_Sales_Total_Tabs.xlsx"]["sheets"]
    reader = read_rows(folder / "2018_Sales_Total_Tabs.xlsx")
    price = names(reader).index("ext price")
    found: dict[str, list[float]] = {}
    for row in reader:
        found.setdefault(row.sheet, []).append(number(row.cells[price].value))
    assert {sheet: (len(prices), round(sum(prices), 2)) for sheet, prices in found.items()} == {
        sheet: (figures["rows"], figures["ext_price"]) for sheet, figures in truth.items()
    }


def number(value: Any) -> float:
    assert isinstance(value, int | float)
    return value


@pytest.mark.parametrize(
    ("name", "rows", "column", "total"),
    [
        ("salesfunnel.xlsx", 17, "Price", 522000),
        ("sales-jan-2014.xlsx", 134, "ext price", 185361.66),
        ("sales-feb-2014.xlsx", 108, "ext price", 146211.62),
        ("sales-mar-2014.xlsx", 142, "ext price", 203921.38),
        ("2018_Sales_Total.xlsx", 1500, "ext price", 2018784.32),
        ("sample-sales-reps.xlsx", 1500, "ext price", 857630.19),
        ("sales_9_2022.xlsx", 20, "Sales", 8000000),
    ],
)
def test_real_sales_files_give_their_known_totals(
    name: str, rows: int, column: str, total: float, shared_data: Callable[[str], Path]
) -> None:
    reader = read_rows(shared_data("sales-pbpython-excel") / name)
    place = names(reader).index(column)
    values = [number(row.cells[place].value) for row in reader]
    assert (len(values), round(sum(values), 2)) == (rows, total)


def test_tables_that_the_workbook_names_and_those_beside_notes_are_found(shared_data: Callable[[str], Path]) -> None:
    path = shared_data("sales-pbpython-excel") / "shipping_tables.xlsx"
    workbook = inspect_file(path, path.name)
    assert [(table.name, table.named) for table in workbook.tables] == [("sales", False), ("ship_cost", True)]
    costs, reader = read_all(path, ReadOptions(table="ship_cost"))
    assert names(reader) == ["item_type", "priority", "shipping_cost"]
    assert (len(costs), costs[0][0]) == (8, "Baby Food")
    orders, reader = read_all(path, ReadOptions(table="sales"))
    assert names(reader)[:5] == ["order id", "order date", "state", "priority", "item_type"]
    assert len(orders) == 9


def test_hidden_sheets_are_named_and_read_only_when_chosen(save_xlsx: SaveXlsx) -> None:
    path = save_xlsx(
        sheets={"Open": [HEADINGS, *RECORDS], "Secret": [["A", "B"], ["x", 1], ["y", 2]]}, hidden=("Secret",)
    )
    workbook = inspect_file(path, path.name)
    assert [(table.name, table.hidden) for table in workbook.tables] == [("Open", False), ("Secret", True)]
    assert workbook.findings.count(FindingCode.HIDDEN_SHEET) == 1
    assert read_all(path)[0] == EXPECTED
    assert read_all(path, ReadOptions(sheets=("Secret",)))[0] == [["x", "1"], ["y", "2"]]
    with pytest.raises(UnreadableFile) as caught:
        read_rows(path, ReadOptions(sheets=("Nowhere",)))
    assert caught.value.reason is UnreadableReason.NO_SUCH_SHEET


def test_fields_too_many_are_an_error_with_their_cell_and_too_few_a_warning(save_text: SaveText) -> None:
    lines = ["id,name,age", *(f"{number},Ann,3{number % 10}" for number in range(20)), "7,Smith, John,40", "8,Bob"]
    _, reader = read_all(save_text("\n".join(lines) + "\n"))
    found = [(one.code, one.cell) for one in reader.findings]
    assert found == [(FindingCode.EXTRA_CELLS, "Text!D22"), (FindingCode.MISSING_CELLS, "Text!C23")]


def test_the_same_deals_saved_with_other_date_forms_have_the_same_days(shared_data: Callable[[str], Path]) -> None:
    folder = shared_data("crm-maven-opportunities")
    forms = {
        "sales_pipeline.csv": DateForm.ISO,
        "variants/sales_pipeline_us_m-d-yyyy.csv": DateForm.MONTH_FIRST,
        "variants/sales_pipeline_dd-mm-yyyy_zero_values.csv": DateForm.DAY_FIRST,
        "variants/sales_pipeline_dd-mm-yy.csv": DateForm.DAY_FIRST,
    }
    days = {}
    for name, form in forms.items():
        rows, reader = read_all(folder / name)
        key, place = names(reader).index("opportunity_id"), names(reader).index("close_date")
        evidence = DateEvidence()
        written = {row[key]: row[place] for row in rows if row[place] not in ("", "0")}
        for text in written.values():
            evidence.look_at(text)
        assert evidence.form is form, name
        days[name] = {deal: parse_date(text, form) for deal, text in written.items()}
    first, *others = days.values()
    assert len(first) == 6711
    assert all(other == first for other in others)


def test_an_excel_date_is_the_day_that_the_text_variants_have(shared_data: Callable[[str], Path]) -> None:
    folder = shared_data("crm-maven-opportunities")
    reader = read_rows(folder / "variants" / "data_model.xlsx", ReadOptions(table="sales_pipeline"))
    key, place = names(reader).index("opportunity_id"), names(reader).index("engage_date")
    moments = {row.cells[key].text: row.cells[place].text for row in reader if row.cells[place].kind is CellKind.DATE}
    rows, base = read_all(folder / "sales_pipeline.csv")
    place = names(base).index("engage_date")
    assert all(moments[row[0]] == row[place] for row in rows if row[0] in moments)
    assert len(moments) > 8000


@pytest.mark.parametrize("heading", ["Name", "Name;Phone", "Name;Phone;Town;Street"])
def test_the_mark_below_an_export_is_no_record(save_text: SaveText, heading: str) -> None:
    columns = heading.count(";")
    text = f"{heading}\nAnna{';1' * columns}\nBert{';2' * columns}\n\nExported: by a steward at 2026-01-02\n"
    rows, reader = read_all(save_text(text.encode(), "export.csv"))
    assert [row[0] for row in rows] == ["Anna", "Bert"]
    assert [one.reason for one in reader.skipped.shown] == [SkipReason.NOTE]
