"""A file surveyed by a process of its own says what it says in this one, and ends with either process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from chassis.testing.eventually import eventually
from imports import survey_apart
from imports.reading import UnreadableFile, read_rows
from imports.reading.cells import BLANK_CELL, Cell, CellKind, SourceRow
from imports.survey_apart import ReadingFell, SurveyApart, survey_file
from imports.survey_lines import plain_rows, rows_of, to_line
from imports.workbook import GUESSED_FROM, FileSurvey, OpenedTable, Survey, open_survey

HEADINGS = ("Number", "Name", "Share", "Day", "Note", "Sum")
COUNT = GUESSED_FROM + 350


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sheets of one template with kinds of all sorts, a total below, and a column that changes after the guess."""
    path = tmp_path_factory.mktemp("apart") / "book.xlsx"
    book = xlsxwriter.Workbook(path)
    percent, day = book.add_format({"num_format": "0.0%"}), book.add_format({"num_format": "yyyy-mm-dd"})
    for title, count in (("North", COUNT), ("South", 130)):
        sheet = book.add_worksheet(title)
        sheet.write_row(0, 0, HEADINGS)
        for row in range(1, count + 1):
            sheet.write_row(row, 0, (row, f"Имя {row} \U0001f600"))
            sheet.write_number(row, 2, row / 1000, percent)
            sheet.write_datetime(row, 3, datetime(2024, 1 + row % 12, 1), day)
            if row % 3:
                sheet.write_string(row, 4, "12/31/2024" if row > GUESSED_FROM else "text")
            sheet.write_number(row, 5, row * 1.1)
        sheet.write_row(count + 1, 0, ("Total", None, None, None, None, 7.5))
    book.close()
    return path


@pytest.fixture
def apart(workbook: Path) -> Iterator[SurveyApart]:
    """The workbook's survey in a process of its own."""
    with closing(SurveyApart(workbook, workbook.name, {})) as survey:
        yield survey


def facts_of(table: OpenedTable) -> tuple[Any, ...]:
    """All that is known of a table and of its last pass."""
    told = (table.columns, table.forms, table.detected, table.expected_rows, table.findings)
    return (*told, table.skipped(), table.findings_after())


def whole(survey: Survey) -> tuple[Any, ...]:
    """A pass as an unattended check makes it: a guess after the first rows, then all."""
    rows = survey.rows()
    first = list(islice(rows, GUESSED_FROM))
    guess = survey.table()
    guessed = (guess.columns[4].looks_like, guess.columns[4].filled, guess.forms, guess.expected_rows)
    return survey.rows_in_sheets, guessed, [*first, *rows], facts_of(survey.table())


def test_rows_columns_findings_and_the_guess_are_those_of_one_process(workbook: Path, apart: SurveyApart) -> None:
    with closing(open_survey(workbook, workbook.name, {})) as here:
        expected = whole(here)

    assert whole(apart) == expected
    assert len(expected[2]) == COUNT + 130
    assert expected[-1][-2] == 2  # the totals


def test_a_pass_that_only_looks_tells_the_same_and_the_next_one_gives_the_rows(
    workbook: Path, apart: SurveyApart
) -> None:
    with closing(open_survey(workbook, workbook.name, {})) as here:
        here.look_through()
        expected, rows = here.table(), list(here.table().rows())

    apart.look_through()
    table = apart.table()

    assert facts_of(table) == facts_of(expected)
    assert list(table.rows()) == rows
    assert (table.skipped(), table.findings_after()) == (expected.skipped(), expected.findings_after())


def test_options_reach_the_other_process(workbook: Path) -> None:
    with closing(SurveyApart(workbook, "book.xlsx", {"sheets": ["South"]})) as survey:
        assert {row.sheet for row in survey.rows()} == {"South"}
        assert survey.table().detected["sheets"] == ["South"]


