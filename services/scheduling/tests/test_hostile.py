"""Any text in any script comes back byte for byte, in the answer, in the list and in the event."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from crm.scheduling.v1 import scheduling_pb2 as pb
from services.scheduling.tests.desk import Desk

SCRIPTS = (
    "Гранин",
    "جرانين",
    "グラーニン",
    "גרנין",
    "ग्रानिन",
    "🧑🏽‍🎨",
    "a\u0301 \u200f\u202e",
    "\ufeff",
    "' OR 1=1 --",
    "{{7*7}}",
)


def check(desk: Desk, texts: list[str]) -> None:
    for text in texts:
        waiting = pb.Waiting(side=pb.WAITING_SIDE_CUSTOMER, note=text)
        planned = desk.plan(kind=pb.ACTIVITY_KIND_CALL, subject=text, description=text, waiting=waiting)
        desk.complete(planned, summary=text)
    found = desk.call("ListActivities", pb.ListActivitiesRequest(page_size=500)).activities
    expected = sorted((text, text, text, text) for text in texts)
    assert sorted((one.subject, one.description, one.summary, one.waiting.note) for one in found) == expected
    told = [one.message.activity.personal for one in desk.told("ActivityCompleted")]
    assert sorted((one.subject, one.description, one.summary, one.waiting_note) for one in told) == expected


def test_text_of_every_script_comes_back_byte_for_byte(desk: Desk) -> None:
    check(desk, list(SCRIPTS))


@pytest.fixture
def naughty(shared_data: Callable[[str], Path]) -> list[str]:
    texts: list[str] = json.loads((shared_data("strings-hostile") / "blns.json").read_text(encoding="utf-8"))
    return [text for text in texts if len(text) <= 300 and "\0" not in text][:200]


def test_naughty_strings_come_back_byte_for_byte(desk: Desk, naughty: list[str]) -> None:
    check(desk, naughty)
