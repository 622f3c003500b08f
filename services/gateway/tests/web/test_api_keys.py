"""Keys for programs on their page: made and shown once, used, listed with the last use, ended."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx2


def asks(platform: Any, secret: str) -> int:
    """What the API answers to a program with this key."""
    found = httpx2.get(f"{platform.url}/api/v1/units", headers={"Authorization": f"Bearer {secret}"})
    return int(found.status_code)


def test_a_person_makes_a_key_that_is_shown_once_and_ends_it(
    platform: Any, a_branch: Callable[..., Any], a_visitor: Callable[..., Any]
) -> None:
    person = a_visitor(a_branch())
    assert "No keys" in person.get("/settings/keys").text
    refused = person.post("/settings/keys", {"name": "Telephone"}, "form#new-key")
    assert refused.status_code == 400
    made = person.post("/settings/keys", {"name": "Telephone", "scopes": ["read"], "days": "7"}, "form#new-key")
    [secret] = re.findall(r'id="key-secret">(blk_[^<]+)<', made.text)
    assert "never" in person.get("/settings/keys").text
    assert asks(platform, secret) == 200
    page = person.get("/settings/keys").text
    assert (secret in page, "never" in page) == (False, False)
    [path] = re.findall(r'hx-post="(/settings/keys/[^"]+/end)"', page)
    assert person.post(path).status_code == 204
    assert "No keys" in person.get("/settings/keys").text


def test_an_administrator_makes_a_key_for_an_account_that_only_programs_use(
    platform: Any, a_branch: Callable[..., Any], an_administrator: Any
) -> None:
    position = {"unit_id": a_branch()["id"], "title": "Telephone", "role": "seller"}
    account = platform.admin().post("/users", {"display_name": "Exchange", "positions": [position]})["id"]
    path = f"/admin/people/{account}/keys"
    made = an_administrator.post(path, {"name": "Calls", "scopes": ["read", "create"], "days": "30"}, "form#new-key")
    [secret] = re.findall(r'id="key-secret">(blk_[^<]+)<', made.text)
    assert asks(platform, secret) == 200
    assert "Calls" in an_administrator.get(path).text