def test_a_file_that_is_refused_is_refused_with_the_same_words(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    path.write_bytes(b"PK\x03\x04 no workbook")
    with pytest.raises(UnreadableFile) as here:
        open_survey(path, path.name, {})
    with pytest.raises(UnreadableFile) as there:
        SurveyApart(path, path.name, {})
    assert (there.value.reason, there.value.message, there.value.way_out) == (
        here.value.reason, here.value.message, here.value.way_out,
    )  # fmt: skip


def test_damage_deep_in_a_file_comes_out_of_the_pass(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("Name,Note\n" + "Anna,x\n" * 12_000 + 'Ben,"' + "y" * 1_100_000)
    taken: list[SourceRow] = []
    with closing(SurveyApart(path, path.name, {})) as survey, pytest.raises(UnreadableFile):
        taken.extend(survey.rows())
    assert len(taken) >= 11_900


def test_a_reading_process_that_is_killed_is_told_and_no_row_is_made_up(apart: SurveyApart) -> None:
    rows = apart.rows()
    next(rows)
    apart._child.kill()
    with pytest.raises(ReadingFell, match="-9"):
        list(rows)


def test_what_a_fallen_process_says_names_the_line_and_no_value(workbook: Path) -> None:
    with pytest.raises(ReadingFell) as fallen:
        SurveyApart(workbook, workbook.name, {"header_row": "Anna Ivanova"})
    assert "TypeError" in str(fallen.value)
    assert "workbook.py" in str(fallen.value)
    assert "Anna" not in str(fallen.value)


def test_closing_ends_the_other_process_in_the_middle_of_a_pass(workbook: Path) -> None:
    survey = SurveyApart(workbook, workbook.name, {})
    next(survey.rows())
    survey.close()
    assert survey._child.poll() is not None


def test_the_reading_process_ends_with_the_one_that_asked_for_it(workbook: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom imports.survey_apart import SurveyApart\n"
        "survey = SurveyApart(Path(sys.argv[1]), 'book.xlsx', {})\n"
        "print(survey._child.pid, flush=True)\ntime.sleep(600)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", code, str(workbook)], stdout=subprocess.PIPE, env=environment
    ) as asking:
        assert asking.stdout is not None
        child = int(asking.stdout.readline())
        os.kill(asking.pid, signal.SIGKILL)
    eventually(lambda: not _runs(child), within=30)


def _runs(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_the_reading_process_gets_no_secret(workbook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPORTS_SERVICE_SECRET", "quite secret")
    with closing(SurveyApart(workbook, workbook.name, {})) as survey:
        environment = Path(f"/proc/{survey._child.pid}/environ").read_bytes()
    assert b"PYTHONPATH" in environment
    assert b"quite secret" not in environment


def test_only_a_large_file_has_a_process_of_its_own(workbook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    size = workbook.stat().st_size
    kinds = []
    for bound in (size + 1, size):
        monkeypatch.setattr(survey_apart, "APART_FROM_BYTES", bound)
        with closing(survey_file(workbook, workbook.name, {})) as survey:
            kinds.append(type(survey))
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    with closing(survey_file(workbook, workbook.name, {})) as survey:
        kinds.append(type(survey))
    assert kinds == [FileSurvey, SurveyApart, FileSurvey]


@pytest.mark.parametrize(
    "cell",
    [
        BLANK_CELL,
        Cell(CellKind.TEXT, "0"),
        Cell(CellKind.TEXT, "a\x00\ud800\n", "@"),
        Cell(CellKind.NUMBER, 0.1 + 0.2),
        Cell(CellKind.NUMBER, 10**25),
        Cell(CellKind.NUMBER, float("inf")),
        Cell(CellKind.NUMBER, 7, "00000"),
        Cell(CellKind.PERCENT, 0.075, "0.0%"),
        Cell(CellKind.DATE, datetime(2024, 2, 29, 23, 59, 59, 999_999), "yyyy"),
        Cell(CellKind.DATE, date(1, 1, 1)),
        Cell(CellKind.TIME, time(1, 2, 3)),
        Cell(CellKind.TIME, timedelta(days=2, seconds=1.5)),
        Cell(CellKind.BOOL, False),
        Cell(CellKind.ERROR, "#N/A"),
    ],
)
def test_a_cell_comes_over_as_it_is(cell: Cell) -> None:
    row = SourceRow("Sheet 'A'", 3, [cell, cell], (1, 4))
    [back] = rows_of(*json.loads(to_line(*plain_rows([row]))))
    assert back == row
    assert [type(one.value) for one in back.cells] == [type(cell.value)] * 2
    assert [one.kind for one in back.cells] == [cell.kind] * 2


@pytest.mark.parametrize("name", ["xls-exceljs", "tab-frictionless"])
def test_cells_of_real_files_come_over_as_they_are(name: str, shared_data: Callable[[str], Path]) -> None:
    seen = 0
    for path in sorted(shared_data(name).rglob("*.xlsx")):
        if path.stat().st_size > 200_000:
            continue
        try:
            rows = list(islice(read_rows(path), 500))
        except UnreadableFile:
            continue
        for row in rows:
            assert list(rows_of(*json.loads(to_line(*plain_rows([row]))))) == [row]
        seen += len(rows)
    assert seen
