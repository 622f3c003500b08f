"""A branch is split in the browser: what follows is seen first, and the records of who goes follow over the bus."""

from __future__ import annotations

from uuid import uuid4

import pytest

from chassis.testing.eventually import eventually
from tests.browser.days import post, rest_of
from tests.browser.windows import Windows
from tests.browser.workplace import PASSWORD, Workplace

pytestmark = pytest.mark.timeout(300)


def test_a_branch_is_split_and_the_records_of_who_goes_follow(page_of: Windows, workplace: Workplace) -> None:
    mark = uuid4().hex[:6]
    office = workplace.office
    unit = office.unit(f"split_{mark}", f"Ryazan {mark}")
    goes = office.user(f"Galina {mark}", unit, "seller", f"galina-{mark}", PASSWORD)
    office.user(f"Oleg {mark}", unit, "seller", f"oleg-{mark}", PASSWORD)
    office.settle()
    with rest_of(workplace, f"galina-{mark}") as rest:
        person = post(rest, "/persons", {"display_name": f"Irina {mark}", "unit_id": unit, "owner_id": goes})
        deal = post(rest, "/deals", {"title": f"Doors {mark}", "unit_id": unit, "owner_id": goes})

    window = page_of("admin")
    page = window.go(f"/admin/units/{unit}/reorganize?kind=split")
    page.get_by_label("Name of the new unit").fill(f"Ryazan West {mark}")
    page.get_by_label("Code").fill(f"west_{mark}")
    page.get_by_label(f"Galina {mark}").check()
    page.get_by_role("button", name="See what would follow").click()
    follows = page.locator("#follows")
    follows.wait_for()
    assert f"west_{mark}" in follows.inner_text()
    assert f"Oleg {mark}" in follows.inner_text()
    window.check_axe()
    window.picture("reorganize")
    page.get_by_role("button", name="Do it now").click()
    row = page.locator("#reorganizations tr", has_text=f"Ryazan {mark}")
    row.wait_for()
    assert "done" in row.inner_text()
    window.check_axe()

    rest = office.rest
    [made] = [one for one in rest.pages("/units", "units") if one["code"] == f"west_{mark}"]
    eventually(lambda: rest.get(f"/deals/{deal['id']}")["unit_id"] == made["id"], within=20)
    eventually(lambda: rest.get(f"/persons/{person['person']['id']}")["unit_ids"] == [made["id"]], within=20)

    page = window.go("/admin/seats")
    title = page.get_by_label("What the seat is called")
    if not title.is_visible():  # it is open where there are none yet
        page.get_by_text("New seat").click()
    title.fill(f"Key accounts {mark}")
    page.locator("#new-seat select[name=unit_id]").select_option(made["id"])
    page.get_by_role("button", name="Add the seat").click()
    page.locator("#seats tr", has_text=f"Key accounts {mark}").wait_for()
    window.check_axe()
    window.picture("seats")

    page = window.go("/settings/keys")
    page.get_by_label("What it is for").fill(f"Telephone {mark}")
    page.get_by_role("button", name="Make the key").click()
    page.locator("#key-secret").wait_for()
    window.check_axe()
    page.get_by_role("link", name="Keys for programs").last.click()
    page.locator("#keys tr", has_text=f"Telephone {mark}").wait_for()
    window.check_axe()
    window.picture("api-keys")
