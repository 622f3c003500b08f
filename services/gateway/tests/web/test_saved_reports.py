"""Saved reports: a question under a name, found among the cards, shared with a unit, changed and removed."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

QUERY = re.compile(r'name="query" value="([^"]*)"')
CARD = re.compile(r'<a class="card-body" href="(/reports/[^"]*saved=[^"]*)"[^>]*>.*?<bdi>([^<]*)</bdi>', re.S)
ASKED = "/reports/won?period=last-year&group_by=person&compare=year"


@pytest.fixture
def unit(a_branch: Any) -> Any:
    return a_branch()


def save(visitor: Any, path: str, name: str, **more: str) -> str:
    """Save what an address shows; the address of the saved report."""
    query = QUERY.findall(visitor.get(path).text)[0].replace("&amp;", "&")
    fields = {"change": "save", "view_name": name, "query": query, **more}
    answer = visitor.post("/lists/reports/views", fields, "form#views")
    assert answer.status_code == 204, answer.text
    return str(answer.headers["hx-redirect"])


def cards(visitor: Any, sought: str = "") -> list[str]:
    """The names of the saved reports among the cards."""
    return [name for _path, name in CARD.findall(visitor.get("/reports", params={"q": sought}).text)]


def test_a_saved_report_asks_the_same_again_and_is_found_by_its_name(a_visitor: Any, unit: Any) -> None:
    visitor = a_visitor(unit)
    path = save(visitor, ASKED, "Last year's <b>sales</b>")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
    assert urlsplit(path).path == "/reports/won"
    assert asked.pop("saved")
    assert asked == {"period": "last-year", "group_by": "person", "compare": "year"}
    page = visitor.get(path).text
    assert "Last year&#39;s &lt;b&gt;sales&lt;/b&gt;" in page
    assert "Save the changed view" not in page
    assert "Save the changed view" in visitor.get(path.replace("last-year", "this-year")).text
    assert len(cards(visitor)) == len(cards(visitor, "sales")) == 1
    assert cards(visitor, "no such word") == []


def test_a_report_is_shared_with_a_unit_by_who_answers_for_it_and_shows_each_their_own_figures(
    a_visitor: Any, a_branch: Any, unit: Any
) -> None:
    head, seller, stranger = a_visitor(unit, "head"), a_visitor(unit), a_visitor(a_branch())
    path = save(head, ASKED, "For us", sharing=unit["id"])
    assert [cards(one) for one in (head, seller, stranger)] == [["For us"], ["For us"], []]
    assert stranger.get(path).status_code == 200
    gone = {"change": "delete", "saved": parse_qs(urlsplit(path).query)["saved"][0]}
    assert seller.post("/lists/reports/views", gone, "form#views").status_code == 403
    assert head.post("/lists/reports/views", gone, "form#views").headers["hx-redirect"] == "/reports"
    assert cards(seller) == []


@pytest.mark.parametrize("query", ["", "report=secrets", "report=..%2F..%2Fadmin&period=all"])
def test_what_is_no_report_is_not_saved_as_one(a_visitor: Any, unit: Any, query: str) -> None:
    visitor = a_visitor(unit)
    fields = {"change": "save", "view_name": "Forged", "query": query}
    assert visitor.post("/lists/reports/views", fields, "form#views").status_code == 400
    assert cards(visitor) == []
