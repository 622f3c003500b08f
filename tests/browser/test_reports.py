"""Reports in the browser: figures lead to their records, the period before is beside, the file holds what is seen."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from tests.browser.windows import Window, Windows
from tests.browser.workplace import Workplace

FIRST, SECOND = "period=own&from=2023-01-01&to=2023-03-31", "period=own&from=2023-04-01&to=2023-06-30"
# owner, unit, title, stage, opened, closed, roubles
DEALS = (
    ("natasha", "moscow", "Lamps for the library", "Won", "2023-01-10", "2023-02-10", "120000.50"),
    ("natasha", "moscow", "Lamps for the school", "Lost", "2023-01-12", "2023-02-20", "90000"),
    ("vlad", "moscow", "Street lights", "Won", "2023-02-01", "2023-03-01", "300000"),
    ("pyotr", "tula", "Hall lights", "Won", "2023-03-01", "2023-03-30", "75000.25"),
    ("natasha", "moscow", "Lamps once more", "Won", "2023-04-10", "2023-05-10", "200000"),
    ("pyotr", "tula", "Cable", "Lost", "2023-04-11", "2023-05-11", "10000"),
    ("vlad", "moscow", "=1+1<script>alert(1)</script>", "Proposal", "2023-04-20", "", "5000"),
)  # fmt: skip
PLANS = (("moscow", "500000"), ("tula", "100000"))

pytestmark = pytest.mark.timeout(300)


@dataclass(frozen=True)
class Sold:
    """What was sold: the workplace with deals of two quarters of 2023."""

    workplace: Workplace
    total: Decimal


@pytest.fixture(scope="module")
def sold(workplace: Workplace) -> Sold:
    rest = workplace.office.rest
    stages = {one["name"]: one["id"] for one in rest.get("/pipelines")["pipelines"][0]["stages"]}
    for login, unit, title, stage, opened, closed, amount in DEALS:
        body: dict[str, Any] = {
            "title": title, "stage_id": stages[stage], "owner_id": workplace.people[login],
            "unit_id": workplace.units[unit], "open_date": opened,
            "amount": {"amount": amount, "currency_code": "RUB"},
        }  # fmt: skip
        if closed:
            body["close_date"] = closed
        if stage == "Lost":
            body["loss_reason"] = "price"
        rest.post("/deals", body, key=str(uuid4()))
    for unit, amount in PLANS:
        plan = {
            "unit_id": workplace.units[unit], "start_date": "2023-01-01", "end_date": "2023-04-01",
            "metric": "revenue", "amount": {"amount": amount, "currency_code": "RUB"},
        }  # fmt: skip
        rest.call("PUT", "/plans", json=plan, headers={"Idempotency-Key": str(uuid4())}, patient=True)
    workplace.office.settle()
    return Sold(workplace, Decimal("495000.75"))


def table(page: Page) -> list[list[str]]:
    """The cells of the report's table, its foot included."""
    rows = page.locator("#report tbody tr, #report tfoot tr")
    return [row.locator("th, td").all_inner_texts() for row in rows.all()]


def drawn(page: Page) -> None:
    """Wait until every chart has its canvas."""
    for place in page.locator("[data-chart]").all():
        expect(place.locator("canvas").first).to_be_visible()


def test_the_catalogue_is_searched(page_of: Windows) -> None:
    window = page_of("director")
    page = window.go("/reports")
    assert page.locator("#cards li").count() == 9
    window.check_axe()
    window.picture("reports")
    page.fill("#report-search", "planned")
    expect(page.locator("#cards li")).to_have_count(1)
    page.get_by_role("link", name="Plan and fact").click()
    page.wait_for_url("**/reports/plan-fact")


def test_from_the_company_to_the_records_of_one_person_in_three_clicks(page_of: Windows, sold: Sold) -> None:
    window = page_of("director")
    page = window.go(f"/reports/plan-fact?{FIRST}")
    drawn(page)
    rows = {row[0]: row[1:] for row in table(page)}
    assert rows["Moscow"][:3] == ["RUB\u00a0500,000", "RUB\u00a0420,000.50", "84.0%"]
    assert rows["Tula"][:3] == ["RUB\u00a0100,000", "RUB\u00a075,000.25", "75.0%"]
    assert rows["Total"][:2] == ["RUB\u00a0600,000", "RUB\u00a0495,000.75"]
    window.check_axe()
    window.picture("reports-plan-fact")
    page.get_by_role("link", name="Moscow", exact=True).first.click()
    page.get_by_role("link", name="Natasha Sazonova", exact=True).click()
    page.locator("#report").get_by_role("link", name="RUB\u00a0120,000.50").first.click()
    assert page.locator("#total").inner_text() == "1 record"
    records = page.locator("#records")
    assert "Lamps for the library" in records.inner_text()
    window.check_axe()
    records.get_by_role("link", name="Lamps for the library").click()
    page.wait_for_url("**/deals/*")


