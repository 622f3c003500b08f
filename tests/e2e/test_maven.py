"""Three offices of a hardware seller bring their pipelines: every figure worked out elsewhere comes out here exactly."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.office import Office, figures

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
    return json.loads((maven / "expected.json").read_text())


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
def loaded(office: Office, maven: Path, units: dict[str, str], offices_of_agents: dict[str, str], tmp_path_factory: Any) -> Path:
    """The base: products, accounts, and each office's deals from its own file. Answers the folder of those files."""
    office.load(maven / "products.csv", office.company, "products")
    assert office.load(maven / "accounts.csv", office.company, "organizations")["created"] == 85
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


def test_the_misspelt_product_is_found_and_a_match_proposed(office: Office, maven: Path, units: dict[str, str]) -> None:
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
            assert round(rows[name], 4) == round(Decimal(str(expected["by_regional_office"][name]["win_rate"])) * 100, 4)

    def test_won_by_manager_and_agent(self, office: Office, expected: dict[str, Any]) -> None:
        by_unit = figures(office.report("won", group_by=["unit"]), "unit", "amount")
        assert by_unit == {name: one["won_value"] for name, one in expected["by_manager"].items()}
        by_agent = figures(office.report("won", group_by=["person"]), "person", "amount")
        assert by_agent == {name: one["won_value"] for name, one in expected["by_sales_agent"].items() if one["won"]}

    def test_a_file_read_again_changes_nothing(self, office: Office, units: dict[str, str], loaded: Path) -> None:
        counts = office.load(loaded / "East.csv", units["East"], "deals", choices=[GTX, *STAGES])
        assert (counts["unchanged"], counts["rows_read"]) == (2291, 2291)
