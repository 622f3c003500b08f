"""How reports, runs and benchmarks read on a screen."""

from __future__ import annotations

from typing import Any

import pytest

from branchline.bench.catalogue import Figure, list_benches
from branchline.commands.report_text import cell_text, report_text
from branchline.commands.run_text import checked_text, counts_text, finding_text, undo_text
from branchline.screen import table


@pytest.mark.parametrize(
    ("value", "kind", "currency", "shown"),
    [
        ("10005534", "money", "USD", "10,005,534.00 USD"),
        ("116.69", "percent", "", "116.7 %"),
        ("63.15", "percent", "", "63.2 %"),
        ("12.05", "per_hundred", "", "12.1"),
        ("46676.000000", "quantity", "", "46,676"),
        ("8800", "count", "", "8,800"),
        ("-0.005", "money", "EUR", "-0.01 EUR"),
        ("1E+3", "quantity", "", "1,000"),
        ("", "money", "", ""),
        ("n/a", "count", "", "n/a"),
        ("12", "text", "", "12"),
    ],
)
def test_figures_are_rounded_half_up_by_their_type(value: str, kind: str, currency: str, shown: str) -> None:
    assert cell_text({"value": value, "currency_code": currency}, kind) == shown


def test_a_report_ends_with_totals_deliveries_and_remarks() -> None:
    columns = [{"name": "branch", "title": "Branch", "type": "text"}, {"name": "won", "title": "Won", "type": "count"}]
    answer: dict[str, Any] = {
        "columns": columns,
        "rows": [{"cells": [{"value": "Tula"}, {"value": "14"}]}],
        "totals": [{"cells": [{"value": ""}, {"value": "14"}]}],
        "delivery_summary": "2 of 3 branches have delivered",
        "deliveries": [{"unit_name": "Berlin", "delivered": False, "state": "blocked"}],
        "notes": ["rates of 2026-01-01"],
    }
    lines = report_text(answer).splitlines()
    assert [line.split() for line in lines if "14" in line] == [["Tula", "14"], ["total", "14"]]
    assert lines[-3:] == ["2 of 3 branches have delivered", "missing: Berlin (blocked)", "note: rates of 2026-01-01"]


def test_counts_add_up_on_the_screen() -> None:
    counts = {"rows_read": 12, "created": 9, "updated": 0, "unchanged": 0, "merged": 2, "refused": 1, "rows_skipped": 3}
    assert counts_text(counts) == "12 rows = 9 created + 2 merged + 1 refused"


def test_a_finding_has_its_place_and_the_way_out() -> None:
    finding = {"severity": "error", "sheet": "Aufträge", "cell": "I42", "message": "percent.", "way_out": "Change it."}
    assert finding_text(finding) == "  error   Aufträge!I42: percent; Change it"
    whole = {"severity": "error", "sheet": "Text", "cell": "", "row": "1071", "message": "no name."}
    assert finding_text(whole) == "  error   Text, row 1,071: no name"


def test_a_checked_run_names_columns_and_those_left_out() -> None:
    mapping = [{"column": "ФИО", "field": "full_name"}, {"column": "X", "field": ""}]
    run = {"id": "r", "kind": "persons", "file": {"name": "f.csv"}, "mapping": mapping, "expected": {"rows_read": 0}}
    assert checked_text(run, []).splitlines() == ["f.csv (persons), run r", "columns: ФИО = full_name", "left out: X"]


def test_text_of_people_cannot_steer_the_terminal_or_be_read_as_markup() -> None:
    shown = table(["name"], [["[red]\x1b[2Jx[/red]"]])
    assert "\x1b" not in shown
    assert "[red]" in shown


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        (Figure("rows", 10_000, "rows/s", must=3_000, aim=10_000), "aim"),
        (Figure("rows", 3_000, "rows/s", must=3_000, aim=10_000), "must"),
        (Figure("rows", 2_999, "rows/s", must=3_000, aim=10_000), "missed"),
        (Figure("start", 4.9, "s", must=10, aim=5, lower_is_better=True), "aim"),
        (Figure("start", 11, "s", must=10, aim=5, lower_is_better=True), "missed"),
        (Figure("start", 11, "s"), ""),
    ],
)
def test_a_figure_knows_whether_it_reaches_what_is_asked(figure: Figure, verdict: str) -> None:
    assert figure.verdict() == verdict


def test_a_figure_shows_its_share_of_the_limit() -> None:
    assert Figure("rows", 5_000, "rows/s", limit=50_000).shown() == "5,000 rows/s (10% of 50,000 rows/s)"


def test_benches_are_found_by_name() -> None:
    assert "start" in list_benches()


def test_what_undoing_a_run_would_do_ends_with_what_stays_and_why() -> None:
    undo = {"dry_run": True, "done": True, "removed": "1200", "restored": 3, "kept": 2, "message": ""}
    kept = [
        {"record_id": "7", "display_name": "Anna", "reason": "changed_since", "fields": ["address"]},
        {"record_id": "8", "display_name": "", "reason": "in_use", "fields": []},
    ]
    assert undo_text({"undo": undo}, kept).splitlines() == [
        "Undoing would do: 1,200 removed, 3 restored, 2 kept",
        "  Anna: changed_since (address)",
        "  8: in_use",
    ]
    done = {**undo, "dry_run": False, "kept": 0}
    assert undo_text({"undo": done}, []) == "Undone: 1,200 removed, 3 restored, 0 kept"
    failed = {**undo, "message": "it was too long ago"}
    assert undo_text({"undo": failed}, []) == "The run could not be undone: it was too long ago"
