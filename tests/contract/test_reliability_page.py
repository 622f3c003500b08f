"""docs/reliability.md names every fault test, and no test that is not there; its figures are written by a run."""

from __future__ import annotations

import re
from pathlib import Path

from tests.faults.figures import COLUMNS, PAGE, Figures, with_figures

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("tests", "libs", "services", "cli")
ROW = re.compile(r"^\|.*\| `(test_\w+)` \|")
OF_A_MACHINE = ("/home/", "/tmp/", "localhost", "127.0.0.1")


def list_tests(folder: str) -> set[str]:
    """The names of all tests below a folder."""
    return {
        name
        for path in (ROOT / folder).rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)\(", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    }


def rows_of(page: str) -> dict[str, str]:
    """The rows that name a test, by its name."""
    return {found[1]: line for line in page.splitlines() if (found := ROW.match(line))}


def test_every_fault_test_has_a_row_and_every_row_its_test() -> None:
    rows = rows_of(PAGE.read_text(encoding="utf-8"))
    assert list_tests("tests/faults") - rows.keys() == set(), "without a row"
    assert rows.keys() - set().union(*map(list_tests, FOLDERS)) == set(), "without a test"


def test_every_row_ends_with_figures_and_the_page_names_no_machine() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name, line in rows_of(page).items():
        figures = [one.strip() for one in line.strip("|").split("|")][-COLUMNS:]
        assert all(re.fullmatch(r"–|[\d,.]+", one) for one in figures), name
        assert set(figures[1:4]) <= {"0", "–"}, f"{name} broke a promise"
    assert [word for word in OF_A_MACHINE if word in page] == []


def test_a_run_writes_the_figures_of_its_tests_and_leaves_the_other_rows() -> None:
    page = (
        "| F-1 | P1 | this | `test_this` | – | – | – | – | – |\n| F-2 | P1 | that | `test_that` | 1 | 0 | 0 | 0 | – |\n"
    )
    found = with_figures(page, {"test_this": Figures(1_234, 0, 0, 0, 2.34)})
    this, that, _ = found.split("\n")
    assert this == "| F-1 | P1 | this | `test_this` | 1,234 | 0 | 0 | 0 | 2.3 |"
    assert that == page.split("\n")[1]
