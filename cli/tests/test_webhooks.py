"""`webhooks`: a secret is shown when it is made, a standing shows what waits, and acts go where they say."""

from __future__ import annotations

import pytest

from branchline.app import run
from branchline.exits import Exit

from .test_rest import Answer, Platform, platform

__all__ = ["platform"]
HOOK = {"id": "w1", "name": "erp", "state": "on", "failures": 0, "address": "https://erp.example/in"}
STANDING = {
    "webhook": HOOK,
    "waiting": [{"service": "contacts", "position": 7, "state": "parked", "result": "refused"}],
    "tries": [{"create_time": "2026-03-01T12:00:00Z", "type": "PersonCreated", "result": "refused", "status": 500}],
}


def test_webhooks_are_made_seen_and_acted_on(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[str, str]] = []

    def answer(method: str, path: str) -> Answer:
        asked.append((method, path.rpartition("/api/v1")[2]))
        if path.endswith("/webhooks"):
            return 200, {"webhook": HOOK, "secret": "whsec_new"} if method == "POST" else {"webhooks": [HOOK]}
        if path.endswith("/test"):
            return 200, {"result": "delivered", "status": 200}
        return 200, STANDING if method == "GET" else HOOK

    monkeypatch.setenv("BRANCHLINE_URL", platform(answer))
    for command in (
        ["add", "erp", "https://erp.example/in", "--type", "crm.deals.events.v1.DealOpened"],
        ["list"],
        ["show", "w1"],
        ["test", "w1"],
        ["pause", "w1"],
        ["replay", "w1", "contacts", "6"],
        ["skip", "w1", "contacts", "7"],
        ["remove", "w1"],
    ):
        assert run(["webhooks", *command]) == Exit.OK, command
    said = capsys.readouterr().out
    assert [one for one in ("whsec_new", "https://erp.example/in", "parked", "delivered 200") if one not in said] == []
    acts = [one for one in asked if "w1" in one[1]]
    assert acts == [
        ("GET", "/webhooks/w1"),
        ("POST", "/webhooks/w1/test"),
        ("POST", "/webhooks/w1/pause"),
        ("POST", "/webhooks/w1/replay"),
        ("POST", "/webhooks/w1/skip"),
        ("DELETE", "/webhooks/w1"),
    ]
