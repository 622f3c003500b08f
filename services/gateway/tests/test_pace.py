"""Who asks faster than people do is held up, told for how long, and holds up nobody else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from chassis.access import Access
from gateway.limits import Buckets, RequestPace, TooManyRequests

from .conftest import PASSWORD, Platform, Rest, serving


def slow_rest(url: str, token: str) -> Rest:
    """REST at another gateway with the same token."""
    return Rest(httpx2.Client(base_url=url, timeout=30), token)


def test_who_asks_faster_than_the_limit_is_told_when_to_go_on(
    platform: Platform, a_branch: Callable[..., Any], a_user: Callable[..., Rest]
) -> None:
    branch = a_branch()
    fast, calm = a_user(branch), a_user(branch)
    with serving(replace(platform.settings, requests_per_minute=3)) as url:
        rest, other = slow_rest(url, fast.token), slow_rest(url, calm.token)
        assert [rest.ask("GET", "/units").status_code for _ in range(4)] == [200, 200, 200, 429]
        held = rest.ask("GET", "/persons")
        assert (held.json()["reason"], held.json()["status"]) == ("TOO_MANY_REQUESTS", 429)
        assert 1 <= int(held.headers["retry-after"]) <= 20
        assert other.ask("GET", "/units").status_code == 200
        for one in (rest, other):
            one.client.close()


def test_a_unit_has_a_limit_of_all_its_people_together(
    platform: Platform, a_branch: Callable[..., Any], a_user: Callable[..., Rest]
) -> None:
    branch, elsewhere = a_branch(), a_branch()
    people = [a_user(branch), a_user(branch), a_user(elsewhere)]
    with serving(replace(platform.settings, unit_requests_per_minute=2)) as url:
        clients = [slow_rest(url, one.token) for one in people]
        assert [clients[at].ask("GET", "/units").status_code for at in (0, 1, 0, 1, 2)] == [200, 200, 429, 429, 200]
        for one in clients:
            one.client.close()


def test_pages_are_held_up_as_well(platform: Platform, a_branch: Callable[..., Any], admin: Rest) -> None:
    unit = a_branch()
    login = f"pace{unit['code']}"
    positions = [{"unit_id": unit["id"], "title": "seller", "role": "seller"}]
    admin.post("/users", {"display_name": login, "login": login, "password": PASSWORD, "positions": positions})
    with (
        serving(replace(platform.settings, requests_per_minute=2)) as url,
        httpx2.Client(base_url=url, timeout=30, headers={"accept-language": "en"}) as browser,
    ):
        assert browser.post("/sign-in", data={"login": login, "password": PASSWORD}).status_code == 303
        answers = [browser.get("/settings") for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert ("Too much at once" in answers[2].text, "retry-after" in answers[2].headers) == (True, True)


def test_a_bucket_is_filled_again_by_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("gateway.limits.time.monotonic", lambda: now[0])
    buckets = Buckets(60)
    assert [buckets.take("a") for _ in range(61)] == [0.0] * 60 + [1.0]
    now[0] = 2.0
    assert [buckets.take("a") for _ in range(3)] == [0.0, 0.0, 1.0]


def test_who_belongs_to_no_unit_is_counted_alone() -> None:
    pace = RequestPace(1, 1)
    pace.take(Access("one"))
    pace.take(Access("two"))
    with pytest.raises(TooManyRequests):
        pace.take(Access("one"))
