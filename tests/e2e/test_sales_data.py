"""Sales of other trades: orders with their lines, plans against fact, monthly workbooks to bring together."""

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

Folder = Callable[[str], Path]
CENT = Decimal("0.01")


def expected_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "expected.json").read_text())
    return found


def same(found: list[Decimal], known: list[Decimal]) -> bool:
    """To the cent; what was worked out in binary may round an exact half the other way."""
    return len(found) == len(known) and all(
        abs(a - b) <= CENT / 2 for a, b in zip(sorted(found), sorted(known), strict=True)
    )


def exact(known: dict[str, Any]) -> dict[str, Decimal]:
    return {name: Decimal(str(value)) for name, value in known.items()}


def products_by_key(path: Path) -> list[dict[str, str]]:
    """What each key of a catalogue means by name; a product stands in it once a price, each time under a new key."""
    with path.open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file, delimiter="|"))
    return [{"field": "product", "text": row["ProductKey"], "meaning": row["Product"]} for row in rows]


class TestNorthwind:
    """A trading company: orders in one file, their lines in another, customers of 21 countries."""

    @pytest.fixture(scope="class")
    def northwind(self, office: Office, shared_data: Folder) -> dict[str, Any]:
        folder = shared_data("sales-northwind") / "csv"
        unit = office.unit("northwind", "Northwind")
        office.load(folder / "employees.csv", unit, "employees")
        categories = {"column": "category_id", "field": "category"}
        office.load(folder / "products.csv", unit, "products", mapping=[categories])
        assert office.load(folder / "customers.csv", unit, "organizations")["rows_read"] == 91
        assert office.load(folder / "orders.csv", unit, "deals")["created"] == 830
        lines = office.load(folder / "order_details.csv", unit, "deals")
        assert (lines["rows_read"], lines["updated"]) == (2155, 2155)
        office.settle()
        known = expected_of(folder.parent)
        with (folder / "categories.csv").open(encoding="utf-8") as file:
            known["names"] = {row["category_id"]: row["category_name"] for row in csv.DictReader(file)}
        return {**known, "unit": unit}

    def test_net_sales_are_the_published_figure(self, office: Office, northwind: dict[str, Any]) -> None:
        total = Decimal(office.total("won", unit=northwind["unit"])["amount"])
        assert total.quantize(CENT) == Decimal("1265793.04") == Decimal(str(northwind["net_after_discount"]))

    def test_by_month_year_and_employee(self, office: Office, northwind: dict[str, Any]) -> None:
        unit = northwind["unit"]
        for group, known in (("month", "net_by_month"), ("year", "net_by_year"), ("person", "net_by_employee")):
            found = figures(office.report("won", unit=unit, group_by=[group]), group, "amount")
            assert same(list(found.values()), list(exact(northwind[known]).values()))

    def test_by_category(self, office: Office, northwind: dict[str, Any]) -> None:
        rows = office.report("won", unit=northwind["unit"], group_by=["category"])
        found = {northwind["names"][row["category"]]: Decimal(row["amount"]) for row in rows}
        known = exact(northwind["net_by_category"])
        assert same(list(found.values()), list(known.values()))
        assert found.keys() == known.keys()

    def test_the_lines_read_again_change_nothing(
        self, office: Office, northwind: dict[str, Any], shared_data: Folder
    ) -> None:
        file = shared_data("sales-northwind") / "csv" / "order_details.csv"
        assert office.load(file, northwind["unit"], "deals")["unchanged"] == 2155


