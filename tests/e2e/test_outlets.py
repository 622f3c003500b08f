"""Three outlets and 256.76 sets: a percent cell never becomes a figure; the mended files beat the plan."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from chassis.testing.eventually import eventually
from tests.e2e.office import Office, Run, signed_in

pytestmark = pytest.mark.timeout(300)

MONTH = {"from": "2024-03-01", "to": "2024-03-31"}
OUTLETS = ("Alpha", "Beta", "Gamma")
SET = "Lamp set"
HEADER = ("Date", "Product", "Quantity")
NAIVE = ("21256.76", "256.76", "53.14", "53.1")
Cell = tuple[Any, str] | Any  # a value, or a value with its number format


@dataclass(frozen=True)
class Chain:
    """The outlets by name, and where their files are written."""

    office: Office
    units: dict[str, str]
    folder: Path

    def check(self, name: str, rows: Sequence[Sequence[Cell]], unit: str = "Beta", **how: Any) -> Run:
        """Check a workbook (or CSV text) of an outlet."""
        write = write_csv if name.endswith(".csv") else write_workbook
        return self.office.check(write(self.folder / name, rows), self.units[unit], "deals", **how)

    def load(self, name: str, rows: Sequence[Sequence[Cell]], unit: str) -> dict[str, int]:
        """Load a workbook of an outlet to its end."""
        return self.office.load(write_workbook(self.folder / name, rows), self.units[unit], "deals")

    def found(self, run: Run, code: str) -> list[dict[str, Any]]:
        """The findings of one code."""
        return [one for one in self.office.findings(run) if one["code"] == code]

    def plan_fact(self, **more: Any) -> dict[str, Any]:
        """The month's sets, plan against fact, as REST answers it."""
        answer: dict[str, Any] = self.office.rest.get("/reports/plan-fact", metric="quantity", **MONTH, **more)
        return answer


def write_workbook(path: Path, rows: Sequence[Sequence[Cell]]) -> Path:
    """A workbook with a title above its table; a cell may bring its number format."""
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("March")
        sheet.write(0, 0, "Sales of the outlet")
        sheet.write_row(2, 0, HEADER)
        for line, row in enumerate(rows, 3):
            for column, cell in enumerate(row):
                value, form = cell if isinstance(cell, tuple) else (cell, "yyyy-mm-dd" if column == 0 else "General")
                put = sheet.write_datetime if isinstance(value, date) else sheet.write
                put(line, column, value, book.add_format({"num_format": form}))
    return path


def write_csv(path: Path, rows: Sequence[Sequence[Cell]]) -> Path:
    """The same table as text, cut by semicolons."""
    path.write_text("\n".join(";".join(map(str, row)) for row in (HEADER, *rows)) + "\n", encoding="utf-8")
    return path


def day(number: int) -> datetime:
    """A day of the month."""
    return datetime(2024, 3, number)  # noqa: DTZ001 (spreadsheets know no zone)


