"""The unit chosen at the top narrows lists, board, reports and Today by their addresses, and is remembered."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from gateway.web.unit_choice import narrow

UNIT = "0190a000-0000-7000-8000-000000000000"
SHOWN = re.compile(r'bl-unit-name">(?:<span class="visually-hidden">([^<]+)</span>)?<bdi>([^<]+)')


def shown(page: str) -> tuple[str, str]:
    """What the top says: the sign that the page is narrowed, and the unit."""
    [(sign, words)] = SHOWN.findall(page)
    return sign.strip(), words


@pytest.mark.parametrize("path", ["/today", "/customers", "/organizations", "/deals?view=table", "/reports"])
def test_a_chosen_unit_narrows_the_page_and_the_places_of_the_rail(
    a_visitor: Callable[..., Any], a_branch: Any, path: str
) -> None:
    unit = a_branch(name="Choice Branch")
    head = a_visitor(unit, "head")
    assert shown(head.get(path).text) == ("", "All units")
    assert "Choice Branch" in head.part(f"/units/choice?here={path}").text
    chosen = head.post("/units/choice", {"unit": unit["id"], "here": path}).headers["hx-redirect"]
    assert f"unit={unit['id']}" in chosen
    page = head.get(chosen).text
    assert shown(page) == ("Narrowed to", "Acme › Choice Branch")
    for place in ("/today", "/customers", "/organizations", "/deals", "/reports"):
        assert f'href="{place}?unit={unit["id"]}"' in page
    assert shown(head.get("/settings").text) == ("", "Acme › Choice Branch")
    assert shown(head.get(path).text) == ("", "All units")
    again = head.post("/units/choice", {"unit": "", "here": chosen}).headers["hx-redirect"]
    assert "unit=" not in again
    assert 'href="/deals"' in head.get(again).text


def test_in_the_calendar_a_chosen_unit_shows_its_days_and_all_units_show_ones_own(
    a_visitor: Callable[..., Any], a_branch: Any
) -> None:
    unit = a_branch(name="Choice Calendar")
    head = a_visitor(unit, "head")
    told = {"unit": unit["id"], "here": "/calendar?view=week&date=2026-03-02&colleague=x"}
    chosen = head.post("/units/choice", told).headers["hx-redirect"]
    assert chosen == f"/calendar?view=week&date=2026-03-02&who=unit%3A{unit['id']}"
    assert shown(head.get(chosen).text) == ("Narrowed to", "Acme › Choice Calendar")
    assert shown(head.get("/calendar").text) == ("", "Acme › Choice Calendar")
    again = head.post("/units/choice", {"unit": "", "here": chosen}).headers["hx-redirect"]
    assert again == "/calendar?view=week&date=2026-03-02"


def test_the_board_and_the_list_of_a_chosen_unit_leave_out_other_units(
    admin: Any, a_visitor: Callable[..., Any], a_branch: Any, an_administrator: Any, platform: Any
) -> None:
    here, there = a_branch(), a_branch()
    platform.spread_units()
    pipeline = admin.get("/pipelines")["pipelines"][0]["id"]
    for unit, title in ((here, "Deal of here"), (there, "Deal of there")):
        admin.post("/deals", {"title": title, "pipeline_id": pipeline, "unit_id": unit["id"]})
    for view in ("board", "table"):
        page = an_administrator.get(f"/deals?view={view}&pipeline={pipeline}&unit={here['id']}").text
        assert ("Deal of here" in page, "Deal of there" in page) == (True, False)


def test_a_unit_that_may_not_be_seen_is_no_choice(a_visitor: Callable[..., Any], a_branch: Any) -> None:
    mine, other = a_branch(), a_branch(name="Hidden Branch")
    seller = a_visitor(mine)
    refused = seller.post("/units/choice", {"unit": other["id"], "here": "/deals"}, "form#unit-choice")
    assert refused.status_code == 400
    assert "Hidden Branch" not in seller.part("/units/choice?here=/deals").text
    assert shown(seller.get(f"/deals?unit={other['id']}").text) == ("", "All units")


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("/deals?view=table&page=2&unit=old", f"/deals?view=table&unit={UNIT}"),
        ("/reports/funnel", f"/reports/funnel?unit={UNIT}"),
        ("/customers/7?tab=deals", "/customers/7?tab=deals"),
        ("//evil.example/deals", "/today"),
        ("/\\evil.example", "/today"),
        ("https://evil.example/deals", "/today"),
        ("", "/today"),
    ],
)
def test_only_addresses_of_the_workplace_are_gone_to(here: str, there: str) -> None:
    assert narrow(here, UNIT) == there
