"""The workplace in Russian and Arabic: no English word left over, mirrored where the language runs so."""

from __future__ import annotations

import pytest

from tests.browser.windows import Windows

PAGES = ("/today", "/customers", "/organizations", "/deals", "/calendar", "/reports", "/settings")
RAIL = {"ru": ("Сегодня", "Клиенты", "Сделки"), "ar": ("اليوم", "العملاء", "الصفقات")}


@pytest.mark.parametrize("lang", ["ru", "ar"])
def test_every_place_speaks_the_language_and_is_readable(page_of: Windows, lang: str) -> None:
    window = page_of("natasha", lang=lang)
    for path in PAGES:
        page = window.go(path)
        rail = page.locator("#rail").inner_text()
        assert all(word in rail for word in RAIL[lang]), rail
        assert page.locator("html").get_attribute("dir") == ("rtl" if lang == "ar" else "ltr")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        if path != "/calendar":  # a widget of others is most of it; the calendar's own tests look at it
            window.check_axe()
    window.go("/today")
    window.picture(f"today-{lang}")


def test_right_to_left_is_mirrored(page_of: Windows) -> None:
    places = {}
    for lang in ("en", "ar"):
        page = page_of("natasha", lang=lang).go("/today")
        box = page.locator("#rail").bounding_box()
        assert box
        places[lang] = box["x"]
    assert places["en"] == 0
    assert places["ar"] > 600
