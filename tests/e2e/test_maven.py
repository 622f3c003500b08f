"""Three offices of a hardware seller bring their pipelines: figures worked out elsewhere come out here exactly."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.office import Office, figures

pytestmark = pytest.mark.timeout(600)  # real processes, tens of thousands of rows

OFFICES = ("West", "Central", "East")
GTX = {"field": "product", "text": "GTXPro", "meaning": "GTX Pro"}
STAGES = [
    {"field": "stage", "text": "Prospecting", "meaning": "Lead"},
    {"field": "stage", "text": "Engaging", "meaning": "Qualified"},
]


@pytest.fixture(scope="module")
def maven(shared_data: Callable[[str], Path]) -> Path:
    return shared_data("crm-maven-opportunities")


@pytest.fixture(scope="module")
def expected(maven: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((maven / "expected.json").read_text())
    return found


@pytest.fixture(scope="module")
def units(office: Office, maven: Path) -> dict[str, str]:
    """Offices as branches, their managers' groups as teams, agents as users of the teams."""
    found = {name: office.unit(name.lower(), name) for name in OFFICES}
    for row in rows_of(maven / "sales_teams.csv"):
        manager = row["manager"]
        if manager not in found:
            code = manager.lower().replace(" ", "_")
            found[manager] = office.unit(code, manager, found[row["regional_office"]], "team")
    counts = office.load(maven / "sales_teams.csv", office.company, "employees", mapping=TEAM_COLUMNS)
    assert counts["created"] == 35
    return found


TEAM_COLUMNS = [{"column": "manager", "field": "unit"}, {"column": "regional_office", "field": "attribute"}]


@pytest.fixture(scope="module")
def offices_of_agents(maven: Path) -> dict[str, str]:
    return {row["sales_agent"]: row["regional_office"] for row in rows_of(maven / "sales_teams.csv")}


@pytest.fixture(scope="module")
def loaded(
    office: Office, maven: Path, units: dict[str, str], offices_of_agents: dict[str, str], tmp_path_factory: Any
) -> Path:
    """The base: products, accounts, each office's deals from its own file. Answers the folder of those files."""
    office.load(maven / "products.csv", office.company, "products")
    counts = office.load(maven / "accounts.csv", office.company, "organizations")
    assert counts["created"] + counts["merged"] == 85  # some are first met as the parent of another
    folder: Path = tmp_path_factory.mktemp("offices")
    split(maven / "sales_pipeline.csv", folder, offices_of_agents)
    for name in OFFICES:
        office.load(folder / f"{name}.csv", units[name], "deals", choices=[GTX, *STAGES])
    office.settle()
    return folder


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def split(path: Path, folder: Path, offices: dict[str, str]) -> None:
    """Cut a pipeline file by office; an agent nobody knows goes with the West."""
    rows = rows_of(path)
    for name in OFFICES:
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(row for row in rows if offices.get(row["sales_agent"], "West") == name)


@pytest.mark.usefixtures("units")
def test_the_misspelt_product_is_found_and_a_match_proposed(office: Office, maven: Path) -> None:
    office.load(maven / "products.csv", office.company, "products")
    run = office.check(maven / "sales_pipeline.csv", office.company, "deals", choices=STAGES)
    assert run["blocked"]
    found = [one for one in office.findings(run) if one["code"] == "unknown_product"]
    assert [(one["value"], one["count"], one["suggestions"][0]) for one in found] == [("GTXPro", 1480, "GTX Pro")]


