"""Today: one's own promises checked off in place, and for a head what his people did, silent ones named, on a phone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.browser.clock import at_hour
from tests.browser.days import Day, fill_day, plan, put_on_leave, rest_of
from tests.browser.windows import Windows
from tests.browser.workplace import Workplace

SMALL = 50 * 1024  # bytes of the digest's page (C6)


CREW = {
    "nadezhda": "Nadezhda Sazonova", "valery": "Valery Orlov", "maksim": "Maksim Lebedev",
    "praskovya": "Praskovya Vetrova", "alla": "Alla Petrova",
}  # fmt: skip


@pytest.fixture(scope="module")
def day(workplace: Workplace) -> Day:
    """A day of a branch in which nobody else works: Praskovya enters nothing, Alla is on leave."""
    workplace.units["kaluga"] = workplace.office.unit("kaluga", "Kaluga", country_code="RU", area_code="4842")
    hired = {login: workplace.hire(login, name, "kaluga") for login, name in CREW.items()}
    workplace.hire("kalugahead", "Pavel Kalugin", "kaluga", "head")
    workplace.office.settle()
    put_on_leave(workplace, hired["alla"], "kaluga")
    return fill_day(workplace, "Cycloid", "+7 4842 23-41-12", "kaluga", ("nadezhda", "valery", "maksim"))


def test_a_promise_is_checked_off_with_its_result_in_place(page_of: Windows, workplace: Workplace, day: Day) -> None:
    workplace.hire("planner", "Platon Planner", "kaluga")
    late, soon = datetime.now(UTC) - timedelta(days=2), at_hour(23, 59)
    with rest_of(workplace, "planner") as rest:
        plan(rest, "call", "Call Viktor back", workplace.units["kaluga"], late, person_id=day.person)
        plan(rest, "task", "Send the offer", workplace.units["kaluga"], soon, organization_id=day.organization)
        hour = {"end_time": soon.isoformat()}
        plan(rest, "meeting", "Show the samples", workplace.units["kaluga"], soon - timedelta(hours=1), **hour)
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
    window = page_of("kalugahead", width=390)
    page = window.go("/today")
    people = page.locator("#today-people")
    caller = people.locator("li", has=page.get_by_role("link", name="Nadezhda Sazonova")).first
    caller.get_by_text("5 calls").wait_for()
    assert caller.locator("ul li").count() == 5
    assert "Met the buyer of Cycloid; wants oak" in people.inner_text()
    silent = people.locator(".bl-silent").inner_text()
    assert "Praskovya Vetrova" in silent
    assert not any(name in silent for name in ("Alla Petrova", "Nadezhda", "Valery", "Maksim", "Pyotr"))
    assert "Alla Petrova" in people.locator(".bl-leave").first.inner_text()
    assert len(page.content().encode()) < SMALL
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    window.check_axe()
    window.picture("today-people-phone")


def test_a_head_goes_down_from_the_company_to_a_branch_to_a_person_to_the_card(page_of: Windows, day: Day) -> None:
    window = page_of("director")
    page = window.go("/today")
    page.locator("#today-people .bl-units").get_by_role("link", name="Kaluga").click()
    page.locator("#today-people").get_by_role("link", name="Valery Orlov").click()
    page.get_by_role("heading", name="Said and written").wait_for()
    window.check_axe()
    page.get_by_role("link", name="Viktor Cycloidov").first.click()
    page.wait_for_url(f"**/customers/{day.person}")


def test_another_branchs_head_sees_nothing_of_it(page_of: Windows, workplace: Workplace, day: Day) -> None:
    workplace.hire("tulahead", "Tamara Tula", "tula", "head")
    page = page_of("tulahead").go(f"/today?unit={workplace.units['kaluga']}")
    page.locator("#today-people").wait_for()
    assert "Cycloid" not in page.content()
    assert "Nadezhda" not in page.content()


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
