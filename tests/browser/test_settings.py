"""Everybody likes the workplace their own way, and it stays so on every device."""

from __future__ import annotations

from tests.browser.windows import Windows
from tests.browser.workplace import PASSWORD, Workplace


def test_language_and_light_are_as_chosen_at_once_and_elsewhere(page_of: Windows, workplace: Workplace) -> None:
    workplace.hire("chooser", "Clara Chooser", "moscow")
    window = page_of("chooser")
    page = window.go("/settings")
    window.check_axe()
    window.picture("settings")
    page.locator("#f-language").select_option("ru")
    page.locator("#f-theme").select_option("dark")
    page.locator("#f-zone").select_option("Asia/Tokyo")
    page.locator("#settings button[type=submit]").click()
    page.locator('html[lang="ru"][data-bs-theme="dark"]').wait_for()
    assert page.locator("h1").inner_text() == "Настройки"
    elsewhere = page_of("chooser", lang="en").go("/today")
    assert elsewhere.locator("html").get_attribute("lang") == "ru"


def test_help_opens_beside_the_page_and_as_a_page(page_of: Windows) -> None:
    window = page_of("natasha")
    page = window.go("/today")
    page.get_by_role("link", name="Help for this page").click()
    page.locator("#panel").get_by_role("heading", name="Today", exact=True).wait_for()
    window.check_axe("#panel")
    page = window.go("/help/search")
    assert page.locator("h1").inner_text() == "Search"
    window.allow("GET /help/nothing-of-the-kind answered 404")
    assert "no page of help" in window.go("/help/nothing-of-the-kind").locator("main").inner_text()


def test_another_password_is_taken_on_the_page_and_other_browsers_are_out(
    page_of: Windows, workplace: Workplace
) -> None:
    workplace.hire("careful", "Carla Careful", "moscow")
    page_of("careful", fresh=True).go("/today")
    window = page_of("careful", fresh=True)
    page = window.go("/settings")
    assert page.locator("#sessions tbody tr").count() == 2
    page.locator("#f-old_password").fill("wrong")
    page.locator("#f-new_password").fill("another horse battery")
    window.allow("POST /settings/password answered 400")
    page.locator("#own-password button[type=submit]").click()
    page.get_by_text("is not your password").wait_for()
    page.locator("#f-old_password").fill(PASSWORD)
    page.locator("#own-password button[type=submit]").click()
    page.get_by_text("The password is changed").wait_for()
    assert page.locator("#sessions tbody tr").count() == 1
    window.check_axe()
