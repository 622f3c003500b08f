"""Two cards of one customer are compared by keyboard, made one with the values chosen, and made two again."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.browser.days import post, rest_of, say
from tests.browser.windows import Windows
from tests.browser.workplace import Workplace

pytestmark = pytest.mark.timeout(300)


def two_cards(workplace: Workplace, login: str) -> tuple[str, str, str]:
    """Two cards of one person entered by a seller of Tula, with what belongs to the second; the name and their ids."""
    mark = "".join(chr(97 + int(digit, 16)) for digit in uuid4().hex[:8])
    branch = workplace.units["tula"]
    with rest_of(workplace, login) as rest:
        shared: dict[str, Any] = {"given_name": "Larisa", "family_name": f"Vint{mark}", "unit_id": branch}
        first = post(rest, "/persons", shared | {"birth_date": "1979-11-05"})["person"]["id"]
        second = post(rest, "/persons", {
            **shared, "birth_date": "1979-05-11", "channels": [{"kind": "email", "value": f"{mark}@vint.example"}],
            "address": {"street": "Lenina 8", "city": "Tula", "country": "RU"},
        })["person"]["id"]  # fmt: skip
        say(rest, second, "call", f"Asked for the price of {mark} doors", branch)
        post(rest, "/deals", {"title": f"Doors {mark}", "person_id": second, "unit_id": branch})
    workplace.office.settle()
    return mark, first, second


def test_cards_are_compared_made_one_and_made_two_again(page_of: Windows, workplace: Workplace) -> None:
    login = f"larisa-{uuid4().hex[:8]}"
    workplace.hire(login, "Larisa Merger", "tula")
    mark, first, second = two_cards(workplace, login)
    window = page_of(login)
    page = window.go(f"/customers?view=all&q=Vint{mark}")
    boxes = page.get_by_role("checkbox", name=f"Choose Larisa Vint{mark}")
    boxes.first.press("Space")
    boxes.last.press("Space")
    page.get_by_role("button", name="Merge", exact=True).press("Enter")
    page.wait_for_url("**/merge?**")
    page.get_by_text("1 interaction comes along.").wait_for()
    page.get_by_text("1 deal comes along.").wait_for()
    window.check_axe()
    page.get_by_role("radio", name="Birthday: May 11, 1979").press("Space")
    page.locator("#merge-result", has_text="May 11, 1979").wait_for()
    page.locator("#choice-birth_date-1:focus, #choice-birth_date-2:focus").wait_for()
    window.picture("merge")
    page.get_by_label("Why").fill("Entered twice")
    page.get_by_role("button", name="Make 2 cards one").press("Enter")
    page.wait_for_url(f"**/customers/{first}?merged=*")
    page.get_by_text(f"Asked for the price of {mark} doors").wait_for()
    page.locator("#card-deals", has_text=f"Doors {mark}").wait_for()
    window.check_axe()
    page.get_by_label("More about this card").press("Enter")
    page.get_by_role("link", name="What was merged here").press("Enter")
    page.locator("#merges", has_text="Entered twice").get_by_role("button", name="Undo").press("Enter")
    page.get_by_role("heading", name="The cards are back").wait_for()
    page.get_by_text("Each has what was its own.").wait_for()
    page.locator("#cards-back a").last.press("Enter")
    page.wait_for_url(f"**/customers/{second}")
    page.get_by_text(f"Asked for the price of {mark} doors").wait_for()


@pytest.mark.parametrize(("lang", "words"), [("ru", "Что произойдёт"), ("ar", "ما الذي سيحدث")])
def test_the_page_is_read_on_a_telephone_in_other_languages(
    page_of: Windows, workplace: Workplace, lang: str, words: str
) -> None:
    mark, first, second = two_cards(workplace, "pyotr")
    window = page_of("pyotr", lang=lang, width=390)
    page = window.go(f"/merge?kind=person&id={first}")
    page.get_by_role("combobox").last.fill(f"Vint{mark}")
    page.locator(f"[data-id='{second}']").click()
    page.locator("#merge-other button").click()
    page.wait_for_url("**/merge?**" + second + "**")
    page.get_by_role("heading", name=words).wait_for()
    window.check_axe()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("[name=stays]").last.check()
    page.locator(f"[name=stayed][value='{second}']").wait_for(state="attached")
    window.check_axe()
    if lang == "ru":
        window.picture("merge-phone")
