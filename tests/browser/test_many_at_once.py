"""Rows of a list are ticked by keys and by mouse, looked at, given and given back; groups, columns and the forecast."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, expect

from tests.browser import clock
from tests.browser.days import post
from tests.browser.windows import Windows
from tests.browser.workplace import Workplace

pytestmark = pytest.mark.timeout(300)


def test_ticked_rows_are_given_to_a_colleague_and_back(page_of: Windows, workplace: Workplace) -> None:
    mark = uuid4().hex[:6]
    workplace.hire(f"ticker-{mark}", f"Timur Ticker {mark}", "moscow", "head")
    natasha, unit = workplace.people["natasha"], workplace.units["moscow"]
    for name in ("Anna", "Boris", "Clara"):
        body = {"display_name": f"{name} Ticked{mark}", "unit_id": unit, "owner_id": natasha}
        post(workplace.office.rest, "/persons", body)
    workplace.office.settle()
    window = page_of(f"ticker-{mark}")
    page = window.go(f"/customers?view=all&q=ticked{mark}")
    bar = page.locator("#chosen")
    expect(bar).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(bar).to_contain_text("1")
    page.locator("[data-choose]").nth(2).click(modifiers=["Shift"])
    expect(bar.locator("[data-chosen-count]")).to_have_text("3")
    expect(page.locator("[data-choose-all]")).to_be_checked()
    window.check_axe()
    window.picture("many-at-once")

    bar.get_by_role("button", name="Give to a colleague").click()
    panel = page.locator("#panel")
    panel.get_by_label("To whom").select_option(label="Vlad Orlov")
    panel.get_by_role("button", name="Show what changes").click()
    expect(panel).to_contain_text("3 records will change.")
    expect(panel.locator("#going")).to_contain_text("Natasha Sazonova")
    window.check_axe("#panel")
    panel.get_by_role("button", name="Give to a colleague (3)").click()
    expect(panel.locator("#chosen-done")).to_have_text("3 records were changed.")
    owners = page.locator("#list tbody", has_text="Vlad Orlov")
    expect(owners).to_be_visible()
    panel.get_by_role("button", name="Undo").click()
    expect(panel.locator("#chosen-done")).to_have_text("3 records are as they were.")
    expect(page.locator("#list tbody", has_text="Natasha Sazonova")).to_be_visible()
    panel.get_by_role("button", name="Close").click()

    open_list(page.locator(".bl-columns", has_text="Columns"))
    page.locator("#columns").get_by_label("Phone", exact=True).uncheck()
    window.check_axe()
    page.locator("#columns").get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("thead")).not_to_contain_text("Phone")

    open_list(page.locator(".bl-columns", has_text="Group by"))
    page.get_by_role("link", name="Owner", exact=True).click()
    group = page.locator(".bl-group")
    expect(group).to_contain_text("Natasha Sazonova")
    group.locator("summary").press("Enter")
    expect(group.locator("tbody tr")).to_have_count(3)
    window.check_axe()


def test_the_forecast_says_what_months_should_bring_on_every_width(page_of: Windows, workplace: Workplace) -> None:
    mark = uuid4().hex[:6]
    seller = workplace.hire(f"seer-{mark}", f"Sima Seer {mark}", "moscow")
    today = clock.today()
    for number, days in enumerate((-40, 20, 25, 70, 900)):
        body = {
            "title": f"Expected {number}", "unit_id": workplace.units["moscow"], "owner_id": seller,
            "amount": {"amount": f"{number + 1}00000", "currency_code": "RUB"},
            "expected_close_date": f"{today + timedelta(days=days)}",
        }  # fmt: skip
        post(workplace.office.rest, "/deals", body)
    window = page_of(f"seer-{mark}")
    page = window.go("/deals?view=forecast&owner=me")
    expect(page.locator("#forecast")).to_contain_text("Overdue")
    window.check_axe()
    window.picture("forecast")
    page.locator("#forecast tbody tr").first.locator("a").first.click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody")).to_contain_text("Expected 0")
    phone = page_of(f"seer-{mark}", lang="ar", dark=True, width=390)
    narrow = phone.go("/deals?view=forecast&owner=me")
    assert narrow.evaluate("document.documentElement.scrollWidth <= innerWidth")
    phone.check_axe()


def open_list(box: Locator) -> None:
    """Open a drop-down list."""
    box.locator("summary").click()


def test_a_view_is_saved_as_a_tab_and_the_unit_at_the_top_narrows(page_of: Windows, workplace: Workplace) -> None:
    mark = uuid4().hex[:6]
    workplace.hire(f"viewer-{mark}", f"Vera Viewer {mark}", "moscow", "head")
    window = page_of(f"viewer-{mark}")
    page = window.go("/customers?view=all&group=owner")
    page.locator("summary", has_text="Save the view").click()
    page.get_by_label("Name of the view").fill(f"View {mark}")
    window.check_axe()
    page.locator("#views").get_by_role("button", name="Save as a new view").click()
    expect(page.get_by_role("link", name=f"View {mark}")).to_have_attribute("aria-current", "page")
    page.locator(".bl-unit summary").click()
    page.locator("#unit-choice").get_by_role("button", name="Moscow", exact=True).click()
    expect(page.locator(".bl-unit summary")).to_contain_text("Narrowed to")
    assert "unit=" in page.url
    window.check_axe()
    narrow = page_of(f"viewer-{mark}", lang="ar", dark=True, width=390)
    for path in ("/customers?view=all", "/deals?view=table"):
        page = narrow.go(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        page.locator(".bl-views summary").click()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        narrow.check_axe()
