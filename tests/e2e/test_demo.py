"""The README's first command, run as a stranger runs it; the figures of the workbooks' maker come out exactly."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.e2e.platforms import ROOT, CommandLine

pytestmark = pytest.mark.timeout(600)

EXPECTED: dict[str, Any] = json.loads((ROOT / "demo" / "expected.json").read_text(encoding="utf-8"))
NAMES = {"moscow": "Moscow", "tula": "Tula", "berlin": "Berlin"}
STOPPED = "berlin-auftraege.xlsx"
NAIVE = "21256.76"  # what adding the percent cell as it is stored would give


@pytest.fixture(scope="module")
def first(command_line: CommandLine) -> dict[str, Any]:
    """What the first run of the demo printed."""
    ended = command_line.run("demo", "--json", timeout=500)
    assert ended.status == 0, ended.out + ended.err + command_line.logs()
    found: dict[str, Any] = ended.data
    return found


def rows_of(answer: dict[str, Any]) -> list[dict[str, str]]:
    """A report's rows by column name."""
    names = [column["name"] for column in answer["columns"]]
    return [dict(zip(names, [cell["value"] for cell in row["cells"]], strict=True)) for row in answer["rows"]]


def total_of(answer: dict[str, Any]) -> dict[str, str]:
    """A report's last total by column name."""
    return rows_of({**answer, "rows": answer["totals"]})[-1]


def test_every_file_is_loaded_whole_but_the_one_with_the_percent_cell(first: dict[str, Any]) -> None:
    counts = {one["file"]: one["counts"] for one in first["files"] if not one["stopped"]}
    assert [one["file"] for one in first["files"] if one["stopped"]] == [STOPPED]
    assert {name: one["refused"] for name, one in counts.items() if one["refused"]} == {}
    for name, one in counts.items():
        fates = sum(one[fate] for fate in ("created", "updated", "unchanged", "merged", "refused"))
        assert one["rows_read"] == fates > 0, name


def test_the_percent_cell_is_named_by_sheet_and_cell(first: dict[str, Any], command_line: CommandLine) -> None:
    run_id = next(one["run_id"] for one in first["files"] if one["stopped"])
    findings = command_line.json("runs", run_id)["findings"]
    errors = [one for one in findings if one["severity"] == "error"]
    assert any("Aufträge" in one["sheet"] + one["cell"] and "percent type" in one["message"] for one in errors)


def test_customers_known_to_several_branches_are_counted_once(first: dict[str, Any]) -> None:
    total = total_of(first["reports"]["customers"])
    assert (int(total["persons"]), int(total["organizations"])) == (EXPECTED["persons"], EXPECTED["organizations"])
    by_branch = {row["branch"]: int(row["persons"]) for row in rows_of(first["reports"]["customers"])}
    assert by_branch == {NAMES[code]: count for code, count in EXPECTED["persons_by_branch"].items()}


def test_won_deals_are_right_in_every_branch_and_currency(first: dict[str, Any]) -> None:
    answer = first["reports"]["won"]
    column = next(place for place, one in enumerate(answer["columns"]) if one["name"] == "amount")
    found = {
        row["cells"][0]["value"]: (Decimal(row["cells"][column]["value"]), row["cells"][column]["currency_code"])
        for row in answer["rows"]
    }
    assert found == {
        NAMES[code]: (Decimal(amount), EXPECTED["currency"][code]) for code, amount in EXPECTED["won_amount"].items()
    }


def test_the_funnel_counts_every_deal(first: dict[str, Any]) -> None:
    reached = {row["stage"]: int(row["deals"]) for row in rows_of(first["reports"]["funnel"])}
    assert reached["Lead"] == sum(EXPECTED["deals"].values())
    assert reached["Won"] == sum(EXPECTED["won_count"].values())


def test_the_sets_beat_their_plan_and_the_naive_total_is_nowhere(first: dict[str, Any]) -> None:
    answer = first["reports"]["sets"]
    total = total_of(answer)
    assert Decimal(total["fact"]) == EXPECTED["sets_total"] == 46_676
    assert Decimal(total["plan"]) == EXPECTED["sets_plan_total"] == 40_000
    assert answer["delivery_summary"] == "3 of 3 branches have delivered"
    assert NAIVE not in json.dumps(first)


def test_the_second_run_changes_nothing(first: dict[str, Any], command_line: CommandLine) -> None:
    again = command_line.json("demo")
    loaded = [one["counts"] for one in again["files"] if not one["stopped"]]
    assert [one for one in loaded if one["unchanged"] != one["rows_read"]] == []
    for name, answer in first["reports"].items():
        assert rows_of(again["reports"][name]) == rows_of(answer), name


def test_a_branchs_head_sees_his_branch_only(first: dict[str, Any], command_line: CommandLine) -> None:
    kept = json.loads((command_line.data / "credentials.json").read_text(encoding="utf-8"))
    signed_in = {
        "BRANCHLINE_URL": kept["url"],
        "BRANCHLINE_LOGIN": "tula",
        "BRANCHLINE_PASSWORD": kept["demo_users"]["tula"],
    }
    ended = command_line.run("report", "won", "--group-by", "branch", "--json", environment=signed_in)
    assert [row["branch"] for row in rows_of(ended.data)] == ["Tula"]
    refused = command_line.run("events", "parked", "list", environment=signed_in)
    assert refused.status == 4
    wrong = command_line.run("runs", environment={**signed_in, "BRANCHLINE_PASSWORD": "not this one"})
    assert wrong.status == 4


def test_text_for_people_says_where_to_go_on(first: dict[str, Any], command_line: CommandLine) -> None:
    shown = command_line.run("demo").out
    for words in (
        "Lamp sets sold in March",
        "46,676",
        "116.7 %",
        "3 of 3 branches have delivered",
        "./branchline down",
    ):
        assert words in shown
