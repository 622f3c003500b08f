"""A container says that its process is well while it is, and what is wrong when it is not."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from chassis.bus.health import WorkerHealth
from chassis.check_health import find_trouble
from chassis.rpc.server import start_server
from chassis.tokens import TokenVerifier, public_key_of


def test_an_api_process_is_well_while_it_answers(private_key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server, port = start_server("127.0.0.1:0", (), TokenVerifier(public_key_of(private_key)))
    monkeypatch.setenv("GRPC_LISTEN", f"0.0.0.0:{port}")

    assert find_trouble("serve") == ""
    server.stop(None).wait()
    assert find_trouble("serve") == "it does not answer: UNAVAILABLE"


def test_a_gateway_that_nobody_answers_for_is_not_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_LISTEN", "0.0.0.0:1")

    assert find_trouble("serve").startswith("it does not answer: ")


def test_a_worker_is_well_while_it_moves_also_without_its_bus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "health"
    monkeypatch.setenv("HEALTH_FILE", str(file))
    assert find_trouble("work") == "it has not begun"
    health = WorkerHealth(file)
    health.trouble("relay", "no bus")

    assert find_trouble("work") == ""
    assert '"degraded"' in capsys.readouterr().out

    long_ago = time.time() - 60
    os.utime(file, (long_ago, long_ago))
    assert find_trouble("work").startswith("it has not moved for 60")
    health.beat()
    assert find_trouble("work") == ""
