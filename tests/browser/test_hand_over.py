"""A seller leaves: the head sees what there is, hands it to a colleague, and each record says who was before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tests.browser.days import plan, post, rest_of
from tests.browser.windows import Windows
from tests.browser.workplace import Workplace

pytestmark = pytest.mark.timeout(300)


def test_a_leavers_customers_deals_and_activities_go_to_a_colleague(page_of: Windows, workplace: Workplace) -> None:
    mark = uuid4().hex[:6]
    branch = workplace.units["tula"]
    leaver = workplace.hire(f"roman-{mark}", f"Roman {mark}", "tula")
    workplace.hire(f"sofia-{mark}", f"Sofia {mark}", "tula")
    workplace.office.settle()
    with rest_of(workplace, f"roman-{mark}") as rest:
        made = post(rest, "/organizations", {"display_name": f"Oak {mark}", "unit_id": branch, "owner_id": leaver})
        organization = made["organization"]["id"]
        for name in ("Anna", "Boris"):
            post(rest, "/persons", {"display_name": f"{name} {mark}", "unit_id": branch, "owner_id": leaver})
        post(rest, "/deals", {"title": f"Stairs {mark}", "unit_id": branch, "owner_id": leaver})
        plan(rest, "task", f"Measure {mark}", branch, datetime.now(UTC) + timedelta(days=1))

    window = page_of("admin")
    page = window.go(f"/admin/people/{leaver}")
    page.get_by_role("link", name="Hand over").click()
    counts = page.locator("#what tbody tr")
    counts.wait_for()
    assert counts.locator("td").all_inner_texts() == ["2", "1", "1", "1"]
    window.check_axe()
    window.picture("hand-over")
    for kind in ("Customers (3)", "Open deals (1)", "Open activities (1)"):
        page.get_by_label(kind).select_option(label=f"Sofia {mark}")
    page.get_by_label("Why").fill("Roman left")
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("#hand-over").get_by_role("button", name="Hand over").click()
    page.get_by_role("heading", name="Handed over").wait_for()
    assert page.locator("#handed li").all_inner_texts() == [
        "Persons: 2", "Organizations: 1", "Open deals: 1", "Open activities: 1",
    ]  # fmt: skip
    page.get_by_role("link", name="What is left").click()
    page.get_by_text("Nothing to hand over").wait_for()

    page = window.go(f"/organizations/{organization}")
    owners = page.locator(".bl-owners")
    owners.locator("summary").click()
    owners.get_by_text("Roman left").wait_for()
    assert f"Roman {mark}" in owners.inner_text()
    assert f"Sofia {mark}" in owners.inner_text()