class TestTargets:
    """Plan against fact by salesperson over two fiscal years."""

    @pytest.fixture(scope="class")
    def adventure(self, office: Office, shared_data: Folder) -> dict[str, Any]:
        folder = shared_data("sales-adventureworks-targets-fy1819")
        unit = office.unit("adventure", "Adventure")
        office.load(folder / "Salesperson.csv", unit, "employees")
        office.load(folder / "Product.csv", unit, "products")
        assert office.load(folder / "Reseller.csv", unit, "organizations")["rows_read"] == 701
        sales = office.load(folder / "Sales.csv", unit, "deals", choices=products_by_key(folder / "Product.csv"))
        assert (sales["rows_read"], sales["refused"]) == (30_129, 0)
        plans = office.load(folder / "Targets.csv", unit, "plans")
        assert (plans["rows_read"], plans["created"]) == (323, 323)
        office.settle()
        return {**expected_of(folder), "unit": unit}

    @pytest.mark.parametrize(
        ("year", "begin", "end"), [("FY2018", "2017-07-01", "2018-06-30"), ("FY2019", "2018-07-01", "2019-06-30")]
    )
    def test_plan_and_fact_of_a_fiscal_year(
        self, office: Office, adventure: dict[str, Any], year: str, begin: str, end: str
    ) -> None:
        period = {"unit": adventure["unit"], "from": begin, "to": end}
        total = office.total("plan-fact", **period)
        known = adventure["by_fiscal_year"][year]
        assert Decimal(total["fact"]).quantize(CENT) == Decimal(str(known["sales"]))
        assert Decimal(total["plan"]) == known["target"]
        rows = office.report("plan-fact", **period, group_by=["person"])
        people = adventure["plan_vs_fact_by_salesperson_fy"]
        for row in rows:
            person = people[row["person"]][year]
            assert Decimal(row["fact"] or 0).quantize(CENT) == Decimal(str(person["sales"])), row
            assert Decimal(row["plan"] or 0) == person["target"], row

    def test_every_month_of_both_years(self, office: Office, adventure: dict[str, Any]) -> None:
        won = figures(office.report("won", unit=adventure["unit"], group_by=["month"]), "month", "amount")
        assert same(list(won.values()), list(exact(adventure["by_month_sales"]).values()))


class TestMonthlyWorkbooks:
    """Three months in three workbooks, and six branches on six sheets of one."""

    PRODUCTS = ({"field": "product", "text": "*", "meaning": "create"},)

    def test_three_months_come_together(self, office: Office, shared_data: Folder) -> None:
        folder = shared_data("sales-pbpython-excel")
        unit = office.unit("monthly", "Monthly")
        known = expected_of(folder)["sales-jan/feb/mar-2014.xlsx"]
        for month in ("jan", "feb", "mar"):
            file = folder / f"sales-{month}-2014.xlsx"
            customer = [{"column": "name", "field": "organization"}]
            counts = office.load(file, unit, "deals", choices=list(self.PRODUCTS), mapping=customer)
            assert counts["created"] == counts["rows_read"] == known["rows"][month]
        office.settle()
        total = office.total("won", unit=unit)
        assert Decimal(total["amount"]) == Decimal(str(known["ext_price"]["all"]))
        months = figures(office.report("won", unit=unit, group_by=["month"]), "month", "amount")
        assert list(months.values()) == [Decimal(str(known["ext_price"][name])) for name in ("jan", "feb", "mar")]
        accounts = figures(office.report("won", unit=unit, group_by=["organization"]), "organization", "amount")
        assert accounts == exact(known["ext_price_by_account"])

    def test_six_sheets_of_one_template_are_one_table(self, office: Office, shared_data: Folder) -> None:
        folder = shared_data("sales-pbpython-excel")
        unit = office.unit("tabs", "Tabs")
        known = expected_of(folder)["2018_Sales_Total_Tabs.xlsx"]
        counts = office.load(folder / "2018_Sales_Total_Tabs.xlsx", unit, "deals", choices=list(self.PRODUCTS))
        assert counts["created"] == known["all_rows"] == 299
        office.settle()
        assert Decimal(office.total("won", unit=unit)["amount"]) == Decimal(str(known["all_ext_price"]))

    def test_a_funnel_workbook_by_manager_and_status(self, office: Office, shared_data: Folder) -> None:
        folder = shared_data("sales-pbpython-excel")
        unit = office.unit("funnel", "Funnel")
        known = expected_of(folder)["salesfunnel.xlsx"]
        stages = {"presented": "Proposal", "pending": "Negotiation", "won": "Won", "declined": "Lost"}
        choices = [{"field": "stage", "text": text, "meaning": stage} for text, stage in stages.items()]
        choices += [*self.PRODUCTS, {"field": "owner", "text": "*", "meaning": "none"}]
        mapping = [{"column": "Price", "field": "amount"}, {"column": "Quantity", "field": ""}]
        counts = office.load(folder / "salesfunnel.xlsx", unit, "deals", choices=choices, mapping=mapping)
        assert counts["created"] == 17
        office.settle()
        open_deals = figures(office.report("pipeline", unit=unit, group_by=["stage"]), "stage", "amount")
        assert open_deals == {
            "Proposal": known["price_by_status"]["presented"],
            "Negotiation": known["price_by_status"]["pending"],
        }
