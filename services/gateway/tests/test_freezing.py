"""A frozen unit lets nothing be carried away, says so, and lets people work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from units.freezing import PAGES, READ_AGAIN

from .conftest import Platform, Rest


@pytest.fixture
def frozen(platform: Platform, admin: Rest, a_branch: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """A branch that is frozen, and every service knows it."""
    monkeypatch.setattr("units.freezing.READ_AGAIN", 0.0)
    assert READ_AGAIN > 0
    branch = a_branch()
    admin.post(f"/units/{branch['id']}/freeze", {"reason": "a colleague leaves in anger"})
    platform.spread_units()
    return branch


def stopped(answer: Any, branch: Any) -> None:
    """The answer says what is stopped, where and why."""
    told = answer.json()
    assert (answer.status_code, told["reason"]) == (403, "NOT_PERMITTED")
    assert told["metadata"]["frozen"] == branch["path"]
    assert "a colleague leaves in anger" in told["detail"]


def test_imports_stop_in_a_frozen_unit_for_those_below_and_for_those_above(
    admin: Rest, a_user: Callable[..., Rest], frozen: Any
) -> None:
    body = {"unit_id": frozen["id"], "kind": "persons", "file_id": frozen["id"]}
    for rest in (a_user(frozen, "steward"), admin):
        stopped(rest.ask("POST", "/runs", json=body), frozen)


def test_people_of_a_frozen_unit_look_up_and_write_but_do_not_page_through_the_base(
    admin: Rest, a_user: Callable[..., Rest], frozen: Any
) -> None:
    seller = a_user(frozen)
    for name in ("Abel", "Bela", "Cyril"):
        seller.post("/persons", {"display_name": f"{name} Frost", "unit_id": frozen["id"]})
    first = seller.get("/persons", page_size=1)
    for _ in range(PAGES):
        seller.get("/persons", page_size=1, page_token=first["next_page_token"])
    refused = seller.ask("GET", "/persons", params={"page_size": 1, "page_token": first["next_page_token"]})
    stopped(refused, frozen)
    assert len(seller.get("/persons", page_size=1)["persons"]) == 1
    assert seller.get("/search", query="frost")["hits"]
    again = admin.get("/persons", page_size=1)
    assert admin.ask("GET", "/persons", params={"page_token": again["next_page_token"]}).status_code in (200, 400)


def test_a_thawed_unit_works_as_before(
    platform: Platform, admin: Rest, a_user: Callable[..., Rest], frozen: Any
) -> None:
    assert admin.post(f"/units/{frozen['id']}/thaw")["freeze_reason"] == ""
    platform.spread_units()
    body = {"unit_id": frozen["id"], "kind": "persons", "file_id": frozen["id"]}
    answer = a_user(frozen, "steward").ask("POST", "/runs", json=body)
    assert "frozen" not in answer.json().get("metadata", {})


def test_only_who_may_audit_a_unit_freezes_it_and_gives_a_reason(
    a_branch: Callable[..., Any], a_user: Callable[..., Rest]
) -> None:
    branch = a_branch()
    path = f"/units/{branch['id']}/freeze"
    assert a_user(branch, "seller").ask("POST", path, json={"reason": "x"}).status_code == 403
    head = a_user(branch, "head")
    assert head.ask("POST", path, json={"reason": "  "}).status_code == 400
    assert head.post(path, {"reason": "x"})["freeze_reason"] == "x"
