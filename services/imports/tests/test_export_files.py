"""The files of exports: no cell is a formula, each file says who took it, and texts come back as they were."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from imports.exporting.asking import Heading
from imports.exporting.writing import mark_of, write_file
from imports.reading import OpenFile
from imports.reading.description import ReadOptions

HEADINGS = (Heading("card_id", "text"), Heading("name", "text"), Heading("amount", "number"), Heading("day", "date"))
FACTS = (("by", "Anna Adams (1)"), ("at", "2026-11-22 10:00:00 UTC"), ("export", "e-1"), ("rows", "9"))
LIVE = ['=HYPERLINK("http://x")', "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", ";=1", " =1", "＝1", "'quoted", "plain"]


def a_file(tmp_path: Path, format_: str, texts: list[str]) -> Path:
    path = tmp_path / f"export.{format_}"
    rows = [[f"id-{number}", text, "-12.5", "2026-01-31"] for number, text in enumerate(texts)]
    write_file(format_, path, HEADINGS, rows, FACTS)
    return path


def read_back(path: Path) -> list[list[str]]:
    opened = OpenFile(path, ReadOptions())
    try:
        opened.describe(path.name)
        return [[cell.text for cell in row.cells] for row in opened.read_rows()]
    finally:
        opened.close()


@pytest.mark.parametrize("format_", ["xlsx", "csv"])
def test_no_cell_of_a_file_is_taken_for_a_formula(tmp_path: Path, format_: str) -> None:
    path = a_file(tmp_path, format_, LIVE)
    if format_ == "csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            cells = [row[1] for row in csv.reader(file) if len(row) == len(HEADINGS)][1:]
        assert [one for one in cells if one.lstrip(" ")[:1] in "=+-@\t\r＝" or one.startswith(";=")] == []
    else:
        sheet: Any = openpyxl.load_workbook(path).worksheets[0]
        cells = sheet["B"][1 : len(LIVE) + 1]
        assert {cell.data_type for cell in cells} == {"s"}
        assert [cell.value for cell in cells][:2] == LIVE[:2]
        assert "<f>" not in zipfile.ZipFile(path).read("xl/worksheets/sheet1.xml").decode()


@pytest.mark.parametrize("format_", ["xlsx", "csv"])
def test_what_is_imported_again_is_what_was_exported(tmp_path: Path, format_: str) -> None:
    texts = ["=1+1", "+7 916 000-00-00", "@home", "- dash", "'quoted", "plain", "a;b", 'say "x"', "'=1", "''+1"]
    rows = read_back(a_file(tmp_path, format_, texts))
    assert [row[1] for row in rows] == texts
    assert [row[0] for row in rows] == [f"id-{number}" for number in range(len(texts))]


def test_figures_and_days_are_figures_and_days_in_a_workbook(tmp_path: Path) -> None:
    sheet: Any = openpyxl.load_workbook(a_file(tmp_path, "xlsx", ["a"])).worksheets[0]
    assert (sheet["C2"].value, sheet["D2"].value.isoformat()[:10]) == (-12.5, "2026-01-31")


def test_every_file_says_who_took_it_when_by_which_request_and_how_many_rows(tmp_path: Path) -> None:
    book: Any = openpyxl.load_workbook(a_file(tmp_path, "xlsx", LIVE))
    assert book.worksheets[0].cell(len(LIVE) + 3, 1).value == mark_of(FACTS)
    assert book.properties.description == mark_of(FACTS)
    assert mark_of(FACTS) in a_file(tmp_path, "csv", LIVE).read_text(encoding="utf-8-sig")
    told = json.loads(a_file(tmp_path, "json", LIVE).read_text(encoding="utf-8"))
    assert told["export"] == dict(FACTS)
    assert [row["name"] for row in told["rows"]] == LIVE


@pytest.mark.parametrize(
    ("row", "read"),
    [
        (
            {"full_name": "Anna Vetrova", "given_name": "Anna", "family_name": "Vetrova",
             "organization": "Oak, Ash; Elm", "phone": "+74951234567 ext. 102; +79167654321",
             "email": "a@example.org; b@example.org", "street": "Лесная 5\nподъезд 2",
             "city": "Москва", "birth_date": "1985-07-19"},
            {"Family name": "Vetrova", "Given name": "Anna", "Organization": "Oak, Ash; Elm",
             "Phone": "+74951234567 ext. 102; +79167654321", "E-mail": "a@example.org; b@example.org",
             "Street": "Лесная 5 подъезд 2", "City": "Москва", "Birth date": "1985-07-19"},
        ),
        ({"full_name": "Иван" * 40}, {"Full name": "Иван" * 40}),
        (
            {"name": "Parabola", "website": "parabola.example"},
            {"Organization": "Parabola", "Website": "parabola.example"},
        ),
    ],
)  # fmt: skip
def test_an_address_book_comes_back_as_it_went_and_each_card_says_who_took_it(
    tmp_path: Path, row: dict[str, str], read: dict[str, str]
) -> None:
    path = tmp_path / "export.vcf"
    write_file("vcf", path, [Heading(name, "text") for name in row], [list(row.values())] * 2, FACTS)
    lines = path.read_bytes().split(b"\r\n")
    assert max(len(line) for line in lines) <= 75
    assert b"".join(lines).count(b"X-BRANCHLINE-EXPORT") == 2
    opened = OpenFile(path, ReadOptions())
    names = [column.name for column in opened.read_rows().columns]
    cards = [{name: cell.text for name, cell in zip(names, one.cells, strict=True)} for one in opened.read_rows()]
    assert cards == [read, read]
