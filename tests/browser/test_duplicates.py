"""A steward lets the base be searched for duplicates, looks at a pair side by side, and says that it is two."""

from __future__ import annotations

from uuid import uuid4

import pytest

from chassis.testing.eventually import eventually
from tests.browser.days import post, rest_of
from tests.browser.windows import Windows
from tests.browser.workplace import Workplace

pytestmark = pytest.mark.timeout(300)


def test_a_pair_is_found_compared_and_said_to_be_two(page_of: Windows, workplace: Workplace) -> None:
    mark = "".join(chr(97 + int(digit, 16)) for digit in uuid4().hex[:8])
    branch = workplace.units["tula"]
    workplace.hire(f"stefan-{mark}", f"Stefan {mark}", "tula", "steward")
    with rest_of(workplace, f"stefan-{mark}") as rest:
        for family, phone in ((f"Quill{mark}", "+74872234567"), (f"Quiill{mark}", "+74872234576")):
            post(rest, "/persons", {
                "display_name": f"Vsevolod {family}", "given_name": "Vsevolod", "family_name": family,
                "birth_date": "1976-03-14", "unit_id": branch, "channels": [{"kind": "phone", "value": phone}],
            })  # fmt: skip
        window = page_of(f"stefan-{mark}")
        page = window.go("/duplicates")
        with page.expect_navigation():
            page.get_by_role("button", name="Search all: Persons").click()
        eventually(lambda: f"Quiill{mark}" in str(rest.get("/possible_duplicates", page_size=100)), within=60)
    page = window.go("/duplicates")
    pair = page.locator("table.bl-table", has_text=f"Quiill{mark}")
    assert "nearly the same" in pair.inner_text()
    window.check_axe()
    window.picture("duplicates")
    answer = page.locator(f"[id='{pair.get_attribute('id')}']").locator("xpath=following::form[1]")
    answer.get_by_label("Why they are two customers").fill("Father and son")
    answer.get_by_role("button", name="Not the same customer").click()
    pair.wait_for(state="detached")
    page.get_by_role("link", name="Said to be two").click()
    page.get_by_text("Father and son").wait_for()
