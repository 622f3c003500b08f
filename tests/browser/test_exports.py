"""A list is taken along as a file: asked for on its page, made meanwhile, downloaded from the page of exports."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from tests.browser.days import post, rest_of
from tests.browser.windows import Windows
from tests.browser.workplace import Workplace

pytestmark = pytest.mark.timeout(300)


def test_a_list_of_customers_is_exported_and_downloaded(page_of: Windows, workplace: Workplace) -> None:
    mark = uuid4().hex[:6]
    workplace.hire(f"elsa-{mark}", f"Elsa {mark}", "tula", "steward")
    with rest_of(workplace, f"elsa-{mark}") as rest:
        post(rest, "/persons", {"display_name": f"Olga {mark}", "unit_id": workplace.units["tula"]})
    window = page_of(f"elsa-{mark}")
    page = window.go("/customers")
    page.locator("summary", has_text="Export").click()
    page.get_by_label("File", exact=True).select_option("csv")
    page.get_by_label("What for").fill("A mailing")
    page.locator("#export").get_by_role("button", name="Export").click()
    page.wait_for_url("**/exports*")
    download = page.get_by_role("link", name="Download")
    download.wait_for(timeout=60_000)
    window.check_axe()
    window.picture("exports")
    with page.expect_download() as taken:
        download.click()
    text = Path(taken.value.path()).read_text(encoding="utf-8-sig")
    assert f"Olga {mark}" in text
    assert f"by Elsa {mark}" in text
