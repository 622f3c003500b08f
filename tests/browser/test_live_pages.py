"""Two people look at one thing: what one changes, the other sees without reloading, if they may."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.browser.days import Day, fill_day, plan, rest_of, say
from tests.browser.windows import Windows
from tests.browser.workplace import Workplace

SOON = 10_000  # milliseconds; two seconds are promised on a machine that does nothing else


@pytest.fixture(scope="module")
def day(workplace: Workplace) -> Day:
    """A customer of Moscow."""
    return fill_day(workplace, "Ellipse", "+7 495 567-89-01")


def test_an_entry_of_one_is_on_the_card_that_another_has_open(page_of: Windows, workplace: Workplace, day: Day) -> None:
    page = page_of("vlad").go(f"/customers/{day.person}")
    with rest_of(workplace, "natasha") as rest:
        say(rest, day.person, "call", "He wants ash instead of oak", workplace.units["moscow"])
    page.get_by_text("He wants ash instead of oak").first.wait_for(timeout=SOON)


def test_what_somebody_opened_on_a_card_stays_open_through_news(
    page_of: Windows, workplace: Workplace, day: Day
) -> None:
    path = f"/persons/{day.person}"
    rest = workplace.office.rest
    person = rest.get(path)
    page = page_of("vlad").go(f"/customers/{day.person}")
    owners = page.locator(".bl-owners")
    owners.locator("summary").click()
    owners.locator("div > *").wait_for()
    changed = rest.call(
        "PATCH", path, json={"address": {"city": "Newtown"}}, headers={"If-Match": f'"{person["etag"]}"'}
    )
    assert changed.status_code == 200, changed.text
    page.locator("#card-facts").get_by_text("Newtown").wait_for(timeout=SOON)
    assert owners.locator("div > *").is_visible()


def test_a_heads_digest_grows_while_he_looks_at_it(page_of: Windows, workplace: Workplace, day: Day) -> None:
    page = page_of("head").go("/today")
    with rest_of(workplace, "mikhail") as rest:
        say(rest, day.person, "call", "Mikhail calls in the middle of it", workplace.units["moscow"])
    page.locator("#today-people").get_by_text("Mikhail calls in the middle of it").wait_for(timeout=SOON)


def test_what_is_being_typed_survives_news(page_of: Windows, workplace: Workplace, day: Day) -> None:
    due = datetime.now(UTC) - timedelta(hours=1)
    with rest_of(workplace, "natasha") as rest:
        plan(rest, "task", "Half written", workplace.units["moscow"], due)
        page = page_of("natasha").go("/today")
        page.get_by_role("button", name="Done: Half written").click()
        page.get_by_label("What was said").fill("not yet sent")
        plan(rest, "task", "Came meanwhile", workplace.units["moscow"], due)
    page.get_by_role("link", name="Came meanwhile").wait_for(timeout=SOON)
    assert page.get_by_label("What was said").input_value() == "not yet sent"


def test_a_sibling_branch_is_told_nothing(page_of: Windows, workplace: Workplace, day: Day) -> None:
    stranger = page_of("pyotr").go("/today")
    heard: Any = stranger.evaluate_handle(
        """(id) => { const heard = [];
        const stream = new EventSource(`/live?topics=person:${id}`);
        stream.addEventListener("changed", (event) => heard.push(...JSON.parse(event.data)));
        return new Promise((done) => { stream.addEventListener("begun", () => done(heard)); }); }""",
        day.person,
    )
    own = page_of("anna").go(f"/customers/{day.person}")
    with rest_of(workplace, "natasha") as rest:
        say(rest, day.person, "call", "Only for Moscow", workplace.units["moscow"])
    own.get_by_text("Only for Moscow").first.wait_for(timeout=SOON)
    assert f"person:{day.person}" not in heard.json_value()
