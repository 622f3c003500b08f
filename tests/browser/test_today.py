"""Today: one's own promises checked off in place, and for a head what his people did, silent ones named, on a phone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.browser.days import Day, fill_day, plan, put_on_leave, rest_of
from tests.browser.windows import Windows
from tests.browser.workplace import Workplace

SMALL = 50 * 1024  # bytes of the digest's page (C6)


@pytest.fixture(scope="module")
def day(workplace: Workplace) -> Day:
    """A day of Moscow; Anna is on leave."""
    put_on_leave(workplace, "anna")
    return fill_day(workplace)


def test_a_promise_is_checked_off_with_its_result_in_place(page_of: Windows, workplace: Workplace, day: Day) -> None:
    workplace.hire("planner", "Platon Planner", "moscow")
    late, soon = datetime.now(UTC) - timedelta(days=2), datetime.now(UTC).replace(hour=20, minute=59)
    with rest_of(workplace, "planner") as rest:
        plan(rest, "call", "Call Viktor back", workplace.units["moscow"], late, person_id=day.person)
        plan(rest, "task", "Send the offer", workplace.units["moscow"], soon, organization_id=day.organization)
        hour = {"end_time": soon.isoformat()}
        plan(rest, "meeting", "Show the samples", workplace.units["moscow"], soon - timedelta(hours=1), **hour)
    window = page_of("planner")
    page = window.go("/today")
    page.get_by_role("heading", name="Overdue").wait_for()
    page.get_by_role("heading", name="Meetings").wait_for()
    window.check_axe()
    window.picture("today")
    page.get_by_role("button", name="Done: Call Viktor back").click()
    page.get_by_label("Result").select_option("reached")
    page.get_by_label("What was said").fill("He takes the oak stairs")
    page.get_by_label("What was said").press("Enter")
    page.get_by_text("Call Viktor back").wait_for(state="detached")
    page.get_by_role("link", name="Send the offer").wait_for()


def test_a_head_skims_his_peoples_day_on_a_phone_and_sees_who_is_silent(page_of: Windows, day: Day) -> None:
    window = page_of("head", width=390)
    page = window.go("/today")
    people = page.locator("#today-people")
    natasha = people.locator("li", has=page.get_by_role("link", name="Natasha Sazonova")).first
    natasha.get_by_text("5 calls").wait_for()
    assert natasha.locator("ul li").count() == 5
    assert "Met the buyer of Parabola; wants oak" in people.inner_text()
    silent = people.locator(".bl-silent").inner_text()
    assert "Polina Vetrova" in silent
    assert not any(name in silent for name in ("Anna Petrova", "Natasha", "Vlad", "Mikhail", "Pyotr"))
    assert "Anna Petrova" in people.locator(".bl-leave").first.inner_text()
    assert len(page.content().encode()) < SMALL
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    window.check_axe()
    window.picture("today-people-phone")


def test_a_head_goes_down_from_the_company_to_a_branch_to_a_person_to_the_card(page_of: Windows, day: Day) -> None:
    window = page_of("director")
    page = window.go("/today")
    page.locator("#today-people .bl-units").get_by_role("link", name="Moscow").click()
    page.locator("#today-people").get_by_role("link", name="Vlad Orlov").click()
    page.get_by_role("heading", name="Said and written").wait_for()
    window.check_axe()
    page.get_by_role("link", name="Viktor Parabolaov").first.click()
    page.wait_for_url(f"**/customers/{day.person}")


def test_another_branchs_head_sees_nothing_of_it(page_of: Windows, workplace: Workplace, day: Day) -> None:
    workplace.hire("tulahead", "Tamara Tula", "tula", "head")
    page = page_of("tulahead").go(f"/today?unit={workplace.units['moscow']}")
    page.locator("#today-people").wait_for()
    assert "Parabola" not in page.content()
    assert "Natasha" not in page.content()


def test_what_is_given_to_somebody_rings_their_bell(page_of: Windows, workplace: Workplace, day: Day) -> None:
    window = page_of("vlad")
    page = window.go("/today")
    unit = workplace.units["moscow"]
    with rest_of(workplace, "natasha") as rest:
        due = datetime.now(UTC) + timedelta(days=1)
        plan(rest, "task", "Measure the stairs", unit, due, owner_id=workplace.people["vlad"])
    page.locator(".bl-bell-count").wait_for()
    page.locator("#bell").click()
    page.get_by_role("link", name="Measure the stairs").wait_for()
    window.check_axe("#panel")
    page.get_by_role("button", name="Mark all as read").click()
    page.locator(".bl-bell-count").wait_for(state="detached")
