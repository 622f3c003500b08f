"""Writing down what was said: from anywhere, by the keyboard alone, thirteen in a row, each exactly once."""

from __future__ import annotations

import time
from uuid import uuid4

from playwright.sync_api import Page, expect

from tests.browser.windows import Windows
from tests.browser.workplace import Workplace

MINUTE = 60.0


def a_person(workplace: Workplace, name: str) -> str:
    """The id of a person of Moscow."""
    body = {"display_name": name, "unit_id": workplace.units["moscow"]}
    return str(workplace.office.rest.post("/persons", body, key=str(uuid4()))["person"]["id"])


def summaries(workplace: Workplace, person_id: str) -> list[str]:
    """What was written down with a person, newest first."""
    found = workplace.office.rest.get("/interactions", person_id=person_id)["interactions"]
    return [one["summary"] for one in found]


def choose(page: Page, text: str) -> None:
    """Type part of a name and take the first that is offered, by the keyboard."""
    expect(page.locator("#quick-call [role=combobox]")).to_be_focused()
    page.keyboard.type(text)
    page.wait_for_selector("#quick-call .bl-picks [data-id]")
    page.keyboard.press("Enter")
    expect(page.locator("#call-summary")).to_be_focused()


def test_a_call_is_written_down_by_the_keyboard_in_well_under_a_minute(page_of: Windows, workplace: Workplace) -> None:
    person = a_person(workplace, "Xenia Quickcall")
    window = page_of("natasha")
    page = window.go("/customers")
    began = time.monotonic()
    page.keyboard.press("c")
    choose(page, "quickc")
    window.check_axe("#panel")
    window.picture("log-a-call", "#panel")
    page.keyboard.type("Asked for the price list")
    page.keyboard.press("Enter")
    expect(page.locator("#notices")).to_contain_text("Saved: Xenia Quickcall")
    expect(page.locator("#panel")).not_to_be_visible()
    assert time.monotonic() - began < MINUTE
    assert summaries(workplace, person) == ["Asked for the price list"]


def test_thirteen_calls_in_a_row_need_nothing_but_typing(page_of: Windows, workplace: Workplace) -> None:
    person = a_person(workplace, "Yakov Thirteen")
    page = page_of("natasha").go("/customers")
    page.keyboard.press("c")
    for number in range(1, 14):
        choose(page, "thirteen")
        page.keyboard.type(f"Call {number}")
        page.keyboard.press("Control+Enter" if number == 1 else "Enter")
        expect(page.locator(".bl-saved-count")).to_contain_text(f"{number} saved")
    assert summaries(workplace, person) == [f"Call {number}" for number in range(13, 0, -1)]


def test_on_a_card_the_key_opens_the_form_for_that_customer(page_of: Windows, workplace: Workplace) -> None:
    person = a_person(workplace, "Wanda Prefilled")
    page = page_of("natasha").go(f"/customers/{person}")
    page.keyboard.press("c")
    expect(page.locator("#panel .bl-chosen")).to_contain_text("Wanda Prefilled")
    expect(page.locator("#call-summary")).to_be_focused()
    page.keyboard.type("Only the summary was typed")
    page.keyboard.press("Enter")
    expect(page.locator("#card-story")).to_contain_text("Only the summary was typed")


def test_a_form_sent_twice_is_kept_once(page_of: Windows, workplace: Workplace) -> None:
    person = a_person(workplace, "Zina Twice")
    page = page_of("natasha").go(f"/quick/call?person={person}")
    page.fill("#call-summary", "Only once")
    page.select_option("#call-next", "task")
    send = (
        "() => Promise.all([1, 2].map(() => fetch('/quick/call', {method: 'POST', headers: {'HX-Request': 'true'},"
        " body: new URLSearchParams(new FormData(document.getElementById('quick-call')))}).then((r) => r.status)))"
    )
    assert page.evaluate(send) == [200, 200]
    assert summaries(workplace, person) == ["Only once"]
    todo = workplace.office.rest.get("/activities", person_id=person)["activities"]
    assert [one["subject"] for one in todo] == ["Only once"]


def test_shift_enter_begins_a_line_and_an_empty_summary_is_not_sent(page_of: Windows, workplace: Workplace) -> None:
    person = a_person(workplace, "Ada Lines")
    page = page_of("natasha").go(f"/customers/{person}")
    page.focus("#note-summary")
    page.keyboard.press("Enter")
    page.keyboard.type("first")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("second")
    page.keyboard.press("Enter")
    expect(page.locator("#card-story")).to_contain_text("first\nsecond")
    assert summaries(workplace, person) == ["first\nsecond"]


def test_a_call_without_a_customer_says_what_is_missing(page_of: Windows) -> None:
    window = page_of("natasha")
    page = window.go("/quick/call")
    page.fill("#pick-person_id", "nobody of this name")
    expect(page.locator(".bl-picks")).to_contain_text("Nobody like this is known")
    page.fill("#call-summary", "Whom did I speak with?")
    window.allow("POST /quick/call answered 400")
    page.press("#call-summary", "Enter")
    expect(page.locator("#quick-call [role=alert]")).to_contain_text("choose a customer from the list")
    assert page.input_value("#call-summary") == "Whom did I speak with?"


def test_the_form_is_readable_on_a_phone_from_right_to_left_and_in_the_dark(page_of: Windows) -> None:
    window = page_of("natasha", lang="ar", dark=True, width=390)
    page = window.go("/quick/call")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    window.check_axe()
