"""People come in by the sign-in page and find their day; a stranger sees nothing else."""

from __future__ import annotations

import pytest

from tests.browser.windows import Windows
from tests.browser.workplace import Workplace


@pytest.mark.parametrize("person", ["director", "natasha", "admin"])
def test_a_person_signs_in_and_is_at_todays_page(page_of: Windows, person: str) -> None:
    window = page_of(person, fresh=True)
    assert window.page.url.endswith("/today")
    window.check_axe()


@pytest.mark.parametrize(
    ("lang", "direction", "dark", "width", "picture"),
    [
        ("en", "ltr", False, 1280, "sign-in"),
        ("ru", "ltr", True, 1280, "sign-in-dark"),
        ("ar", "rtl", False, 1280, "sign-in-right-to-left"),
        ("en", "ltr", True, 390, "sign-in-phone"),
    ],
)
def test_the_door_is_readable_in_every_language_width_and_light(
    page_of: Windows, lang: str, direction: str, dark: bool, width: int, picture: str
) -> None:
    window = page_of(lang=lang, dark=dark, width=width)
    page = window.go("/sign-in")
    root = page.locator("html")
    assert (root.get_attribute("lang"), root.get_attribute("dir")) == (lang, direction)
    assert root.get_attribute("data-bs-theme") == ("dark" if dark else "light")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    window.check_axe()
    window.picture(picture)


def test_a_wrong_password_is_told_without_saying_which_was_wrong(page_of: Windows) -> None:
    window = page_of()
    page = window.go("/sign-in")
    window.allow("POST /sign-in answered 401")
    page.fill("input[name=login]", "natasha")
    page.fill("input[name=password]", "guessed")
    page.press("input[name=password]", "Enter")
    page.get_by_role("alert").wait_for()
    assert page.input_value("input[name=login]") == "natasha"
    assert page.input_value("input[name=password]") == ""
    window.check_axe()


def test_a_stranger_is_sent_to_the_door_and_from_there_to_where_he_wanted(page_of: Windows) -> None:
    page = page_of().go("/today?unit=moscow")
    assert "/sign-in?next=/today%3Funit%3Dmoscow" in page.url
    assert "natasha" not in page.content().lower()


def test_one_sign_in_serves_all_windows_of_a_person(page_of: Windows) -> None:
    first, second = page_of("natasha"), page_of("natasha", dark=True, width=390)
    for window in (first, second):
        window.go("/today")
        assert window.page.url.endswith("/today")


def test_who_signs_out_has_left_in_every_window(page_of: Windows, workplace: Workplace) -> None:
    workplace.hire("zoya", "Zoya Leaving", "tula")
    first, second = page_of("zoya"), page_of("zoya")
    page = first.go("/today")
    page.click(".bl-me summary")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    assert "/sign-in" in second.go("/today").url