@pytest.mark.usefixtures("loaded")
class TestFigures:
    def test_won_by_office(self, office: Office, expected: dict[str, Any]) -> None:
        rows = office.report("won", group_by=["branch"])
        by_office = expected["by_regional_office"]
        assert figures(rows, "branch", "amount") == {name: by_office[name]["won_value"] for name in OFFICES}
        assert figures(rows, "branch", "deals") == {name: by_office[name]["won"] for name in OFFICES}
        assert Decimal(office.total("won")["amount"]) == expected["won_value_total"] == 10_005_534

    def test_win_rate_of_closed(self, office: Office, expected: dict[str, Any]) -> None:
        rate = Decimal(office.total("win-rate")["win_rate"])
        assert round(rate, 4) == round(Decimal(str(expected["win_rate_closed"])) * 100, 4)
        rows = figures(office.report("win-rate", group_by=["branch"]), "branch", "win_rate")
        for name in OFFICES:
            assert round(rows[name], 4) == round(
                Decimal(str(expected["by_regional_office"][name]["win_rate"])) * 100, 4
            )

    def test_won_by_manager_and_agent(self, office: Office, expected: dict[str, Any]) -> None:
        by_unit = figures(office.report("won", group_by=["unit"]), "unit", "amount")
        assert by_unit == {name: one["won_value"] for name, one in expected["by_manager"].items()}
        by_agent = figures(office.report("won", group_by=["person"]), "person", "amount")
        assert by_agent == {name: one["won_value"] for name, one in expected["by_sales_agent"].items() if one["won"]}

    def test_won_by_quarter_product_sector_and_customer(self, office: Office, expected: dict[str, Any]) -> None:
        quarters = figures(office.report("won", group_by=["quarter"]), "quarter", "amount")
        assert list(quarters.values()) == [one["won_value"] for one in expected["by_close_quarter"].values()]
        products = figures(office.report("won", group_by=["product"]), "product", "amount")
        known = {name.replace("GTXPro", "GTX Pro"): one["won_value"] for name, one in expected["by_product"].items()}
        assert products == known
        sectors = figures(office.report("won", group_by=["industry"]), "industry", "amount")
        assert sectors == expected["won_value_by_sector"]
        customers = figures(office.report("won", group_by=["organization"]), "organization", "amount")
        assert {name: customers[name] for name in expected["top10_accounts_won_value"]} == expected[
            "top10_accounts_won_value"
        ]

    def test_won_by_office_and_quarter(self, office: Office, expected: dict[str, Any]) -> None:
        found: dict[str, list[Decimal]] = {}
        for row in office.report("won", group_by=["branch", "quarter"]):
            found.setdefault(row["branch"], []).append(Decimal(row["amount"]))
        assert found == {name: list(one.values()) for name, one in expected["won_value_by_office_quarter"].items()}

    def test_days_from_opening_to_closing(self, office: Office, expected: dict[str, Any]) -> None:
        answer = office.rest.get("/reports/cycle")
        found = {
            row["cells"][0]["value"]: [Decimal(cell["value"]) for cell in row["cells"][2:]] for row in answer["totals"]
        }
        for name, known in (("Won", "Won"), ("Lost", "Lost"), ("All closed", "Won+Lost")):
            days = expected["sales_cycle_days"][known]
            assert abs(found[name][0] - Decimal(str(days["mean"]))) < Decimal("0.0005")
            assert found[name][1:] == [days["median"], days["min"], days["max"]]

    def test_open_deals_by_stage(self, office: Office, expected: dict[str, Any]) -> None:
        deals = figures(office.report("pipeline", group_by=["stage"]), "stage", "deals")
        assert deals == {"Lead": 500, "Qualified": 1589}
        assert sum(deals.values()) == expected["open_pipeline"]["deals"]

    def test_customers_without_duplicates(self, office: Office) -> None:
        assert Decimal(office.total("customers")["organizations"]) == 85

    def test_a_figure_leads_to_its_records(self, office: Office, expected: dict[str, Any]) -> None:
        answer = office.rest.get("/reports/won", group_by=["branch"])
        names = [column["name"] for column in answer["columns"]]
        west = next(row for row in answer["rows"] if row["cells"][0]["value"] == "West")
        key = west["cells"][names.index("amount")]["drill_key"]
        records = list(
            office.rest.pages("/reports/won/records", "rows", group_by=["branch"], drill_key=key, page_size=1000)
        )
        assert len(records) == expected["by_regional_office"]["West"]["won"]


@pytest.mark.usefixtures("loaded")
class TestReadAgain:
    def test_the_same_file_changes_nothing(self, office: Office, units: dict[str, str], loaded: Path) -> None:
        counts = office.load(loaded / "East.csv", units["East"], "deals", choices=[GTX, *STAGES])
        assert (counts["unchanged"], counts["rows_read"]) == (2291, 2291)

    @pytest.mark.parametrize("name", ["us_m-d-yyyy", "dd-mm-yy", "dd-mm-yyyy_zero_values"])
    def test_variants_saved_by_others_are_the_same_base(
        self,
        office: Office,
        maven: Path,
        units: dict[str, str],
        offices_of_agents: dict[str, str],
        tmp_path: Path,
        name: str,
    ) -> None:
        split(maven / "variants" / f"sales_pipeline_{name}.csv", tmp_path, offices_of_agents)
        for branch in OFFICES:
            file = tmp_path / f"{branch}.csv"
            added = {"engage_quarter", "close_quarter"} & set(
                rows_of(file)[0]
            )  # worked out from the dates by who saved it
            mapping = [{"column": name, "field": ""} for name in added]
            counts = office.load(file, units[branch], "deals", choices=[GTX, *STAGES], mapping=mapping)
            assert counts["unchanged"] == counts["rows_read"] > 2000

    def test_the_edited_file_brings_what_was_edited(
        self, office: Office, maven: Path, units: dict[str, str], offices_of_agents: dict[str, str], tmp_path: Path
    ) -> None:
        edited = maven / "variants" / "sales_pipeline_edited_later.csv"
        teams = maven / "variants" / "sales_teams_edited_later.csv"
        newcomer = rows_of(teams)[-1]
        office.unit("newcomers", newcomer["manager"], units["West"], "team")
        agents = office.load(teams, office.company, "employees", mapping=TEAM_COLUMNS)
        assert (agents["created"], agents["unchanged"]) == (1, 35)
        split(edited, tmp_path, offices_of_agents)
        found = [
            office.load(tmp_path / f"{name}.csv", units[name], "deals", choices=[GTX, *STAGES]) for name in OFFICES
        ]
        assert [sum(one[fate] for one in found) for fate in ("created", "updated", "unchanged")] == [1, 2, 8798]
