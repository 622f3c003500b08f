"""The calendar: what is planned stands where it belongs, is moved by hand or by its panel, and others see it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from chassis.testing.eventually import eventually
from tests.browser.clock import ZONE
from tests.browser.selling import Seller, a_seller
from tests.browser.windows import Windows
from tests.browser.workplace import Workplace

DAY = date(2027, 3, 10)  # a Wednesday far from whatever day the tests run on
WEEK = f"/calendar?view=week&date={DAY}"


@pytest.fixture
def seller(workplace: Workplace) -> Seller:
    return a_seller(workplace)


def at(hour: int, minute: int = 0, day: date = DAY) -> str:
    """An instant of Moscow's clock as REST takes it."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZONE).isoformat()


def plan(seller: Seller, subject: str, **more: Any) -> dict[str, Any]:
    """Plan something for the seller."""
    body = {
        "kind": "task",
        "subject": subject,
        "owner_id": seller.id,
        "unit_id": seller.workplace.units["moscow"],
        **more,
    }
    made: dict[str, Any] = seller.workplace.office.rest.post("/activities", body, key=str(uuid4()))
    return made


def read(seller: Seller, activity: dict[str, Any]) -> dict[str, Any]:
    """The activity as it is now."""
    found: dict[str, Any] = seller.workplace.office.rest.get(f"/activities/{activity['id']}")
    return found


def begin_of(seller: Seller, activity: dict[str, Any]) -> datetime:
    """When it begins, on the seller's clock."""
    return datetime.fromisoformat(read(seller, activity)["due_time"]).astimezone(ZONE)


def event(page: Page, subject: str) -> Locator:
    """What stands in the calendar under a subject."""
    return page.locator(".ec-event", has_text=subject)


def test_the_week_shows_what_is_planned_at_its_hour_and_for_whole_days(page_of: Windows, seller: Seller) -> None:
    plan(seller, "Visit", kind="meeting", due_time=at(10), end_time=at(11, 30))
    plan(seller, "Report", due_date=str(DAY))
    window = page_of(seller.login)
    page = window.go(WEEK)
    expect(event(page, "Visit")).to_have_attribute("aria-label", "Meeting, 10:00 – 11:30 AM, Visit")
    expect(page.locator(".ec-all-day .ec-event", has_text="Report")).to_be_visible()
    window.check_axe()
    window.picture("calendar")


