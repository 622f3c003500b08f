"""Search, Today, settings and help as a browser without scripts gets them, and what hostile askers get."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from gateway.web.guide import draw_markdown

XSS = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"


@pytest.fixture
def unit(a_branch: Any) -> Any:
    return a_branch()


def test_a_person_is_offered_with_phone_and_company(platform: Any, a_visitor: Any, unit: Any) -> None:
    visitor = a_visitor(unit)
    rest, name = platform.rest(visitor.login), f"Zweistein{uuid.uuid4().hex[:6]}"
    company = rest.post("/organizations", {"display_name": f"{name} Works", "unit_id": unit["id"]})["organization"]
    rest.post("/persons", {
        "given_name": "Ada", "family_name": name, "unit_id": unit["id"],
        "channels": [{"kind": "phone", "value": "+49 30 901820"}],
        "affiliations": [{"organization_id": company["id"], "role": "buyer"}],
    })  # fmt: skip
    part = visitor.part("/search/suggest", params={"q": name.lower()[:12]}).text
    for shown in (f"Ada {name}", f"{name} Works", "901820"):
        assert shown in part


@pytest.mark.parametrize("query", ["", "a", "12", "123", "\0\0", "%"])
def test_too_little_to_search_for_offers_nothing(a_visitor: Any, unit: Any, query: Any) -> None:
    answer = a_visitor(unit).part("/search/suggest", params={"q": query})
    assert answer.status_code == 200
    assert "<a" not in answer.text


@pytest.mark.parametrize("path", ["/search", "/search/suggest"])
def test_what_was_typed_comes_back_as_text(a_visitor: Any, unit: Any, path: Any) -> None:
    text = a_visitor(unit).get(path, params={"q": XSS}).text
    assert "<script>alert" not in text
    assert "<img src=x" not in text


def test_a_head_sees_who_did_what_and_who_did_nothing(platform: Any, a_visitor: Any, unit: Any) -> None:
    head, busy, silent = (
        a_visitor(unit, "head", "Hedda"),
        a_visitor(unit, name="Berta Busy"),
        a_visitor(unit, name="Sil Ent"),
    )
    rest = platform.rest(busy.login)
    person = rest.post("/persons", {"given_name": "Ada", "family_name": "Lind", "unit_id": unit["id"]})["person"]
    rest.post("/interactions", {"kind": "call", "person_id": person["id"], "unit_id": unit["id"], "summary": XSS})
    page = head.get("/today").text
    assert "Berta Busy" in page
    assert "1 call" in page
    assert "<script>alert" not in page
    quiet = page.partition("Nothing entered:")[2].partition("</p>")[0]
    assert "Sil Ent" in quiet
    assert "Berta" not in quiet
    assert "Nothing entered:" not in silent.get("/today").text  # no head


@pytest.mark.parametrize("day", ["2999-01-01", "0001-01-01", "x", "", "2024-02-30"])
def test_any_day_in_the_address_gives_a_page(a_visitor: Any, unit: Any, day: Any) -> None:
    head = a_visitor(unit, "head")
    assert head.get("/today", params={"day": day, "unit": "nonsense"}).status_code == 200


@pytest.mark.parametrize("wrong", [{"language": "xx"}, {"theme": "pink"}, {"zone": "Mars/Olympus"}, {"keys": "maybe"}])
def test_a_setting_that_is_no_choice_is_refused(a_visitor: Any, unit: Any, wrong: Any) -> None:
    visitor = a_visitor(unit)
    good = {"language": "", "theme": "dark", "zone": "", "keys": "on"}
    assert visitor.post("/settings", {**good, **wrong}).status_code == 400
    assert visitor.post("/settings", good).status_code == 204
    assert 'data-theme="dark"' in visitor.get("/today").text


@pytest.mark.parametrize(
    "path", ["/help/..%2f..%2fREADME", "/help/nothing", "/help/pictures/..%2f..%2f..%2fREADME.md", "/help/A"]
)
def test_help_shows_pages_of_the_guide_and_no_other_file(a_visitor: Any, unit: Any, path: Any) -> None:
    assert a_visitor(unit).get(path).status_code == 404


def test_help_is_a_part_beside_the_page_and_a_page(a_visitor: Any, unit: Any) -> None:
    visitor = a_visitor(unit)
    assert "<html" not in visitor.part("/help/keyboard").text
    assert "<h1>Keys</h1>" in visitor.get("/help/keyboard").text


def test_html_in_markdown_is_text_and_links_stay_inside() -> None:
    drawn = draw_markdown(f"{XSS}\n\n[a](javascript:alert(1)) [b](https://evil.example) [c](search.md) [d](/settings)")
    assert "<script" not in drawn
    assert "evil" not in drawn
    assert "javascript:" not in drawn.replace("(javascript:alert(1))", "")
    assert 'href="/help/search"' in drawn
    assert 'href="/settings"' in drawn
