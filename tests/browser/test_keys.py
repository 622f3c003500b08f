"""Everything new, going places and walking through lists without a mouse; silent while somebody types."""

from __future__ import annotations

import pytest

from tests.browser.days import fill_day
from tests.browser.windows import Windows
from tests.browser.workplace import Workplace


@pytest.mark.parametrize(
    ("keys", "path"), [("gc", "/customers"), ("gd", "/deals"), ("go", "/organizations"), ("gh", "/today")]
)
def test_g_and_a_letter_go_places(page_of: Windows, keys: str, path: str) -> None:
    page = page_of("natasha").go("/settings")
    for key in keys:
        page.keyboard.press(key)
    page.wait_for_url(f"**{path}")


@pytest.mark.parametrize("key", ["c", "t", "p", "o", "d"])
def test_a_letter_opens_the_form_of_something_new_beside_the_page(page_of: Windows, key: str) -> None:
    window = page_of("natasha")
    page = window.go("/settings")
    page.keyboard.press(key)
    page.locator("#panel form").first.wait_for()
    window.check_axe("#panel")
    page.keyboard.press("Escape")
    assert page.locator("#panel").is_hidden()


def test_the_question_mark_shows_the_keys(page_of: Windows) -> None:
    window = page_of("natasha")
    page = window.go("/settings")
    page.keyboard.press("?")
    page.locator("#panel").get_by_role("heading", name="Keys").wait_for()
    window.check_axe("#panel")
    window.picture("keyboard")


def test_keys_are_in_the_same_place_on_a_russian_keyboard(page_of: Windows) -> None:
    page = page_of("natasha").go("/settings")
    page.evaluate(
        """() => { for (const [key, code] of [["п", "KeyG"], ["с", "KeyC"]])
        document.body.dispatchEvent(new KeyboardEvent("keydown", {key, code, bubbles: true})); }"""
    )
    page.wait_for_url("**/customers")


def test_j_and_k_walk_through_a_list_and_enter_opens(page_of: Windows, workplace: Workplace) -> None:
    fill_day(workplace, "Keyline", "+7 495 456-78-90")
    page = page_of("natasha").go("/search?q=keyline")
    for key, expected in (("j", "Viktor Keylineov"), ("j", "Keyline"), ("k", "Viktor Keylineov")):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.innerText") == expected
    page.keyboard.press("Enter")
    page.wait_for_url("**/customers/*")


def test_keys_are_silent_while_one_types_and_with_a_modifier(page_of: Windows) -> None:
    page = page_of("natasha").go("/settings")
    page.keyboard.press("/")
    page.keyboard.type("cgd?")
    assert page.locator("#search").input_value() == "cgd?"
    page.keyboard.press("Escape")
    page.locator("main").focus()
    page.keyboard.press("Alt+c")
    assert page.locator("#panel").is_hidden()
    assert page.url.endswith("/settings")


def test_keys_can_be_switched_off(page_of: Windows, workplace: Workplace) -> None:
    workplace.hire("quiet", "Quentin Quiet", "moscow")
    page = page_of("quiet").go("/settings")
    page.get_by_label("Keys such as / and c").select_option("off")
    page.get_by_role("button", name="Save").click()
    page.locator('html[data-keys="off"]').wait_for()
    page.keyboard.press("g")
    page.keyboard.press("c")
    page.keyboard.press("c")
    assert page.locator("#panel").is_hidden()
    assert page.url.endswith("/settings")
