"""The embedded platform keeps itself running: whatever is killed comes back, and nothing is left when it stops."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import psutil
import pytest

from branchline.platform.environment import SERVICES
from chassis.testing.eventually import eventually
from tests.e2e.platforms import CommandLine

pytestmark = pytest.mark.timeout(600)

RECOVERY_SECONDS = 90.0  # of a busy machine; a quiet one needs two
MEGABYTES = 600


@pytest.fixture(scope="module")
def started(command_line: CommandLine) -> CommandLine:
    """A platform started in the background."""
    answer = command_line.start()
    print(f"\ncold start over an empty folder: {answer['seconds_to_ready']} s")  # noqa: T201 (the figure is asked for)
    return command_line


def is_ready(command_line: CommandLine) -> bool:
    """Tell whether every process is ready and the services answer."""
    ended = command_line.run("status", "--json")
    return ended.status == 0 and bool(ended.data["services"]) and serving(ended.data["services"]["services"])


def serving(services: list[dict[str, str]]) -> bool:
    """Tell whether all of them serve."""
    return len(services) == len(SERVICES) and all(one["status"] == "serving" for one in services)


def pids_over(folder: Path) -> set[int]:
    """Processes of a platform, found by the folder in their command line or environment."""
    found = set()
    for process in psutil.process_iter():
        try:
            words = " ".join(process.cmdline())
            told = process.environ().get("BRANCHLINE_DATA") == str(folder) and "branchline" in words
            if told or f"{folder}/postgres" in words:
                found.add(process.pid)
        except psutil.Error:
            continue
    return found


def test_a_started_platform_serves_within_its_memory(started: CommandLine) -> None:
    found = started.json("status")
    assert found["phase"] == "ready"
    assert serving(found["services"]["services"])
    assert {one["state"] for one in found["processes"]} == {"ready"}
    assert found["resident_mb"] < MEGABYTES


def test_secrets_are_readable_by_their_owner_only(started: CommandLine) -> None:
    for name in ("credentials.json", "secrets.json", "postgres/password"):
        assert (started.data / name).stat().st_mode & 0o077 == 0, name
    assert json.loads((started.data / "credentials.json").read_text())["password"] not in started.logs()


def test_a_second_start_says_that_it_runs_already(started: CommandLine) -> None:
    ended = started.run("up", "--detach")
    assert ended.status == 0
    assert "the platform is running already: http://127.0.0.1:" in ended.out


@pytest.mark.parametrize("name", ["api", "worker", "jobs", "gateway", "postgres"])
def test_a_killed_process_comes_back(started: CommandLine, name: str) -> None:
    killed = started.processes()[name]["pid"]
    os.kill(killed, signal.SIGKILL)

    def is_back() -> bool:
        process = started.processes().get(name, {})
        return process.get("pid") not in (None, killed) and is_ready(started)

    eventually(is_back, within=RECOVERY_SECONDS, every=0.3)
    assert started.processes()[name]["restarts"] >= 1


def test_a_killed_supervisor_takes_everything_with_it_and_the_next_start_recovers(started: CommandLine) -> None:
    supervisor = started.processes()["supervisor"]["pid"]
    os.kill(supervisor, signal.SIGKILL)
    eventually(lambda: not pids_over(started.data), within=RECOVERY_SECONDS)
    assert started.run("status").status == 3
    started.start()
    assert is_ready(started)


def test_the_data_outlive_a_stop(started: CommandLine) -> None:
    before = started.json("status")
    stopped = started.run("down")
    assert (stopped.status, stopped.out) == (0, "stopped\n")
    assert pids_over(started.data) == set()
    assert started.run("down").out == "the platform is not running\n"
    answer = started.start()
    print(f"\nstart over existing data: {answer['seconds_to_ready']} s")  # noqa: T201 (the figure is asked for)
    assert started.json("status")["url"] == before["url"]


def test_a_foreground_platform_stops_with_its_terminal_signal(started: CommandLine) -> None:
    started.run("down")
    process = started.popen("up")
    eventually(lambda: is_ready(started), within=RECOVERY_SECONDS, every=0.3)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert pids_over(started.data) == set()


def test_migrate_brings_the_databases_up_without_starting(started: CommandLine) -> None:
    ended = started.run("migrate")
    assert (ended.status, ended.out) == (0, "every database has its newest schema\n")
    assert pids_over(started.data) == set()
