"""The administrator's day in the browser: a branch is opened, a person comes, works, and leaves."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.browser.windows import Windows
from tests.browser.workplace import Workplace

PASSWORD = "a password for Lida only"

pytestmark = pytest.mark.timeout(300)


def test_a_new_unit_and_a_new_person_who_signs_in_and_leaves(page_of: Windows) -> None:
    mark = uuid4().hex[:6]
    window = page_of("admin")
    page = window.go("/admin")
    page.get_by_role("link", name="New unit").click()
    panel = page.locator("#panel")
    panel.locator("#f-name").fill(f"Oryol {mark}")
    panel.locator("#f-code").fill("Not A Code")
    panel.get_by_label("Below").select_option(label="Northlight")
    window.allow("POST /admin/units answered 4")
    panel.get_by_role("button", name="Add the unit").click()
    panel.get_by_role("alert").wait_for()  # what was typed is still there
    panel.locator("#f-code").fill(f"oryol_{mark}")
    panel.get_by_label("Area code").fill("4862")
    window.check_axe()
    window.picture("admin-new-unit")
    panel.get_by_role("button", name="Add the unit").click()
    row = page.locator("#units tr", has_text=f"Oryol {mark}")
    row.wait_for()
    assert "4862" in row.inner_text()
    assert "RUB" in row.inner_text()  # of the unit above

    row.get_by_role("link", name=f"Oryol {mark}", exact=True).click()
    page.get_by_role("link", name="New person").click()
    panel.locator("#f-display_name").fill(f"Lida {mark}")
    panel.get_by_label("What the position is called").fill("Seller")
    panel.get_by_label("Sign-in name").fill(f"lida-{mark}")
    panel.get_by_label("Password").fill(PASSWORD)
    panel.get_by_role("button", name="Add the person").click()
    page.wait_for_url("**/admin/people/*")
    assert f"Lida {mark}" in page.locator("h1").inner_text()
    window.check_axe()
    window.picture("admin-person")

    other = page_of()
    newcomer = other.go("/sign-in")
    newcomer.fill("input[name=login]", f"lida-{mark}")
    newcomer.fill("input[name=password]", PASSWORD)
    newcomer.click("form button[type=submit]")
    newcomer.wait_for_url("**/today")

    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Close the access").click()
    page.get_by_role("button", name="Open the access").wait_for()
    page.locator("#positions").get_by_role("button", name="End").click()
    page.locator("#positions input").wait_for(state="detached")


def test_a_unit_is_renamed_and_closed(page_of: Windows, workplace: Workplace) -> None:
    mark = uuid4().hex[:6]
    workplace.office.unit(f"kiosk_{mark}", f"Kiosk {mark}", workplace.units["tula"], "team")
    page = page_of("admin").go("/admin/units")
    page.get_by_role("button", name=f"Change Kiosk {mark}").click()
    panel = page.locator("#panel")
    panel.locator("#f-name").fill(f"Stand {mark}")
    panel.get_by_label("Closed from this day on").fill("2024-01-01")
    panel.get_by_role("button", name="Save").click()
    row = page.locator("#units tr", has_text=f"Stand {mark}")
    row.wait_for()
    assert "closed Jan 1, 2024" in row.inner_text()


def test_a_pipeline_and_a_reason_are_added(page_of: Windows) -> None:
    mark = uuid4().hex[:6]
    window = page_of("admin")
    page = window.go("/admin/pipelines")
    page.get_by_label("New reason").fill(f"moved away {mark}")
    page.get_by_role("button", name="Add", exact=True).click()
    page.locator("#reasons li", has_text=mark).wait_for()
    page.get_by_role("link", name="New pipeline").click()
    panel = page.locator("#panel")
    panel.locator("#f-name").fill(f"Service {mark}")
    panel.get_by_label("Stages in order").fill("Asked\nPromised")
    panel.get_by_role("button", name="Add the pipeline").click()
    made = page.locator("h2", has_text=f"Service {mark}")
    made.wait_for()
    assert made.locator("xpath=following-sibling::ol[1]//bdi").all_inner_texts()[:2] == ["Asked", "Promised"]
    window.check_axe()
    window.picture("admin-pipelines")


def test_a_unit_gets_a_week_of_its_own_and_a_holiday(page_of: Windows, workplace: Workplace) -> None:
    mark = uuid4().hex[:6]
    stall = workplace.office.unit(f"stall_{mark}", f"Stall {mark}", workplace.units["tula"], "team")
    workplace.office.settle()
    window = page_of("admin")
    page = window.go("/admin/calendars?year=2031")
    page.locator("#choose-unit").get_by_label("Unit").select_option(stall)
    page.get_by_role("button", name="Show").click()
    page.locator("h1", has_text=f"Stall {mark}").wait_for()
    page.get_by_label("Saturday").fill("10-14")
    page.get_by_role("button", name="Save the week").click()
    page.get_by_text("A week of its own").wait_for()
    assert page.get_by_label("Saturday").input_value() == "10:00–14:00"
    page.locator("#holiday").get_by_label("Day", exact=True).fill("2031-05-09")
    page.get_by_label("What the day is called").fill(f"Fair {mark}")
    page.get_by_role("button", name="Record the day").click()
    page.locator("#holiday-list tr", has_text=f"Fair {mark}").wait_for()
    window.check_axe()
    window.picture("admin-calendars")


def test_a_webhook_into_the_house_is_refused_where_it_is_asked_for(page_of: Windows) -> None:
    window = page_of("admin")
    page = window.go("/admin/webhooks")
    window.check_axe()
    page.get_by_role("link", name="New webhook").click()
    panel = page.locator("#panel")
    panel.locator("#f-name").fill("Accounting")
    panel.locator("#f-address").fill("https://10.0.0.1/in")
    window.allow("POST /admin/webhooks answered 4")
    panel.get_by_role("button", name="Make the webhook").click()
    panel.get_by_role("alert").wait_for()
    window.check_axe()
    window.picture("admin-webhooks")


def test_the_state_of_the_system_is_told(page_of: Windows) -> None:
    window = page_of("admin")
    page = window.go("/admin/system")
    for name in ("directory", "contacts", "deals", "imports", "reporting"):
        assert "works" in page.locator("#services tr", has_text=name).inner_text()
    window.check_axe()
    window.picture("admin-system")
    page.locator("#services tr", has_text="reporting").get_by_role("link").click()
    page.get_by_text("No event waits here").wait_for()
    window.check_axe()


def test_a_role_is_made_changed_and_read_back(page_of: Windows) -> None:
    mark = uuid4().hex[:6]
    window = page_of("admin")
    page = window.go("/admin/roles")
    window.check_axe()
    window.picture("admin-roles")
    page.get_by_role("link", name="New role").click()
    panel = page.locator("#panel")
    panel.locator("#f-name").fill(f"Call centre {mark}")
    panel.get_by_label("Code").fill(f"calls_{mark}")
    panel.get_by_label("Begin with").select_option("assistant")
    panel.get_by_role("button", name="Add the role").click()
    page.wait_for_url(f"**/admin/roles/calls_{mark}")
    page.get_by_label("Export, Customers").select_option("team")
    window.check_axe()
    window.picture("admin-role")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_load_state("load")
    assert page.get_by_label("Export, Customers").input_value() == "team"


def test_who_sees_a_customer_is_told_beside_its_card(page_of: Windows, workplace: Workplace) -> None:
    made = workplace.office.rest.post(
        "/persons", {"display_name": "Igor Seen", "unit_id": workplace.units["tula"]}, key=uuid4().hex
    )
    window = page_of("admin")
    page = window.go(f"/customers/{made['person']['id']}")
    page.get_by_label("More about this card").click()
    page.get_by_role("link", name="Who can see this").click()
    panel = page.locator("#panel")
    panel.locator("#holders li", has_text="Pyotr Tulin").first.wait_for()
    assert "Natasha" not in panel.inner_text()
    window.check_axe()
    window.picture("card-access")
    panel.get_by_label("Who may").select_option("delete")
    panel.locator("#holders li", has_text="Pyotr Tulin").first.wait_for(state="detached")


@pytest.mark.parametrize("path", ["/admin", "/admin/people", "/admin/system", "/admin/pipelines"])
def test_others_are_refused(page_of: Windows, path: str) -> None:
    window = page_of("steward")
    window.allow(rf"GET {path} answered 403")
    assert "You are not allowed" in window.go(path).locator("h1").inner_text()


@pytest.mark.parametrize(
    ("lang", "dark", "width"), [("en", False, 1280), ("en", True, 1280), ("ar", False, 1280), ("en", False, 390)]
)
def test_the_pages_are_readable_everywhere(page_of: Windows, lang: str, dark: bool, width: int) -> None:
    window = page_of("admin", lang=lang, dark=dark, width=width)
    for path in ("/admin/units", "/admin/people", "/admin/roles", "/admin/roles/seller", "/admin/restrictions",
                 "/admin/products", "/admin/calendars", "/admin/mappings", "/admin/webhooks",
                 "/admin/system"):  # fmt: skip
        page = window.go(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        window.check_axe()
    page = window.go("/admin/units")
    window.picture(
        "admin" if (lang, dark, width) == ("en", False, 1280) else f"admin-{lang}-{'dark' if dark else 'light'}-{width}"
    )
