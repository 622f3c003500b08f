"""The pages of customers without a browser: what stays when a service is away, what nobody may see, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from ..conftest import serving
from .conftest import Browser

NOBODY = "127.0.0.1:9"  # the port of discard: nobody listens there


def a_person(admin: Any, unit: dict[str, Any], name: str = "Anna Berg", **more: Any) -> str:
    """The address of a new card."""
    made = admin.post("/persons", {"display_name": name, "unit_id": unit["id"], **more})
    return f"/customers/{made['person']['id']}"


@pytest.mark.parametrize("away", ["deals", "scheduling", "contacts", "directory"])
def test_a_service_that_is_away_costs_its_own_panel_only(
    platform: Any, admin: Any, a_branch: Callable[..., Any], a_visitor: Callable[..., Browser], away: str
) -> None:
    unit = a_branch()
    visitor, path = a_visitor(unit), a_person(admin, unit, "Anna Panels")
    admin.post(
        "/interactions", {"person_id": path.split("/")[-1], "kind": "note", "summary": "kept", "unit_id": unit["id"]}
    )
    with serving(replace(platform.settings, **{f"{away}_address": NOBODY})) as url:
        there = Browser(url)
        there.client.cookies = visitor.client.cookies
        answer = there.get(path)
        assert answer.status_code == 200, answer.text
        there.client.close()
    for service, shown in (("deals", "No deals yet"), ("scheduling", "Nothing planned"), ("contacts", "kept")):
        assert (shown in answer.text) == (service != away), service
    assert (f"({away})" in answer.text) == (away != "directory")


def test_a_card_of_another_branch_is_not_there(admin: Any, a_branch: Any, a_visitor: Any) -> None:
    path = a_person(admin, a_branch(), "Secret Customer")
    stranger = a_visitor(a_branch())
    for address in (path, f"{path}/panels/story", f"{path}/facts/name"):
        answer = stranger.get(address)
        assert answer.status_code == 404
        assert "Secret" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/customers/1", "/organizations/1", "/customers/{nobody}/panels/none", "/customers/{nobody}/facts/none",
        "/customers/{nobody}/panels/people",
    ],
)  # fmt: skip
def test_an_address_of_nothing_is_no_page(a_branch: Any, a_visitor: Any, path: str) -> None:
    assert a_visitor(a_branch()).get(path.format(nobody=uuid4())).status_code == 404


@pytest.mark.parametrize("query", ["year=x", "until=yesterday", "page=zzz", "author=me", "in=nowhere"])
def test_a_filter_that_cannot_be_read_is_refused(admin: Any, a_branch: Any, a_visitor: Any, query: str) -> None:
    unit = a_branch()
    assert a_visitor(unit).get(f"{a_person(admin, unit)}?{query}").status_code in (400, 404)


def test_every_panel_can_be_had_alone(admin: Any, a_branch: Any, a_visitor: Any) -> None:
    unit = a_branch()
    visitor, path = a_visitor(unit), a_person(admin, unit, "Anna Alone")
    for panel in ("header", "facts", "story", "deals", "tasks"):
        answer = visitor.part(f"{path}/panels/{panel}")
        assert answer.status_code == 200
        assert f'id="card-{panel}"' in answer.text
        assert "<html" not in answer.text


def test_a_change_without_the_forgery_token_is_refused(admin: Any, a_branch: Any, a_visitor: Any) -> None:
    unit = a_branch()
    visitor, path = a_visitor(unit), a_person(admin, unit)
    answer = visitor.client.post(f"{path}/facts/birth", data={"birth_date": "1980-01-01"})
    assert answer.status_code == 403
