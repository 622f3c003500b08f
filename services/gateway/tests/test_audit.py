"""The trails of all services are read as one, by those who may audit and as far as they may."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chassis.audit.keeping import AuditKeeper
from chassis.bus.relay import number_waiting
from chassis.testing.eventually import eventually

from .conftest import PASSWORD, Platform, Rest


def keep_trails(platform: Platform) -> None:
    """What workers do each second."""
    for database in platform.databases.values():
        number_waiting(database)
        AuditKeeper(database).keep()


def entries(rest: Rest, **asked: Any) -> list[dict[str, Any]]:
    """Entries of one page."""
    found: list[dict[str, Any]] = rest.get("/audit", **asked)["entries"]
    return found


@pytest.fixture
def a_day(platform: Platform, a_branch: Callable[..., Any], a_user: Callable[..., Rest]) -> dict[str, Any]:
    """A seller of a branch made a card, changed it, read it and searched for it."""
    branch = a_branch()
    seller = a_user(branch)
    person = seller.post("/persons", {"display_name": "Vera Lind", "unit_id": branch["id"]})["person"]
    path = f"/persons/{person['id']}"
    seller.patch(path, {"display_name": "Vera Lindt"}, headers={"If-Match": f'"{person["etag"]}"'})
    seller.get(path)
    seller.get("/search", query="vera lindt")
    keep_trails(platform)
    return {"branch": branch, "person": person["id"], "seller": seller.get("/users/me")["id"]}


def test_what_happened_to_a_record_is_told_with_who_from_where_and_field_by_field(
    platform: Platform, admin: Rest, a_day: dict[str, Any]
) -> None:
    asked = {"record_id": a_day["person"]}
    wanted = {"change", "read", "search"}

    def told() -> bool:
        keep_trails(platform)
        return {one["action"] for one in entries(admin, **asked)} >= wanted

    eventually(told)
    found = entries(admin, **asked)
    assert {one["actor_id"] for one in found} - {""} >= {a_day["seller"]}
    changed = next(one for one in found if one["method"].endswith("PersonUpdated"))
    assert changed["changes"] == [
        {"field": "personal.display_name", "before": "Vera Lind", "after": "Vera Lindt"},
    ]
    assert changed["origin"].startswith("127.0.0.1")
    assert changed["unit_path"] == f"hq.{a_day['branch']['code']}"


def test_pages_of_several_trails_follow_each_other_without_gap_or_repetition(
    admin: Rest, a_day: dict[str, Any]
) -> None:
    asked = {"actor_id": a_day["seller"]}
    eventually(lambda: len(entries(admin, **asked)) >= 5)
    whole = entries(admin, page_size=100, **asked)
    token, pieces = "", []
    while True:
        page = admin.get("/audit", page_size=2, page_token=token, **asked)
        pieces += page["entries"]
        token = page["next_page_token"]
        if not token:
            break
    assert [(one["service"], one["number"]) for one in pieces] == [(one["service"], one["number"]) for one in whole]
    assert [one["time"] for one in whole] == sorted((one["time"] for one in whole), reverse=True)


def test_a_head_audits_the_own_branch_and_nobody_elses(
    platform: Platform, a_branch: Callable[..., Any], a_user: Callable[..., Rest], a_day: dict[str, Any]
) -> None:
    own, stranger = a_user(a_day["branch"], "head"), a_user(a_branch(), "head")
    keep_trails(platform)
    asked = {"record_id": a_day["person"]}
    eventually(lambda: len(entries(own, **asked)) >= 3)
    assert entries(stranger, **asked) == []
    assert a_day["seller"] not in {one["actor_id"] for one in entries(stranger)}


def test_who_may_not_audit_is_refused_and_that_is_in_the_trail(
    platform: Platform, admin: Rest, a_branch: Callable[..., Any], a_user: Callable[..., Rest]
) -> None:
    seller = a_user(a_branch())
    answer = seller.ask("GET", "/audit")
    assert (answer.status_code, answer.json()["reason"]) == (403, "NOT_PERMITTED")
    me = seller.get("/users/me")["id"]
    keep_trails(platform)
    eventually(lambda: [one for one in entries(admin, actor_id=me) if one["action"] == "sign-in"])


def test_a_wrong_password_is_told_with_the_account_it_was_meant_for(platform: Platform, admin: Rest) -> None:
    guest = platform.guest().client
    assert guest.post("/api/v1/sessions", json={"login": "admin", "password": "no" + PASSWORD}).status_code == 401
    me = admin.get("/users/me")["id"]
    [wrong, *_] = entries(admin, record_id=me, actions="refused")
    assert (wrong["method"], wrong["reason"], wrong["actor_id"]) == ("directory/SignIn", "wrong password", "")


def test_looking_into_the_trail_is_in_the_trail(admin: Rest, a_day: dict[str, Any]) -> None:
    entries(admin, record_id=a_day["person"])
    me = admin.get("/users/me")["id"]
    found = entries(admin, actor_id=me, record_id=a_day["person"], actions="act")
    assert found[0]["method"] == "platform/ListAuditEntries"
