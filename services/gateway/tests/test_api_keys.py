"""A program uses REST with a key: as far as its scopes go, while it is good, and while its user is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import Platform, Rest, a_code


@pytest.fixture(autouse=True)
def _ask_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.signed_in.ASK_AGAIN", 0.0)


@pytest.fixture
def account(admin: Rest, a_branch: Callable[..., Any]) -> dict[str, Any]:
    """An account without sign-in, a seller of a branch, that only programs use."""
    branch = a_branch()
    body = {"display_name": a_code("robot"), "positions": [{"unit_id": branch["id"], "title": "", "role": "seller"}]}
    return {"id": admin.post("/users", body)["id"], "branch": branch}


def program(platform: Platform, secret: str) -> Rest:
    """REST as a program with a key."""
    rest = platform.guest()
    rest.token = secret
    return rest


def test_a_key_works_as_far_as_its_scopes_go(platform: Platform, admin: Rest, account: dict[str, Any]) -> None:
    asked = {"user_id": account["id"], "name": "telephony", "scopes": ["read"], "days": 30}
    reading = program(platform, admin.post("/api_keys", asked)["secret"])
    writing = program(platform, admin.post("/api_keys", {**asked, "scopes": ["read", "create"]})["secret"])
    body = {"display_name": "Rob Botson", "unit_id": account["branch"]["id"]}
    assert reading.get("/persons")["persons"] == []
    assert reading.ask("POST", "/persons", json=body).status_code == 403
    made = writing.post("/persons", body)["person"]
    changed = writing.ask(
        "PATCH", f"/persons/{made['id']}", json={"display_name": "X"}, headers={"If-Match": made["etag"]}
    )
    assert changed.status_code == 403
    [latest, _first] = admin.get("/api_keys", user=account["id"])["api_keys"]
    assert (latest["scopes"], latest["use_time"] is not None) == (["create", "read"], True)


def test_an_ended_key_is_out_and_so_is_one_whose_user_left(
    platform: Platform, admin: Rest, account: dict[str, Any]
) -> None:
    issued = [admin.post("/api_keys", {"user_id": account["id"], "name": "bi", "scopes": ["read"]}) for _ in range(2)]
    ended, orphaned = (program(platform, one["secret"]) for one in issued)
    assert ended.ask("GET", "/persons").status_code == 200
    admin.post(f"/api_keys/{issued[0]['api_key']['id']}/end")
    assert ended.ask("GET", "/persons").status_code == 401
    user = admin.get(f"/users/{account['id']}")
    admin.patch(f"/users/{account['id']}", {"active": False}, headers={"If-Match": user["etag"]})
    assert orphaned.ask("GET", "/persons").status_code == 401


@pytest.mark.parametrize("secret", ["blk_", "blk_x.y", "blk_0198c0de-0000-7000-8000-000000000001.nothing"])
def test_what_is_no_key_is_refused(platform: Platform, secret: str) -> None:
    assert program(platform, secret).ask("GET", "/persons").status_code == 401


def test_keys_issue_no_keys_and_nobody_issues_them_for_others(
    platform: Platform, admin: Rest, account: dict[str, Any], a_user: Callable[..., Rest]
) -> None:
    asked = {"name": "more", "scopes": ["read"]}
    own = a_user(account["branch"])
    key = program(platform, own.post("/api_keys", asked)["secret"])
    assert key.ask("POST", "/api_keys", json=asked).status_code == 403
    assert own.ask("POST", "/api_keys", json={**asked, "user_id": account["id"]}).status_code in (403, 404)
    wrongs: list[dict[str, Any]] = [{"scopes": []}, {"scopes": ["administer"]}, {"days": 400}, {"name": " "}]
    for wrong in wrongs:
        assert own.ask("POST", "/api_keys", json={**asked, **wrong}).status_code == 400
    stranger = a_user(account["branch"])
    mine = own.get("/api_keys")["api_keys"][0]["id"]
    assert stranger.ask("POST", f"/api_keys/{mine}/end", json={}).status_code == 404
