"""Saved views are tabs of a list: filter, columns and grouping, shared by those who may, sent as addresses."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from services.gateway.tests.web.test_columns import headings

TABS = re.compile(r'<a href="(/[a-z]+\?[^"]*saved=[^"]*)"( aria-current="page")?><bdi>([^<]+)')
QUERY = re.compile(r'name="query" value="([^"]*)"')


def tabs_of(page: str) -> list[str]:
    """The names of the saved views."""
    return [name for _path, _here, name in TABS.findall(page)]


def save(visitor: Any, path: str, name: str, **more: str) -> str:
    """Save what an address shows; the address of the tab."""
    list_name = urlsplit(path).path.strip("/")
    query = QUERY.findall(visitor.get(path).text)[0].replace("&amp;", "&")
    fields = {"change": "save", "view_name": name, "query": query, **more}
    answer = visitor.post(f"/lists/{list_name}/views", fields, "form#views")
    assert answer.status_code == 204, answer.text
    return str(answer.headers["hx-redirect"])


@pytest.mark.parametrize(
    ("path", "chip"),
    [
        ("/customers?view=all&q=Granin&cols=name,owner", "Granin"),
        ("/organizations?view=all&q=Granin&cols=name,owner", "Granin"),
        ("/deals?view=table&closed=all&cols=title,owner", "Closed at any time"),
    ],
)
def test_a_saved_view_is_a_tab_of_its_owner_and_plain_chips_to_others(
    a_visitor: Callable[..., Any], a_branch: Any, path: str, chip: str
) -> None:
    unit = a_branch()
    visitor, colleague = a_visitor(unit), a_visitor(unit)
    tab = save(visitor, path, "Granin's")
    page = visitor.get(tab).text
    assert [(name, bool(here)) for _path, here, name in TABS.findall(page)] == [("Granin&#39;s", True)]
    theirs = colleague.get(tab).text
    assert (tabs_of(theirs), chip in page, chip in theirs) == ([], True, True)
    assert headings(theirs) == headings(page)


def test_only_who_answers_for_a_unit_shares_with_it_and_who_is_below_sees_it(
    a_visitor: Callable[..., Any], a_branch: Any, an_administrator: Any
) -> None:
    unit, other = a_branch(), a_branch()
    head, seller, stranger = a_visitor(unit, "head"), a_visitor(unit), a_visitor(other)
    tab = save(head, "/deals?view=table&status=open", "Open ones", sharing=unit["id"])
    assert [tabs_of(one.get("/deals").text) for one in (head, seller, stranger)] == [["Open ones"], ["Open ones"], []]
    fields = {"change": "save", "view_name": "For all", "query": "", "sharing": unit["id"]}
    assert seller.post("/lists/deals/views", fields, "form#views").status_code == 403
    assert head.post("/lists/deals/views", {**fields, "sharing": "everybody"}, "form#views").status_code == 403
    saved = parse_qs(urlsplit(tab).query)["saved"][0]
    refused = seller.post("/lists/deals/views", {"change": "delete", "saved": saved}, "form#views")
    assert refused.status_code == 403
    assert stranger.post("/lists/deals/views", {"change": "delete", "saved": saved}, "form#views").status_code == 404
    shared = save(an_administrator, "/customers?view=all", f"Whole base {unit['code']}", sharing="everybody")
    assert f"Whole base {unit['code']}" in tabs_of(stranger.get("/customers").text)
    gone = {"change": "delete", "saved": parse_qs(urlsplit(shared).query)["saved"][0]}
    assert an_administrator.post("/lists/customers/views", gone).status_code == 204
    assert f"Whole base {unit['code']}" not in tabs_of(stranger.get("/customers").text)


def test_a_unit_that_moves_takes_its_views_along_and_leaves_those_of_the_unit_it_was_below(
    platform: Any, admin: Any, a_visitor: Callable[..., Any], a_branch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.web.homes.KEPT_SECONDS", 0.0)
    region, other = a_branch(kind="region"), a_branch(kind="region")
    unit = a_branch(parent_id=region["id"])
    head, seller, above = a_visitor(unit, "head"), a_visitor(unit), a_visitor(region, "head")
    save(head, "/deals?view=table&status=open", "Ours", sharing=unit["id"])
    save(above, "/deals?view=table&status=open", "Of the region", sharing=region["id"])
    assert tabs_of(seller.get("/deals").text) == ["Of the region", "Ours"]
    admin.post("/reorganizations", {"kind": "move", "unit_id": unit["id"], "into_unit_id": other["id"]})
    platform.spread_units()
    assert tabs_of(a_visitor(unit).get("/deals").text) == ["Ours"]  # the seller's own rights follow within a minute
    assert tabs_of(above.get("/deals").text) == ["Of the region"]


def test_a_view_is_changed_renamed_put_in_order_and_removed(a_visitor: Callable[..., Any], a_branch: Any) -> None:
    visitor = a_visitor(a_branch())
    first, second = (save(visitor, f"/customers?view=all&q={name}", name) for name in ("Alpha", "Beta"))
    ids = [parse_qs(urlsplit(one).query)["saved"][0] for one in (first, second)]
    assert tabs_of(visitor.get("/customers").text) == ["Alpha", "Beta"]
    visitor.post("/lists/customers/views", {"change": "earlier", "saved": ids[1]})
    assert tabs_of(visitor.get("/customers").text) == ["Beta", "Alpha"]
    altered = visitor.get(first + "&group=owner").text
    assert "Save the changed view" in altered
    query = QUERY.findall(altered)[0].replace("&amp;", "&")
    fields = {"change": "update", "saved": ids[0], "view_name": "Gamma", "query": query}
    tab = visitor.post("/lists/customers/views", fields).headers["hx-redirect"]
    assert "group=owner" in tab
    assert "Save the changed view" not in visitor.get(tab).text
    assert tabs_of(visitor.get("/customers").text) == ["Beta", "Gamma"]
    visitor.post("/lists/customers/views", {"change": "delete", "saved": ids[1]})
    assert tabs_of(visitor.get("/customers").text) == ["Gamma"]
    nameless = visitor.post("/lists/customers/views", {"change": "save", "query": ""}, "form#views")
    assert (nameless.status_code, "give the view a name" in nameless.text) == (400, True)


def test_columns_chosen_in_a_view_stand_in_its_address(a_visitor: Callable[..., Any], a_branch: Any) -> None:
    visitor = a_visitor(a_branch())
    tab = save(visitor, "/customers?view=all", "Narrow")
    answer = visitor.post("/lists/customers/columns", {"column": ["owner"], "here": tab})
    assert "cols=name%2Cowner" in answer.headers["hx-redirect"]
    elsewhere = visitor.post("/lists/customers/columns", {"column": ["owner"], "here": "//evil.example/customers?"})
    assert elsewhere.headers["hx-refresh"] == "true"


def test_views_are_kept_by_rest(platform: Any, admin: Any, a_branch: Any, a_visitor: Callable[..., Any]) -> None:
    unit = a_branch()
    seller = platform.rest(a_visitor(unit).login)
    body = {"list": "deals", "name": "Mine", "query": "?view=table&owner=me&evil=1"}
    made = seller.post("/views", body)
    assert (made["query"], made["may_change"], made["sharing"]) == ("view=table&owner=me", True, "mine")
    assert [one["id"] for one in seller.get("/views", list="deals")["views"]] == [made["id"]]
    assert seller.ask("POST", "/views", json={**body, "sharing": "everybody"}).status_code == 403
    assert seller.ask("POST", "/views", json={**body, "list": "secrets"}).status_code == 400
    assert admin.ask("DELETE", f"/views/{made['id']}").status_code == 404
    stale = seller.ask("PUT", f"/views/{made['id']}", json=body, headers={"If-Match": '"7"'})
    assert stale.status_code == 412
    changed = seller.ask("PUT", f"/views/{made['id']}", json={**body, "name": "My own"}).json()
    assert (changed["name"], changed["etag"]) == ("My own", "2")
    assert seller.ask("DELETE", f"/views/{made['id']}").status_code == 204
    assert seller.get("/views")["views"] == []
    shared = admin.post("/views", {**body, "name": "Branch", "sharing": "unit", "unit_id": unit["code"]})
    assert [one["name"] for one in seller.get("/views")["views"]] == ["Branch"]
    assert seller.ask("DELETE", f"/views/{shared['id']}").status_code == 403