def test_the_workbook_holds_what_is_seen_and_its_total_is_the_sum(page_of: Windows, sold: Sold) -> None:
    window = page_of("steward")
    page = window.go(f"/reports/won?{FIRST}&group_by=person")
    seen = table(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="XLSX").click()
    assert download.value.suggested_filename == "won-2023-01-01-2023-03-31.xlsx"
    sheet = openpyxl.load_workbook(BytesIO(Path(download.value.path()).read_bytes())).worksheets[0]
    rows = [[cell.value for cell in row] for row in sheet]
    top = next(at for at, row in enumerate(rows) if row[0] == "Person")
    place = rows[top].index("Amount")
    found = {str(row[0]): row for row in rows[top + 1 :] if row[0]}
    assert {row[0] for row in seen} <= set(found)
    people = [Decimal(str(found[name][place])) for name in ("Natasha Sazonova", "Vlad Orlov", "Pyotr Tulin")]
    assert sum(people) == Decimal(str(found["Total"][place])) == sold.total


def test_a_funnel_stands_beside_the_quarter_before(page_of: Windows, sold: Sold) -> None:
    window = page_of("director")
    page = window.go(f"/reports/funnel?{SECOND}&compare=previous")
    drawn(page)
    rows = {row[1]: row[2:] for row in table(page)}
    assert rows["Lead"][:2] == ["3", "4"]  # three begun in the second quarter, four in the first
    assert rows["Won"][:2] == ["1", "3"]
    assert rows["Won"][3:5] == ["33.3", "75.0"]  # per 100 of the first stage
    window.check_axe()
    window.picture("reports-funnel")
    page.locator("#report tr", has_text="Won").get_by_role("link", name="3", exact=True).click()
    assert page.locator("#total").inner_text() == "3 records"


def test_figures_are_those_of_the_viewers_rights(page_of: Windows, sold: Sold) -> None:
    page = page_of("pyotr").go(f"/reports/won?{FIRST}")
    assert "RUB\u00a075,000.25" in page.locator("#report").inner_text()
    assert "Moscow" not in page.locator("#report").inner_text()


def test_hostile_titles_do_nothing(page_of: Windows, sold: Sold) -> None:
    window = page_of("director")
    page = window.go(f"/reports/pipeline?{SECOND}&group_by=stage")
    page.locator("#report tbody").get_by_role("link", name="RUB\u00a05,000").first.click()
    assert "<script>alert(1)</script>" in page.locator("#records").inner_text()


@pytest.mark.parametrize("path", ["/reports/nothing", "/reports/won/records?key=none"])
def test_an_address_of_nothing_says_so(page_of: Windows, path: str) -> None:
    window = page_of("director")
    window.allow(r"GET /reports/.* answered 40\d")
    page = window.go(path)
    assert page.get_by_role("link", name="Go to Today").count() == 1


@pytest.mark.parametrize(
    ("name", "period"),
    [(name, FIRST) for name in ("won", "win-rate", "cycle", "plan-fact")]
    + [(name, "period=all") for name in ("funnel", "pipeline", "customers", "activities", "deliveries")],
)
def test_every_report_opens_with_its_definition(page_of: Windows, sold: Sold, name: str, period: str) -> None:
    window = page_of("director")
    page = window.go(f"/reports/{name}?{period}&compare=year")
    drawn(page)
    page.get_by_label("How this is counted").click()
    assert page.locator(".bl-definition").is_visible()
    window.check_axe()


@pytest.mark.parametrize(("lang", "dark", "width"), [("ar", False, 1280), ("ru", True, 1280), ("en", False, 390)])
def test_a_report_is_readable_everywhere(page_of: Windows, sold: Sold, lang: str, dark: bool, width: int) -> None:
    window: Window = page_of("director", lang=lang, dark=dark, width=width)
    for path in ("/reports", f"/reports/won?{FIRST}&group_by=branch", f"/reports/funnel?{SECOND}&compare=previous"):
        page = window.go(path)
        drawn(page)
        assert page.locator("html").get_attribute("dir") == ("rtl" if lang == "ar" else "ltr")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        window.check_axe()
    window.picture(f"reports-funnel-{lang}-{'dark' if dark else 'light'}-{width}")