def test_a_meeting_is_moved_by_hand_and_keeps_its_length(page_of: Windows, seller: Seller) -> None:
    meeting = plan(seller, "Drag me", kind="meeting", due_time=at(10), end_time=at(11))
    page = page_of(seller.login).go(WEEK)
    box = event(page, "Drag me").bounding_box()
    assert box
    page.mouse.move(box["x"] + 30, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(box["x"] + 30, box["y"] + 30, steps=6)
    page.mouse.move(box["x"] + 30, box["y"] + 8 + 2 * box["height"], steps=12)
    page.mouse.up()
    eventually(lambda: begin_of(seller, meeting).hour == 12)
    after = read(seller, meeting)
    assert datetime.fromisoformat(after["end_time"]) - datetime.fromisoformat(after["due_time"]) == timedelta(hours=1)


def test_a_meeting_is_moved_by_its_panel_without_a_mouse(page_of: Windows, seller: Seller) -> None:
    meeting = plan(seller, "Panel me", kind="meeting", due_time=at(10), end_time=at(11))
    window = page_of(seller.login)
    page = window.go(WEEK)
    event(page, "Panel me").focus()
    page.keyboard.press("Enter")
    panel = page.locator("#activity-panel")
    panel.get_by_text("Move to another time").click()
    window.check_axe()
    panel.get_by_label("Time").fill("15:30")
    panel.locator("#move-form").get_by_role("button", name="Move").click()
    eventually(lambda: (begin_of(seller, meeting).hour, begin_of(seller, meeting).minute) == (15, 30))
    expect(event(page, "Panel me")).to_have_attribute("aria-label", "Meeting, 3:30 – 4:30 PM, Panel me")


def test_an_empty_place_plans_something_there(page_of: Windows, seller: Seller) -> None:
    page = page_of(seller.login).go("/calendar?view=month&date=2027-03-10")
    page.locator(".ec-day-grid").wait_for()
    page.get_by_role("button", name="Plan something").click()
    form = page.get_by_role("form", name="Plan something")
    form.get_by_text("Call", exact=True).click()
    form.get_by_label("What it is about").fill("Ask for news")
    form.get_by_label("Day", exact=True).fill("2027-03-10")
    form.get_by_label("Time").fill("09:15")
    form.get_by_label("Comes again every").fill("2")
    form.get_by_label("of", exact=True).select_option("week")
    form.get_by_role("button", name="Plan").click()
    expect(event(page, "Ask for news")).to_have_count(2)  # the 10th and, foreseen, the 24th
    expect(page.locator(".ec-event.bl-virtual")).to_have_count(1)


def test_an_activity_is_done_with_its_outcome_and_given_on_in_two_clicks(page_of: Windows, seller: Seller) -> None:
    call = plan(seller, "Hand over", kind="call", due_time=at(9))
    window = page_of(seller.login)
    page = window.go(f"/activities/{call['id']}")
    page.get_by_text("Give to somebody else").click()
    page.locator("#reassign-form").get_by_label("Owner").select_option(label="Natasha Sazonova")
    eventually(lambda: read(seller, call)["owner_id"] == seller.workplace.people["natasha"])
    other = plan(seller, "Finish", kind="call", due_time=at(9))
    page = window.go(WEEK)
    event(page, "Finish").click()
    panel = page.locator("#activity-panel")
    panel.get_by_label("Result").select_option("no_answer")
    panel.get_by_label("What came of it").fill("nobody picks up")
    panel.get_by_role("button", name="Done").click()
    expect(panel).to_have_count(0)
    expect(page.locator(".ec-event.bl-closed")).to_have_count(1)
    done = read(seller, other)
    assert (done["state"], done["outcome"], done["summary"]) == ("done", "no_answer", "nobody picks up")


def test_whose_move_it_is_is_told_with_what_is_waited_for(page_of: Windows, seller: Seller) -> None:
    task = plan(seller, "Contract", due_time=at(9))
    window = page_of(seller.login)
    page = window.go(f"/activities/{task['id']}")
    page.get_by_text("Whose move is it?").click()
    page.locator("#waiting-form").get_by_label("Whose move").select_option("customer")
    page.locator("#waiting-form").get_by_label("What is waited for").fill("the signature")
    page.locator("#waiting-form").get_by_role("button", name="Save").click()
    expect(page.locator("#activity-panel dl")).to_contain_text("The customer's move: the signature")
    window.check_axe()


def test_what_a_colleague_plans_for_me_appears_by_itself_and_absences_are_told(
    page_of: Windows, seller: Seller
) -> None:
    page = page_of(seller.login).go(WEEK)
    page.locator(".ec-time-grid").wait_for()
    plan(seller, "From my head", due_time=at(14))
    expect(event(page, "From my head")).to_be_visible(timeout=4_000)
    body = {"user_id": seller.id, "start_date": "2027-03-11", "end_date": "2027-03-13", "reason": "trip"}
    seller.workplace.office.rest.call("PUT", "/absences", json=body, headers={"Idempotency-Key": str(uuid4())})
    page.reload()
    expect(page.get_by_role("list", name="Who is away")).to_contain_text("trip")
    expect(page.locator(".ec-bg-event").first).to_be_attached()


def test_the_workload_is_red_where_too_much_is_planned_until_a_drag_moves_it(page_of: Windows, seller: Seller) -> None:
    meetings = [plan(seller, name, kind="meeting", due_time=at(9), end_time=at(15)) for name in ("Stay", "Drag me")]
    window = page_of(seller.login)
    address = f"/calendar?view=workload&date={DAY}&who=user:{seller.id}"
    # The news of somebody just hired is on its way.
    eventually(lambda: window.go(address).locator(f"[data-user='{seller.id}']").count() == 1)
    page = window.page
    cells = page.locator(f"[data-user='{seller.id}'] td")
    day = page.locator(f"th[data-day='{DAY}']").evaluate("head => head.cellIndex") - 1
    expect(cells.nth(day).locator(".bl-over")).to_contain_text("150%")
    window.check_axe()
    window.picture("calendar-workload")
    cells.nth(day).get_by_role("button", name="Drag me").drag_to(cells.nth(day + 1))
    expect(cells.nth(day)).to_contain_text("75%")
    expect(cells.nth(day + 1)).to_contain_text("75%")
    expect(page.locator(".bl-over")).to_have_count(0)
    assert begin_of(seller, meetings[1]) == datetime(2027, 3, 11, 9, tzinfo=ZONE)
    cells.nth(day).get_by_role("button", name="Stay").press("Enter")
    expect(page.locator("#activity-panel").get_by_text("Move to another time")).to_be_visible()
    narrow = page_of(seller.login, width=390, lang="ar", dark=True)
    page = narrow.go(address)
    expect(page.locator("#workload").get_by_role("button", name="Stay")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    narrow.check_axe()


SIGHTS = [("ru", False, 1280), ("ar", False, 1280), ("en", True, 1280), ("en", False, 390), ("ar", True, 390)]


@pytest.mark.parametrize(("lang", "dark", "width"), SIGHTS)
def test_the_calendar_is_readable_in_every_language_width_and_light(
    page_of: Windows, seller: Seller, lang: str, dark: bool, width: int
) -> None:
    plan(seller, "Встреча", kind="meeting", due_time=at(10), end_time=at(12))
    plan(seller, "<img src=x onerror=alert(1)>", kind="call", due_time=at(13))
    plan(seller, "اجتماع", due_date=str(DAY))
    window = page_of(seller.login, lang=lang, dark=dark, width=width)
    for view in ("day", "week", "month"):
        page = window.go(f"/calendar?view={view}&date={DAY}")
        page.locator(".ec-event").first.wait_for()
        assert page.locator("html").get_attribute("dir") == ("rtl" if lang == "ar" else "ltr")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
        window.check_axe()
        window.picture(f"calendar-{view}-{lang}-{'dark' if dark else 'light'}-{width}")
