"""A list is taken along from its page: the form, the page of exports, the file; and the second person's answer."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from gateway.web.columns import LISTS as COLUMNS
from gateway.web.exports import offer_list
from gateway.web.texts import Texts, speaking
from imports.exporting.lists import LISTS as EXPORTED


def fields_of(page: str) -> dict[str, str]:
    """What the form on a page sends by itself."""
    [form] = re.findall(r'<form id="export".*?</form>', page, re.DOTALL)
    return {name: unescape(value) for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', form)}


def test_a_list_is_exported_as_its_page_stands_and_its_file_is_taken(
    platform: Any, admin: Any, a_branch: Any, a_visitor: Any
) -> None:
    branch, word = a_branch(), uuid4().hex[:8]
    steward = a_visitor(branch, role="steward")
    for name in (f"Anna {word}", f"Boris {word}", "Somebody else"):
        admin.post("/persons", {"display_name": name, "unit_id": branch["id"]})
    page = f"/customers?q={word}&unit={branch['id']}&view=all"
    form = fields_of(steward.get(page).text)
    assert steward.post("/exports", {**form, "reason": "labels", "format": "csv"}).status_code == 204
    platform.run_jobs()
    shown = steward.get("/exports").text
    assert [one for one in ("Persons", "ready", "labels", "Download") if one not in shown] == []
    [file] = re.findall(r'href="(/exports/[^"]+/file)"', shown)
    taken = steward.get(file)
    assert re.fullmatch(r'attachment; filename="persons-[0-9-]+\.csv"', taken.headers["content-disposition"])
    rows = taken.text.splitlines()
    assert rows[0].lstrip("\ufeff") == "full_name,phone,organization,units,owner"
    assert [row.split(",")[0] for row in rows[1:3]] == [f"Anna {word}", f"Boris {word}"]
    assert steward.post(file.replace("/file", "/cancel")).status_code == 204
    assert steward.get(file).status_code == 409


def test_ticked_rows_alone_are_taken_along(platform: Any, admin: Any, a_branch: Any, a_visitor: Any) -> None:
    branch, word = a_branch(), uuid4().hex[:8]
    steward = a_visitor(branch, role="steward")
    made = [
        admin.post("/persons", {"display_name": f"{name} {word}", "unit_id": branch["id"]})["person"]["id"]
        for name in ("Anna", "Boris", "Clara")
    ]
    records = [f"{id}||" for id in (made[0], made[2])]
    page = steward.post("/lists/customers/chosen", {"act": "export", "record": records}).text
    assert "2 records are chosen." in page
    [form] = re.findall(r'<form id="chosen-export".*?</form>', page, re.DOTALL)
    fields = {name: unescape(value) for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', form)}
    assert steward.post("/exports", {**fields, "reason": "fair", "format": "csv"}).status_code == 204
    platform.run_jobs()
    [file] = re.findall(r'href="(/exports/[^"]+/file)"', steward.get("/exports").text)
    assert [row.split(",")[0] for row in steward.get(file).text.splitlines()[1:3]] == [f"Anna {word}", f"Clara {word}"]
    page = steward.get(f"/customers?q={word}&view=all").text
    assert 'name="act" value="export"' in page
    assert 'name="act" value="export"' not in a_visitor(branch).get(f"/customers?q={word}&view=all").text


def test_who_may_not_export_is_offered_none(a_branch: Any, a_visitor: Any, admin: Any) -> None:
    branch = a_branch()
    admin.post("/persons", {"display_name": "Anna", "unit_id": branch["id"]})
    seller = a_visitor(branch, role="seller")
    assert 'id="export"' not in seller.get("/customers").text
    assert 'href="/exports"' not in seller.get("/today").text


def test_a_large_export_is_agreed_to_by_a_second_person(
    platform: Any, admin: Any, a_branch: Any, a_visitor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform.doors["imports"], "settings", platform.job_settings(export_rows_a_day=0))
    branch = a_branch()
    admin.post("/persons", {"display_name": "Anna", "unit_id": branch["id"]})
    steward, head = a_visitor(branch, role="steward"), a_visitor(branch, role="branch_head")
    steward.post("/exports", {**fields_of(steward.get("/customers").text), "reason": "for the fair"})
    platform.run_jobs()
    assert "waits for a second person" in steward.get("/exports").text
    assert steward.get("/exports/waiting").text.strip() == ""
    assert "1 export to agree to" in head.get("/exports/waiting").text
    asked = head.get("/exports").text
    assert [one for one in ("For you to decide", "for the fair") if one not in asked] == []
    [form] = re.findall(r'hx-post="(/exports/[^"]+/decide)"', asked)
    [request_id] = re.findall(r'name="request_id" value="([^"]+)"', asked)
    said = {"request_id": request_id, "decision": "approve", "answer": "fine"}
    assert steward.post(form, said).status_code == 404
    assert head.post(form, said).status_code == 204
    platform.run_jobs()
    shown = steward.get("/exports").text
    assert ("ready" in shown, "fine" in shown, "Download" in shown) == (True, True, True)


def test_every_column_of_a_page_is_one_of_its_file() -> None:
    pages = {"persons": "customers", "organizations": "organizations", "deals": "deals"}
    with speaking(Texts("en", ZoneInfo("UTC"))):
        for name, page in pages.items():
            offered = offer_list(name, EXPORTED[name].request(), COLUMNS[page]()).columns.split(",")
            assert set(offered) <= {one.name for one in EXPORTED[name].columns}, name