@pytest.fixture(scope="module")
def chain(office: Office, tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """Three outlets, a product without fractions, a plan of 40,000; A and C have delivered."""
    units = {name: office.unit(name.lower(), name) for name in OUTLETS}
    product = {"name": SET, "code": "LS", "unit_of_measure": "set", "fraction_allowed": False}
    product_id = office.rest.post("/products", product, key=str(uuid.uuid4()))["id"]
    plan = {"unit_id": office.company, "product_id": product_id, "metric": "quantity", "quantity": "40000"}
    office.rest.call("PUT", "/plans", patient=True, json={**plan, "start_date": "2024-03-01", "end_date": "2024-04-01"})
    made = Chain(office, units, tmp_path_factory.mktemp("outlets"))
    made.load("alpha.xlsx", [(day(5), SET, 7000), (day(20), SET, 5000)], "Alpha")
    made.load("gamma.xlsx", [(day(7), SET, 9000)], "Gamma")
    return made


@pytest.fixture(scope="module")
def blocked(chain: Chain) -> Run:
    """The run over B's workbook with the percent cell."""
    run = chain.check("beta.xlsx", [(day(9), SET, (256.76, "0%"))])
    chain.office.settle()
    return run


def cells_of(answer: dict[str, Any]) -> list[str]:
    """Every figure and text of a report's answer."""
    return [cell["value"] for row in (*answer["rows"], *answer["totals"]) for cell in row["cells"]]


def facts_of(answer: dict[str, Any]) -> dict[str, Decimal]:
    """The total's figures."""
    names = [column["name"] for column in answer["columns"]]
    total = dict(zip(names, [cell["value"] for cell in answer["totals"][-1]["cells"]], strict=True))
    return {name: Decimal(total[name]) for name in ("plan", "fact", "attainment")}


class TestPercentCell:
    def test_the_file_is_stopped_with_sheet_and_cell(self, chain: Chain, blocked: Run) -> None:
        assert (blocked["state"], blocked["blocked"]) == ("waiting", True)
        (found,) = chain.found(blocked, "percent_in_number_column")
        assert (found["sheet"], found["cell"], found["column"], found["severity"]) == (
            "March", "March!C4", "Quantity", "error",
        )  # fmt: skip
        for words in ("column Quantity", "25676%", "percent type", "a number is expected", "256.76"):
            assert words in found["message"]

    def test_its_fraction_is_not_allowed_for_the_unit_either(self, chain: Chain, blocked: Run) -> None:
        (found,) = chain.found(blocked, "fraction_not_allowed")
        assert "fraction 256.76 not allowed" in found["message"]
        assert "'set'" in found["message"]
        assert (found["sheet"], found["cell"]) == ("March", "March!C4")

    def test_nothing_of_it_is_loaded_and_it_cannot_be_confirmed(self, chain: Chain, blocked: Run) -> None:
        refused = chain.office.rest.client.post(
            f"/runs/{blocked['id']}/confirm", json={}, headers=signed_in(chain.office.rest)
        )
        assert (refused.status_code, refused.json()["reason"]) == (409, "RUN_BLOCKED")
        deals = chain.office.rest.get("/deals", unit=chain.units["Beta"])
        assert deals["deals"] == []

    def test_the_report_says_who_has_not_delivered(self, chain: Chain, blocked: Run) -> None:
        answer = chain.plan_fact()
        assert answer["delivery_summary"] == "2 of 3 branches have delivered"
        assert {one["unit_name"]: one["delivered"] for one in answer["deliveries"]} == {
            "Alpha": True, "Beta": False, "Gamma": True,
        }  # fmt: skip
        assert facts_of(answer)["fact"] == 21_000

    def test_the_naive_figure_is_in_no_answer(self, chain: Chain, blocked: Run) -> None:
        for name in ("plan-fact", "won", "deliveries"):
            for group in ([], ["branch"]):
                grouped = group if name != "deliveries" else []
                metric = {"metric": "quantity"} if name == "plan-fact" else {}
                answer = chain.office.rest.get(f"/reports/{name}", **MONTH, **metric, group_by=grouped)
                assert not [value for value in cells_of(answer) if value.startswith(NAIVE)], name


class TestVariants:
    """What else B's clerk may have sent. Each is only checked; none may become a figure."""

    @pytest.mark.parametrize(
        ("name", "quantity", "code"),
        [
            ("percent.csv", "25676%", "percent_in_number_column"),
            ("comma.csv", "256,76", "fraction_not_allowed"),
            ("date.xlsx", (day(14), "dd.mm.yyyy"), "date_in_number_column"),
            ("flag.xlsx", True, "flag_in_number_column"),
        ],
    )
    def test_it_is_stopped(self, chain: Chain, name: str, quantity: Cell, code: str) -> None:
        when = "2024-03-09" if name.endswith(".csv") else day(9)
        run = chain.check(name, [(when, SET, quantity)])
        assert run["blocked"]
        (found,) = chain.found(run, code)
        assert found["row"] == (2 if name.endswith(".csv") else 4)
        assert found["column"].lower() == "quantity"

    @pytest.mark.parametrize("name", ["text.csv", "text.xlsx"])
    def test_a_text_with_a_blank_is_the_number_it_shows(self, chain: Chain, name: str) -> None:
        when = "2024-03-09" if name.endswith(".csv") else day(9)
        run = chain.check(name, [(when, SET, "25 676")])
        assert (run["blocked"], run["expected"]["created"]) == (False, 1)
        (quantity,) = [one for one in run["mapping"] if one["field"] == "quantity"]
        assert (quantity["samples"], quantity["cell_kinds"]) == (["25 676"], {"text": 1})

    def test_a_text_among_numbers_is_shown_first(self, chain: Chain) -> None:
        run = chain.check("mixed.xlsx", [(day(9), SET, "25 676"), (day(10), SET, 3)])
        (found,) = chain.found(run, "text_in_number_column")
        assert (run["blocked"], found["cell"]) == (True, "March!C4")
        assert "25676" in found["message"]

    def test_an_unknown_product_is_named_with_the_nearest(self, chain: Chain) -> None:
        run = chain.check("unknown.xlsx", [(day(9), "Lamp sett", 5)])
        (found,) = chain.found(run, "unknown_product")
        assert (run["blocked"], found["value"], found["suggestions"][0]) == (True, "Lamp sett", SET)

    def test_dates_that_may_be_two_days_need_a_word(self, chain: Chain) -> None:
        rows = [("03/04/2024", SET, "5"), ("05/03/2024", SET, "6")]
        run = chain.check("ambiguous.csv", rows)
        (found,) = chain.found(run, "ambiguous_dates")
        assert (run["blocked"], found["count"], found["column"]) == (True, 2, "Date")
        said = chain.check("said.csv", rows, options={"date_order": "dmy"})
        assert (said["blocked"], said["first_date"], said["last_date"]) == (False, "2024-03-05", "2024-04-03")

    def test_a_day_that_is_none_is_refused_alone(self, chain: Chain) -> None:
        run = chain.check("impossible.csv", [("31.02.2024", SET, "5"), ("20.03.2024", SET, "6")])
        (found,) = chain.found(run, "impossible_date")
        assert (run["blocked"], found["cell"][-2:], found["row_only"]) == (False, "A2", True)
        assert (run["expected"]["created"], run["expected"]["refused"]) == (1, 1)


@pytest.fixture(scope="module")
def answer(chain: Chain, blocked: Run) -> dict[str, Any]:
    """The report after the clerk has corrected the type."""
    counts = chain.load("beta mended.xlsx", [(day(9), SET, 25676)], "Beta")
    assert (counts["rows_read"], counts["created"]) == (1, 1)
    chain.office.settle()
    return chain.plan_fact()


class TestMended:
    """After the clerk has corrected the type."""

    def test_the_plan_is_exceeded(self, answer: dict[str, Any]) -> None:
        assert facts_of(answer) == {"plan": 40_000, "fact": 46_676, "attainment": Decimal("116.69")}
        assert answer["delivery_summary"] == "3 of 3 branches have delivered"

    def test_each_outlet_has_its_figure(self, chain: Chain, answer: dict[str, Any]) -> None:
        rows = chain.office.report("plan-fact", **MONTH, metric="quantity", group_by=["branch"])
        facts = {row["branch"]: Decimal(row["fact"]) for row in rows if row["fact"] and row["branch"] in OUTLETS}
        assert facts == {"Alpha": 12_000, "Beta": 25_676, "Gamma": 9_000}

    def test_the_naive_figure_is_nowhere(self, chain: Chain, answer: dict[str, Any]) -> None:
        reports: list[Callable[[], dict[str, Any]]] = [chain.plan_fact, lambda: chain.plan_fact(group_by=["branch"])]
        for read in reports:
            assert not [value for value in cells_of(read()) if value.startswith(NAIVE)]
        runs = chain.office.rest.get("/runs")["runs"]
        assert "21256" not in json.dumps(runs)

    def test_the_figure_is_the_sum_of_its_records(self, chain: Chain, answer: dict[str, Any]) -> None:
        names = [column["name"] for column in answer["columns"]]
        key = answer["totals"][-1]["cells"][names.index("fact")]["drill_key"]
        page = eventually(
            lambda: chain.office.rest.get("/reports/plan-fact/records", drill_key=key, metric="quantity", **MONTH)
        )
        at = [column["name"] for column in page["columns"]].index("fact")
        assert sum(Decimal(row["cells"][at]["value"]) for row in page["rows"]) == 46_676
