"""Handing over goes on by itself where there is more than one request does, and says what it cannot do."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from services.gateway.tests.web.records import a_new_branch, make_records, make_user

HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


def test_what_one_request_does_not_do_the_next_ones_do(
    platform: Any, a_visitor: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.web.hand_over.AT_ONCE", 1)
    monkeypatch.setattr("gateway.web.hand_over.SECONDS", -1.0)
    unit = a_new_branch(platform, "Leavers")
    made, heir = make_records(platform, unit, "Roman Leaver"), make_user(platform.admin(), unit, "Sofia Heir")
    head = a_visitor(unit, "head")
    path = f"/people/{made['user']}/hand-over"
    assert "Sofia Heir</option>" in head.get(path).text
    counts = platform.admin().post("/customers/hand_over", {"from_owner_id": made["user"], "dry_run": True})
    fields = {"request_id": "once", "customers": heir["user"], "note": "left"}
    rounds = 0
    while True:
        answer = head.post(path, fields, "form#hand-over")
        assert answer.status_code == 200, answer.text
        rounds += 1
        if "Handed over" in answer.text:
            break
        assert 'hx-trigger="load, submit"' in answer.text
        fields = dict(HIDDEN.findall(answer.text))
    assert rounds == counts["remaining"] > 1
    assert f"Persons: {sum(one['persons'] for one in counts['units'])}" in answer.text
    assert platform.admin().get(f"/persons/{made['person']}")["owner_id"] == heir["user"]
    assert "left" in head.part(f"/customers/{made['person']}/owners").text


def test_nobody_to_hand_over_to_is_said_by_the_form(platform: Any, a_visitor: Callable[..., Any]) -> None:
    unit = a_new_branch(platform, "Leavers")
    leaver = make_user(platform.admin(), unit, "Roman Leaver")
    answer = a_visitor(unit, "head").post(f"/people/{leaver['user']}/hand-over", {}, "form#hand-over")
    assert (answer.status_code, "choose a colleague" in answer.text) == (400, True)
