"""The administrator's page of events at which reporting really failed: one is changed, one tried anew, one let go."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page

from chassis.testing.eventually import eventually
from tests.browser.windows import Windows
from tests.browser.workplace import Workplace
from tests.e2e.parked import CHECK_VIOLATED, PATIENCE, refusing

pytestmark = pytest.mark.timeout(300)
WAITING = "/admin/system/reporting"


def test_events_that_failed_are_changed_tried_anew_and_let_go(page_of: Windows, workplace: Workplace) -> None:
    window = page_of("admin")
    with refusing(workplace.office, workplace.folder) as refusal:
        (changed, first), (tried, second), (let_go, third) = [refusal.park_person() for _ in range(3)]
        page = window.go(WAITING)
        row = page.locator("#parked tr", has_text=CHECK_VIOLATED).first
        assert "needs a decision" in row.inner_text()
        window.check_axe()
        change_name(page, first, "Mended by hand")
        eventually(lambda: refusal.reported_name(changed) == "Mended by hand", within=PATIENCE)

        page.on("dialog", lambda dialog: dialog.accept())
        page.locator(f"#skip-{third}").get_by_role("button").click()
        page.locator(f"#skip-{third}").wait_for(state="detached")
        assert refusal.states(let_go) == [(1, "skipped")]
        assert refusal.reported_name(let_go) == ""

    page.locator(f"#retry-{second}").get_by_role("button").click()
    eventually(lambda: refusal.states(tried) == [(1, "resolved")], within=PATIENCE)
    window.go(WAITING).get_by_text("No event waits here").wait_for()


def change_name(page: Page, number: int, name: str) -> None:
    """Open an event beside the list, change the name it tells, and have it tried again."""
    page.locator("#parked").get_by_role("link", name=str(number), exact=True).click()
    panel = page.locator("#panel")
    content = panel.locator("#event-message")
    message = json.loads(content.input_value())
    message["person"]["personal"]["display_name"] = name
    content.fill(json.dumps(message))
    panel.get_by_role("button", name="Change and try again").click()
    content.wait_for(state="detached")
