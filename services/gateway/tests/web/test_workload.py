"""The workload as a page: who is how full on which day, what shades it, and a drag that moves or gives on."""

from __future__ import annotations

import re
from typing import Any

import pytest

from crm.directory.events.v1 import directory_events_pb2 as directory
from scheduling.copying import copy_users
from services.gateway.tests.conftest import News

MONDAY = "2031-03-10"
PAGE = f"/calendar?view=workload&date={MONDAY}"


@pytest.fixture
def unit(a_branch: Any) -> Any:
    return a_branch()


def plan(rest: Any, owner: str, unit: Any, hours: int, **more: Any) -> Any:
    """A meeting on Tuesday, 11 March 2031, that takes so many hours."""
    body = {
        "kind": "meeting",
        "subject": f"{hours} hours",
        "owner_id": owner,
        "unit_id": unit["id"],
        "due_time": "2031-03-11T06:00:00Z",
        "end_time": f"2031-03-11T{6 + hours:02}:00:00Z",
        **more,
    }
    return rest.post("/activities", body)


def spread(platform: Any, unit: Any, *visitors: Any) -> None:
    """Carry the news of people to scheduling."""
    states = [
        directory.UserState(
            id=one.user["id"],
            display_name=one.user["display_name"],
            active=True,
            positions=[directory.PositionState(unit_id=unit["id"])],
        )
        for one in visitors
    ]
    with platform.databases["scheduling"].transaction() as work:
        copy_users(work, [News(directory.UserCreated(user=state), 1) for state in states])


def row_of(page: str, name: str) -> str:
    """The row of a person."""
    return next(
        row for row in page.split("<tr ")[1:] if f"<bdi>{name}</bdi></th>" in row or f"<bdi>{name}</bdi> <" in row
    )


def test_a_head_sees_who_is_too_full_and_who_is_away(platform: Any, a_visitor: Any, unit: Any) -> None:
    head, busy, gone = (
        a_visitor(unit, "head", "Wilma Weigh"),
        a_visitor(unit, name="Full Fuller"),
        a_visitor(unit, name="Gone Goner"),
    )
    rest = platform.rest(head.login)
    plan(rest, busy.user["id"], unit, 10)
    away = {"user_id": gone.user["id"], "start_date": "2031-03-12", "end_date": "2031-03-14", "reason": "trip"}
    rest.ask("PUT", "/absences", json=away).raise_for_status()
    spread(platform, unit, busy, gone)
    page = head.get(f"{PAGE}&who=unit:{unit['id']}").text
    full, goner = row_of(page, "Full Fuller"), row_of(page, "Gone Goner")
    assert re.search(r'bl-over"[^>]*title="10 of 8 h planned">125%', full)
    assert "10 hours" in full
    assert (goner.count("bl-load-away"), goner.count("bl-over")) == (2, 0)
    assert page.count('<th scope="col" data-day=') == 21
    assert "who=user%3A" in full


def test_a_drag_moves_to_another_day_and_gives_to_another_person(platform: Any, a_visitor: Any, unit: Any) -> None:
    head, first, second = (
        a_visitor(unit, role, name) for role, name in (("head", "H"), ("seller", "From"), ("seller", "To"))
    )
    rest = platform.rest(head.login)
    made = plan(rest, first.user["id"], unit, 2)
    moved = {"day": "2031-03-12", "time": "09:00", "etag": made["etag"], "drag": "1", "request_id": "drag-1"}
    answer = head.post(f"/activities/{made['id']}/move", {**moved, "owner_id": second.user["id"]})
    now = rest.get(f"/activities/{made['id']}")
    assert (answer.status_code, now["owner_id"]) == (200, second.user["id"])
    assert now["due_time"].startswith("2031-03-12")


def test_people_of_a_sibling_branch_are_weighed_for_nobody_else(
    platform: Any, a_visitor: Any, a_branch: Any, unit: Any
) -> None:
    sibling = a_branch()
    seller, other = a_visitor(unit, name="Solo Sight"), a_visitor(sibling, name="Not Shown")
    spread(platform, unit, seller)
    spread(platform, sibling, other)
    for who in ("me", f"unit:{unit['id']}", f"user:{other.user['id']}"):
        page = seller.part(f"/calendar/workload?view=workload&date={MONDAY}&who={who}").text
        assert "Not Shown" not in page, who
        assert ("Solo Sight" in page) is (not who.startswith("user:")), who
