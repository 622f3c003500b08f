"""The forecast of deals: a row a month, sums and weighted sums, each with the list of its deals."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest

from services.gateway.tests.web.records import a_new_branch

LINK = re.compile(r'<a href="(/deals\?[^"]*expected=[^"]*)">')
ROW = re.compile(r'<tr data-row><th scope="row"[^>]*>([^<]+)</th>(.*?)</tr>', re.DOTALL)
WEIGHTED = re.compile(r'data-weighted="EUR">([^<]+)<')


@pytest.fixture
def branch(platform: Any) -> dict[str, Any]:
    """A branch with three open deals: one long ago expected, one far away, one of which nobody has said when."""
    unit: dict[str, Any] = a_new_branch(platform, "Forecast")
    today = datetime.now(UTC).date()
    days = {"Past": today - timedelta(days=70), "Far": today + timedelta(days=900), "Open": None}
    for title, day in days.items():
        body: dict[str, Any] = {
            "title": title, "unit_id": unit["id"], "amount": {"amount": "100", "currency_code": "EUR"},
        }  # fmt: skip
        platform.admin().post("/deals", body | ({"expected_close_date": f"{day}"} if day else {}))
    return unit


def test_every_sum_leads_to_its_deals(branch: dict[str, Any], a_visitor: Callable[..., Any]) -> None:
    head = a_visitor(branch, "head")
    page = head.get(f"/deals?view=forecast&unit={branch['id']}").text
    rows = {words.strip(): unescape(rest) for words, rest in ROW.findall(page)}
    assert list(rows) == ["Overdue", "Later", "Nobody has said when"]
    assert WEIGHTED.findall(page) == ["€60"]  # three of a hundred in a stage of a fifth
    for words, title in zip(rows, ("Past", "Far", "Open"), strict=True):
        for path in LINK.findall(rows[words]):
            shown = head.get(path).text
            found = [one for one in ("Past", "Far", "Open") if f"<bdi>{one}</bdi></a>" in shown]
            assert found == [title], path


def test_own_deals_alone_are_summed_where_that_is_asked_for(
    branch: dict[str, Any], a_visitor: Callable[..., Any]
) -> None:
    head = a_visitor(branch, "head")
    assert "No open deals here" in head.get("/deals?view=forecast&owner=me").text


def test_an_administrator_says_how_many_deals_of_a_stage_are_won(platform: Any, a_visitor: Callable[..., Any]) -> None:
    unit = a_new_branch(platform, "Chances")
    stages = [{"name": name, "kind": kind} for name, kind in (("Asked", "open"), ("Won", "won"), ("Lost", "lost"))]
    made = platform.admin().post("/pipelines", {"name": f"Chances {unit['code']}", "stages": stages})
    fields = {"stage_id": made["stages"][0]["id"], "probability": "35"}
    boss = a_visitor(platform.admin().get("/units/hq"), "administrator")
    assert boss.post("/admin/probabilities", fields).status_code == 200
    known = {one["id"]: one for one in platform.admin().get("/pipelines")["pipelines"]}[made["id"]]
    assert [one.get("probability") for one in known["stages"]] == [35, 100, 0]
    for wrong in ("", "101", "-1", "half"):
        answer = boss.post("/admin/probabilities", {**fields, "probability": wrong}, "form#probability-x")
        assert answer.status_code == 400, wrong


@pytest.mark.parametrize("month", ["2031-13", "soon", "2031", "0000-01"])
def test_a_month_that_is_none_narrows_nothing(
    branch: dict[str, Any], a_visitor: Callable[..., Any], month: str
) -> None:
    shown = a_visitor(branch, "head").get(f"/deals?view=table&unit={branch['id']}&expected={month}")
    assert (shown.status_code, "<bdi>Past</bdi>" in shown.text) == (200, True)
