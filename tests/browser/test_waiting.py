"""Answers that are slow or never come: progress is shown, what was typed stays, and a lost part comes by itself."""

from __future__ import annotations

from playwright.sync_api import Route, expect

from tests.browser.test_call import a_person, choose, summaries
from tests.browser.windows import Windows
from tests.browser.workplace import Workplace

LOST = r"failed: net::ERR_|htmx:error|Failed to fetch"


def test_a_slow_answer_shows_progress_and_a_lost_one_keeps_what_was_typed(
    page_of: Windows, workplace: Workplace
) -> None:
    person = a_person(workplace, "Ulla Unplugged")
    window = page_of("natasha")
    window.allow(LOST)
    page = window.go("/today")
    held: list[Route] = []
    page.route(
        "**/quick/call", lambda route: held.append(route) if route.request.method == "POST" else route.continue_()
    )
    page.keyboard.press("c")
    choose(page, "unplugged")
    page.keyboard.type("Wants it in oak")
    progress = page.locator(".bl-waiting")
    expect(progress).to_be_hidden()
    page.keyboard.press("Enter")
    expect(progress).to_be_visible()
    held[0].abort()
    expect(page.get_by_role("alert")).to_contain_text("No answer came")
    expect(progress).to_be_hidden()
    expect(page.locator("#call-summary")).to_have_value("Wants it in oak")
    window.check_axe()
    page.unroute("**/quick/call")
    page.locator("#call-summary").press("Enter")
    expect(page.locator("#notices")).to_contain_text("Saved: Ulla Unplugged")
    expect(page.get_by_text("No answer came")).to_have_count(0)
    assert summaries(workplace, person) == ["Wants it in oak"]


def test_a_part_of_a_page_that_got_lost_comes_by_itself(page_of: Windows, workplace: Workplace) -> None:
    a_person(workplace, "Vera Vanishing")
    window = page_of("natasha")
    window.allow(LOST)
    window.page.route("**/customers/count*", lambda route: route.abort(), times=1)
    page = window.go("/customers?view=all&q=vanishing")
    expect(page.locator(".bl-foot")).to_contain_text("1 person")
