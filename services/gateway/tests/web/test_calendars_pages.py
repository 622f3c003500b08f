"""Calendars of units on their page: a week and holidays hold below, until a unit below says otherwise."""

from __future__ import annotations

import re
from typing import Any

import pytest

from chassis.errors import FieldInvalid
from gateway.web.working_hours import read_hours, write_hours

WEEK = {f"day_{day}": "9:00-17:00" for day in range(1, 6)}


def hours_on(page: str) -> list[str]:
    """What stands in the fields of the days."""
    return re.findall(r'name="day_\d" type="text" value="([^"]*)"', page)


@pytest.fixture
def branch_and_shop(platform: Any, admin: Any, a_branch: Any) -> tuple[str, str]:
    """A branch and a department below it."""
    branch = a_branch()
    shop = admin.post(
        "/units", {"kind": "department", "code": f"{branch['code']}s", "name": "Shop", "parent_id": branch["id"]}
    )
    platform.spread_units()
    return branch["id"], shop["id"]


def test_a_week_holds_below_until_the_unit_there_has_its_own(
    an_administrator: Any, branch_and_shop: tuple[str, str]
) -> None:
    branch, shop = branch_and_shop
    assert "this is the usual one" in an_administrator.get(f"/admin/calendars?unit={shop}").text
    form = {"unit_id": branch, "etag": "", **WEEK, "day_6": "10-14"}
    assert an_administrator.post("/admin/calendars/week", form).status_code == 204
    below = an_administrator.get(f"/admin/calendars?unit={shop}").text
    assert f'href="/admin/calendars?unit={branch}"' in below
    assert hours_on(below) == ["9:00–17:00"] * 5 + ["10:00–14:00", ""]
    assert an_administrator.post("/admin/calendars/week", {**form, "unit_id": shop, "day_6": ""}).status_code == 204
    own = an_administrator.get(f"/admin/calendars?unit={shop}").text
    assert hours_on(own)[5:] == ["", ""]
    assert f'href="/admin/calendars?unit={shop}"' in an_administrator.get(f"/admin/calendars?unit={branch}").text
    assert an_administrator.post("/admin/calendars/week/remove", {"unit_id": shop}).status_code == 204
    assert hours_on(an_administrator.get(f"/admin/calendars?unit={shop}").text)[5] == "10:00–14:00"


def test_hours_that_cannot_be_are_refused_at_their_day(an_administrator: Any, branch_and_shop: tuple[str, str]) -> None:
    form = {"unit_id": branch_and_shop[0], "etag": "", **WEEK}
    for wrong in ("nine to five", "17-9", "9:00-25:00", "9:75-10:00"):
        refused = an_administrator.post("/admin/calendars/week", {**form, "day_3": wrong}, "form#week")
        assert refused.status_code == 400
        assert "day_3" in refused.text
    overlap = an_administrator.post("/admin/calendars/week", {**form, "day_3": "9-12, 11-13"}, "form#week")
    assert overlap.status_code == 400


def test_a_holiday_holds_below_and_a_unit_may_work_all_the_same(
    an_administrator: Any, branch_and_shop: tuple[str, str]
) -> None:
    branch, shop = branch_and_shop
    day = {"date": "2031-05-09", "name": "Founders & friends"}
    assert an_administrator.post("/admin/calendars/holidays", {"unit_id": branch, **day}).status_code == 204
    page = f"/admin/calendars?unit={shop}&year=2031"
    assert "Founders &amp; friends" in an_administrator.get(page).text
    assert 'id="holiday-2031-05-09"' not in an_administrator.get(page).text  # not this unit's to take back
    open_shop = {"unit_id": shop, **day, "name": "Open", "works": "1"}
    assert an_administrator.post("/admin/calendars/holidays", open_shop).status_code == 204
    shown = an_administrator.get(page).text
    assert 'id="holiday-2031-05-09"' in shown
    assert "Founders" not in shown
    gone = {"unit_id": shop, "date": day["date"]}
    assert an_administrator.post("/admin/calendars/holidays/remove", gone).status_code == 204
    assert "Founders" in an_administrator.get(page).text
    assert "None recorded" in an_administrator.get(f"/admin/calendars?unit={shop}&year=2032").text


def test_calendars_are_for_administrators(a_branch: Any, a_visitor: Any) -> None:
    assert a_visitor(a_branch()).get("/admin/calendars").status_code == 403


def test_what_is_written_is_read_again_as_it_was() -> None:
    written = {1: "9:00–13:00, 14:00–18:00", 2: "0:00–24:00", 3: "", 4: "8:30–9:05", 5: "", 6: "", 7: ""}
    assert write_hours(read_hours(written)) == written
    assert read_hours({1: "9-13; 14.30 - 18"}) == read_hours({1: "9:00—13:00, 14:30-18:00"})
    with pytest.raises(FieldInvalid):
        read_hours({1: "9:00"})
