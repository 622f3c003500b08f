"""The organization over REST."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from .conftest import Platform, Rest, a_code


def test_a_unit_is_made_read_by_any_of_its_names_and_changed(admin: Rest, a_branch: Any) -> None:
    unit = a_branch(name="Köln Süd", area_code="221", start_date="2026-01-31")
    assert (unit["kind"], unit["path"], unit["country_code"]) == ("branch", f"hq.{unit['code']}", "DE")
    assert (unit["start_date"], unit["end_date"]) == ("2026-01-31", None)
    for name in (unit["id"], unit["path"], unit["code"]):
        assert admin.get(f"/units/{name}") == unit
    answer = admin.ask("PATCH", f"/units/{unit['path']}", json={"name": "New"}, headers={"If-Match": '"1"'})
    assert (answer.json()["name"], answer.headers["etag"]) == ("New", '"2"')
    stale = admin.ask("PATCH", f"/units/{unit['id']}", json={"name": "Old"}, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["reason"]) == (412, "STALE_ETAG")


def test_null_clears_a_field(admin: Rest, a_branch: Any) -> None:
    unit = a_branch(end_date="2030-01-01", currency_code="USD")
    cleared = admin.patch(f"/units/{unit['id']}", {"end_date": None, "currency_code": None})
    assert (cleared["end_date"], cleared["currency_code"]) == (None, "EUR")


def test_the_same_idempotency_key_makes_one_unit(admin: Rest) -> None:
    body = {"kind": "branch", "code": a_code(), "name": "Once", "parent_id": "hq"}
    headers = {"Idempotency-Key": a_code("key")}
    first, second = (admin.ask("POST", "/units", json=body, headers=headers) for _ in range(2))
    assert (first.status_code, first.content) == (second.status_code, second.content)
    other = admin.ask("POST", "/units", json={**body, "name": "Other"}, headers=headers)
    assert (other.status_code, other.json()["reason"]) == (422, "REQUEST_ID_REUSED")
    long = admin.ask("POST", "/units", json=body, headers={"Idempotency-Key": "k" * 256})
    assert (long.status_code, long.json()["errors"][0]["field"]) == (400, "idempotency-key")


def test_units_come_in_pages(admin: Rest, a_branch: Any) -> None:
    top = a_branch()
    for n in range(3):
        a_branch(parent_id=top["path"], kind="department", name=f"D{n}")
    names, token = [], ""
    while True:
        page = admin.get("/units", unit=top["code"], page_size=2, page_token=token)
        names += [unit["name"] for unit in page["units"]]
        token = page["next_page_token"]
        if not token:
            break
    assert sorted(names[1:]) == ["D0", "D1", "D2"]
    junk = admin.ask("GET", "/units", params={"page_token": "junk"})
    assert (junk.status_code, junk.json()["reason"]) == (400, "PAGE_TOKEN_INVALID")


def test_a_user_gets_positions_and_is_matched(admin: Rest, a_branch: Any) -> None:
    unit = a_branch()
    name = f"Anna {a_code('Berg')}"
    user = admin.post("/users", {"display_name": name, "positions": [{"unit_id": unit["code"], "role": "seller"}]})
    assert user["positions"][0]["role"] == "seller"
    body = {"unit_id": unit["path"], "title": "Head", "role": "head", "start_date": "2026-01-01"}
    held = admin.post(f"/users/{user['id']}/positions", body)["positions"]
    head = next(one for one in held if one["role"] == "head")
    ended = admin.post(f"/positions/{head['id']}/end", {"end_date": "2026-02-01"})
    assert [one["end_date"] for one in ended["positions"] if one["role"] == "head"] == ["2026-02-01"]
    (match,) = admin.post("/users/match", {"texts": [name.upper()]})["matches"]
    assert match["user_id"] == user["id"]
    listed = admin.get("/users", unit=unit["code"])["users"]
    assert [one["id"] for one in listed] == [user["id"]]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"id": "x"}, "id"),
        ({"etag": "1"}, "etag"),
        ({"path": "hq.x"}, "path"),
        ({"nonsense": 1}, "nonsense"),
        ({"name": 1}, "name"),
        ({"name": None, "kind": "galaxy"}, "kind"),
        ({"start_date": "2026-02-30"}, "start_date"),
        ({"start_date": "yesterday"}, "start_date"),
        ({"start_date": 20260101}, "start_date"),
        ({"country_code": "Germany"}, "country_code"),
        ({"parent_id": "no such unit"}, "parent_id"),
        ({"name": "\ud800"}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": "x" * 201}, "name"),
    ],
)
def test_a_wrong_field_is_named(admin: Rest, body: dict[str, Any], field: str) -> None:
    asked = {"kind": "branch", "code": a_code(), "name": "X", "parent_id": "hq", **body}
    answer = admin.ask("POST", "/units", content=_ascii(asked), headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 404), answer.text
    assert field in [one["field"] for one in answer.json()["errors"]]


def _ascii(body: Any) -> bytes:
    import json

    return json.dumps(body).encode()


def test_a_seller_may_not_change_units_nor_see_others(a_branch: Any, a_user: Any) -> None:
    own, other = a_branch(), a_branch()
    seller: Rest = a_user(own)
    refused = seller.ask("PATCH", f"/units/{own['id']}", json={"name": "Mine"})
    assert (refused.status_code, refused.json()["reason"]) == (403, "NOT_PERMITTED")
    hidden = seller.ask("GET", f"/units/{other['id']}")
    unknown = seller.ask("GET", "/units/00000000-0000-7000-8000-000000000000")
    assert (hidden.status_code, unknown.status_code) == (404, 404)
    assert hidden.json().keys() == unknown.json().keys()


def test_news_of_a_new_unit_is_waited_for(platform: Platform, admin: Rest) -> None:
    unit = admin.post("/units", {"kind": "branch", "code": a_code(), "name": "New", "parent_id": "hq"})
    body = {"display_name": "Anna Berg", "unit_id": unit["code"], "channels": [{"kind": "email", "value": "a@b.de"}]}
    at_once = admin.ask("POST", "/persons", json=body)
    assert (at_once.status_code, at_once.json()["reason"]) == (404, "UNIT_NOT_KNOWN")
    threading.Timer(0.4, platform.spread_units).start()
    waited = admin.ask("POST", "/persons", json=body, headers={"Idempotency-Key": a_code("key")})
    assert waited.status_code == 201, waited.text


def test_a_unit_nobody_knows_is_not_waited_for(admin: Rest) -> None:
    unknown = "00000000-0000-7000-8000-000000000000"
    answer = admin.ask("GET", "/persons", params={"unit": unknown}, timeout=2)
    assert (answer.status_code, answer.json()["reason"]) == (404, "UNIT_NOT_KNOWN")
