"""The head looks at who did what, and freezes the branch and lets it go on."""

from __future__ import annotations

import pytest

from tests.browser.windows import Windows
from tests.browser.workplace import Workplace

pytestmark = pytest.mark.timeout(300)


def test_a_head_sees_who_did_what_and_freezes_the_branch(page_of: Windows, workplace: Workplace) -> None:
    workplace.hire("tanya", "Tanya Trailer", "tula", "head")
    window = page_of("tanya")
    page = window.go("/audit")
    page.locator("#audit").get_by_text("signed in").first.wait_for()
    assert "Tanya Trailer" in page.locator("#audit").inner_text()
    window.check_axe()
    window.picture("audit")

    page.locator("#action").select_option("sign-in")
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_url("**action=sign-in**")

    page.get_by_role("link", name="Freezing").click()
    page.locator("#f-reason").fill("Keys were lost")
    page.get_by_role("button", name="Freeze", exact=True).click()
    row = page.locator("#frozen tr", has_text="Keys were lost")
    row.wait_for()
    window.check_axe()
    window.picture("freezing")
    row.get_by_role("button", name="Let go on").click()
    page.get_by_text("Nothing is frozen").wait_for()
