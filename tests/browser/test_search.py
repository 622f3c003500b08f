"""Search as one types: names, companies, telephones and deals, by keyboard alone, and nothing one may not see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.browser.days import Day, fill_day, rest_of, say
from tests.browser.windows import Window, Windows
from tests.browser.workplace import Workplace


@pytest.fixture(scope="module")
def day(workplace: Workplace) -> Day:
    """A company, its buyer and a deal."""
    return fill_day(workplace, "Hyperbola", "+7 495 345-67-89")


def type_search(window: Window, text: str) -> list[str]:
    """Type into the field of the top bar and answer what is offered."""
    page = window.page
    page.locator("#search").fill("")
    page.locator("#search").press_sequentially(text)
    page.locator("#found-all", has_text=text).wait_for()
    return [one.strip() for one in page.locator(".bl-found-name").all_inner_texts()]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("hyperb", ["Viktor Hyperbolaov", "Hyperbola", "Stairs for Hyperbola"]),
        ("345-67-89", ["Viktor Hyperbolaov"]),
        ("гипербола", []),
        ("stairs hyp", ["Stairs for Hyperbola"]),
    ],
)
def test_people_companies_phones_and_deals_are_found(page_of: Windows, day: Day, text: str, found: list[str]) -> None:
    window = page_of("natasha")
    window.go("/today")
    assert set(type_search(window, text)) >= set(found)


def test_the_arrows_choose_and_enter_opens_the_card(page_of: Windows, day: Day) -> None:
    window = page_of("natasha")
    page = window.go("/today")
    page.keyboard.press("/")
    assert type_search(window, "hyperbola")[:2] == ["Viktor Hyperbolaov", "Hyperbola"]
    field = page.locator("#search")
    assert field.get_attribute("aria-expanded") == "true"
    window.check_axe()
    window.picture("search")
    page.keyboard.press("ArrowDown")
    assert page.locator(f"#{field.get_attribute('aria-activedescendant')}").inner_text().startswith("Hyperbola")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/organizations/{day.organization}")
    page.locator("#search").press_sequentially("hyperbola")
    page.locator("#found-all").wait_for()
    page.keyboard.press("Escape")
    assert page.locator("#search-found").is_hidden()


def test_a_meeting_of_two_years_ago_is_on_the_first_page(page_of: Windows, workplace: Workplace, day: Day) -> None:
    with rest_of(workplace, "vlad") as rest:
        company = rest.post("/organizations", {"display_name": "Sinus", "unit_id": workplace.units["moscow"]})
        buyer = rest.post("/persons", {
            "given_name": "Olga", "family_name": "Sinusova", "unit_id": workplace.units["moscow"],
            "affiliations": [{"organization_id": company["organization"]["id"], "role": "buyer"}],
        })["person"]["id"]  # fmt: skip
        then = datetime.now(UTC) - timedelta(days=730)
        say(rest, buyer, "meeting", "Showed them the first catalogue", workplace.units["moscow"], then)
    window = page_of("anna")
    page = window.go("/search?q=sinus")
    line = page.get_by_text("Showed them the first catalogue").first
    line.wait_for()
    assert "Vlad Orlov" in page.locator("main").inner_text()
    assert str(then.year) in page.locator("main").inner_text()
    window.check_axe()
    window.picture("search-page")


def test_a_sibling_branch_finds_nothing(page_of: Windows, day: Day) -> None:
    window = page_of("pyotr")
    page = window.go("/today")
    assert type_search(window, "hyperbola") == []
    assert "Nothing found" in page.locator("#found-all").inner_text()
    assert "Hyperbolaov" not in window.go("/search?q=hyperbola").content()
