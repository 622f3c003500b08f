"""Signing in over REST, and what happens without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from gateway import signed_in

from .conftest import PASSWORD, Platform, Rest, serving


def test_sign_in_refresh_and_sign_out(platform: Platform) -> None:
    rest = platform.guest()
    first = rest.post("/sessions", {"login": "admin", "password": PASSWORD})
    assert first["user"]["login"] == "admin"
    second = rest.post("/sessions/refresh", {"refresh_token": first["refresh_token"]})
    rest.token = second["access_token"]
    assert rest.get("/users/me")["login"] == "admin"
    body = {"refresh_token": second["refresh_token"]}
    assert rest.ask("DELETE", "/sessions", json=body).status_code == 204
    assert rest.ask("POST", "/sessions/refresh", json=body).status_code == 401


def test_a_wrong_password_is_a_problem_answer(platform: Platform) -> None:
    answer = platform.guest().ask("POST", "/sessions", json={"login": "admin", "password": "wrong"})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"
    problem = answer.json()
    assert problem["reason"] == "SIGN_IN_REFUSED"
    assert problem["type"] == "urn:branchline:problem:sign-in-refused"


@pytest.mark.parametrize("token", ["", "abc", "a.b.c", "x" * 9_000])
def test_without_a_good_token_nothing_is_answered(platform: Platform, token: str) -> None:
    rest = platform.guest()
    rest.token = token
    for method, path in (("GET", "/units"), ("GET", "/status"), ("POST", "/persons"), ("GET", "/reports/won")):
        answer = rest.ask(method, path, json={} if method == "POST" else None)
        assert (answer.status_code, answer.json()["reason"]) == (401, "NOT_SIGNED_IN")


def test_headers_that_claim_another_user_are_not_believed(platform: Platform, a_branch: Any, a_user: Any) -> None:
    seller: Rest = a_user(a_branch())
    claims = {"X-User-Id": "admin", "X-Forwarded-For": "10.0.0.1", "crm-actor": "admin", "X-Forwarded-User": "admin"}
    own = seller.ask("GET", "/users/me").json()
    assert seller.ask("GET", "/users/me", headers=claims).json() == own


def test_a_leaver_is_locked_out_within_half_a_minute(
    platform: Platform, admin: Rest, a_branch: Any, a_user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaver: Rest = a_user(a_branch())
    own = leaver.get("/users/me")
    assert leaver.ask("GET", "/units").status_code == 200
    admin.patch(f"/users/{own['id']}", {"active": False})
    monkeypatch.setattr(signed_in, "ASK_AGAIN", 0.0)  # the half minute has passed
    answer = leaver.ask("GET", "/units")
    assert (answer.status_code, answer.json()["reason"]) == (401, "NOT_SIGNED_IN")


def test_sign_ins_from_one_address_are_slowed_down(platform: Platform) -> None:
    slow = replace(platform.settings, sign_ins_per_minute=3)
    with serving(slow) as url, httpx2.Client(base_url=url) as client:
        body = {"login": "nobody", "password": "wrong"}
        answers = [client.post("/api/v1/sessions", json=body) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 20


def test_a_service_that_is_away_is_named_and_the_others_go_on(platform: Platform, admin: Rest) -> None:
    with serving(replace(platform.settings, deals_address="127.0.0.1:9")) as url, httpx2.Client(base_url=url) as client:
        rest = Rest(client, admin.token)
        answer = rest.ask("GET", "/deals", timeout=30)
        assert answer.status_code == 503
        assert (answer.json()["service"], answer.json()["reason"]) == ("deals", "SERVICE_NOT_AVAILABLE")
        assert rest.get("/units")["units"]
        states = {one["service"]: one["status"] for one in rest.get("/status")["services"]}
    assert states.pop("deals") == "unreachable"
    assert set(states.values()) == {"serving"}


def test_status_shows_lag_and_parked_events_to_administrators_only(
    admin: Rest, a_branch: Callable[..., Any], a_user: Any
) -> None:
    seen = admin.get("/status")["services"]
    assert [one["service"] for one in seen] == ["directory", "contacts", "deals", "scheduling", "imports", "reporting"]
    assert all(one["lag"] is not None and one["parked"] == 0 for one in seen)
    seller: Rest = a_user(a_branch())
    assert all(one["lag"] is None for one in seller.get("/status")["services"])


def test_sessions_are_listed_with_their_device_and_ended_from_another(
    platform: Platform, a_branch: Any, a_user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signed_in, "ASK_AGAIN", 0.0)
    here: Rest = a_user(a_branch())
    there = platform.guest()
    body = {"login": here.get("/users/me")["login"], "password": PASSWORD}
    answer = there.ask("POST", "/sessions", json=body, headers={"User-Agent": "exporter/2"})
    there.token = answer.json()["access_token"]
    listed = {one["device"]: one for one in here.get("/sessions")["sessions"]}
    assert listed["exporter/2"]["address"] == "127.0.0.1"
    assert not listed["exporter/2"].get("current")
    assert here.post("/sessions/end", {"session_id": listed["exporter/2"]["id"]}) == {"ended": 1}
    assert there.ask("GET", "/units").status_code == 401
    assert here.ask("GET", "/units").status_code == 200


def test_the_own_password_is_changed_with_the_old_one(platform: Platform, a_branch: Any, a_user: Any) -> None:
    person: Rest = a_user(a_branch())
    login = person.get("/users/me")["login"]
    new = {"new_password": "another horse battery"}
    refusal = person.ask("POST", "/users/me/password", json={"old_password": "wrong", **new}).json()
    assert refusal["errors"][0]["field"] == "old_password"
    person.post("/users/me/password", {"old_password": PASSWORD, **new})
    tried = [
        platform.guest().ask("POST", "/sessions", json={"login": login, "password": password}).status_code
        for password in (PASSWORD, new["new_password"])
    ]
    assert tried == [401, 201]
