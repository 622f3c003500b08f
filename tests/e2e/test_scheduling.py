"""A day with activities on the real platform: done calls reach the customer's line of time, reminders survive kills."""

from __future__ import annotations

import os
import signal
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from branchline.platform.folder import DataFolder, read_json
from chassis.testing.eventually import eventually
from tests.e2e.office import Office

pytestmark = pytest.mark.timeout(300)

MANY = 40
PATIENCE = 60.0  # seconds, of a busy machine


@pytest.fixture(scope="module")
def granin(office: Office) -> str:
    body = {"display_name": "Vsevolod Granin", "channels": [{"kind": "email", "raw": "granin@example.org"}]}
    return str(office.rest.post("/persons", body, key=str(uuid.uuid4()))["person"]["id"])


def plan(office: Office, **fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = office.rest.post("/activities", {"kind": "call", **fields}, key=str(uuid.uuid4()))
    return found


def in_seconds(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def complete(office: Office, activity: dict[str, Any], **how: Any) -> dict[str, Any]:
    path = f"/activities/{activity['id']}/complete"
    found: dict[str, Any] = office.rest.post(path, how, key=str(uuid.uuid4()))
    return found


def test_a_done_call_stands_on_the_customers_line_of_time_and_the_next_one_is_planned(
    office: Office, granin: str
) -> None:
    repetition = {"every": 2, "unit": "week"}
    call = plan(office, person_id=granin, due_time=in_seconds(-60), repetition=repetition)
    done = complete(office, call, outcome="away", summary="In the mountains till June")
    eventually(lambda: timeline(office, granin) == [("call", "away", "In the mountains till June")], within=PATIENCE)
    assert done["next_activity"]["occurrence"] == 2
    (step,) = office.rest.get("/next_steps", person_ids=granin)["next_steps"]
    assert (step["activity"]["id"], step["open_count"]) == (done["next_activity"]["id"], 1)
    named = eventually(lambda: office.rest.get(f"/activities/{call['id']}")["person_name"], within=PATIENCE)
    assert named == "Vsevolod Granin"


def timeline(office: Office, person_id: str) -> list[tuple[str, str, str]]:
    found = office.rest.get("/interactions", person_id=person_id)["interactions"]
    return [(one["kind"], one["outcome"], one["summary"]) for one in found]


def test_a_day_and_its_calendar_answer_at_once(office: Office) -> None:
    task = plan(office, kind="task", subject="Send the offer", due_date=datetime.now(UTC).date().isoformat())
    today = office.rest.get("/today", time_zone="UTC")
    assert task["id"] in {one["id"] for one in today["due_today"]}
    range_ = {"start_date": today["date"], "end_date": (datetime.now(UTC).date() + timedelta(days=42)).isoformat()}
    entries = office.rest.get("/calendar", **range_)["entries"]
    assert [one["occurrence"] for one in entries if one["virtual"]] == [3]
    complete(office, task)


def test_every_reminder_and_alert_comes_once_though_the_worker_is_killed_again_and_again(
    office: Office, platform: DataFolder
) -> None:
    wanted = {
        plan(office, subject=f"Call {number}", due_time=in_seconds(10 + number / 4), reminder_minutes=1)["id"]
        for number in range(MANY)
    }

    def told() -> Counter[tuple[str, str]]:
        events = all_events(office)
        return Counter((one["type"].rpartition(".")[2], one["aggregate_id"]) for one in events)

    for share in (1, MANY // 2, MANY + MANY // 2):
        eventually(lambda least=share: least_told(told(), wanted) >= least, within=PATIENCE, every=0.2)  # type: ignore[misc]
        os.kill(eventually(lambda: worker_of(platform), within=PATIENCE), signal.SIGKILL)
    eventually(lambda: least_told(told(), wanted) >= 2 * MANY, within=PATIENCE, every=0.5)
    counts = told()
    for kind in ("ActivityReminded", "ActivityLapsed"):
        assert {counts[kind, one] for one in wanted} == {1}


def worker_of(platform: DataFolder) -> int:
    """The worker's process id; 0 while it is down."""
    return next(int(one["pid"] or 0) for one in read_json(platform.state)["processes"] if one["name"] == "worker")


def least_told(counts: Counter[tuple[str, str]], wanted: set[str]) -> int:
    return sum(counts[kind, one] for kind in ("ActivityReminded", "ActivityLapsed") for one in wanted)


def all_events(office: Office) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        after = found[-1]["position"] if found else 0
        page = office.rest.get("/services/scheduling/events", after_position=after, page_size=500)["events"]
        found += page
        if not page:
            return found
