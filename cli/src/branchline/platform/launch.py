"""Starts a supervisor in the background and waits until its platform is ready, telling each step."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from branchline.exits import Failure
from branchline.platform.claim import find_holder
from branchline.platform.folder import ROOT, VARIABLE, DataFolder, read_json, remember_company, write_json

START_SECONDS = 120.0  # a first start on a slow disk; a usual one takes a few seconds
BUS_VARIABLE = "BRANCHLINE_BUS"


def start_detached(
    folder: DataFolder, port: int, bus_url: str, company: dict[str, str], say: Callable[[str], None]
) -> dict[str, Any]:
    """Start and wait; answers the supervisor's state. Errors: Failure with the last lines of its log."""
    folder.make()
    remember_company(folder, company)
    write_json(folder.state, {"phase": "starting"})
    command = [sys.executable, "-m", "branchline", "up", *(["--port", str(port)] if port else [])]
    environment = {**os.environ, VARIABLE: str(folder.path), **({BUS_VARIABLE: bus_url} if bus_url else {})}
    log = folder.logs / "supervisor.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
    told = ""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        state = read_json(folder.state)
        if state.get("phase") == "ready":
            return state
        if process.poll() is not None:
            raise Failure(f"the platform did not start: {last_lines(folder, 3)}", reason="NOT_STARTED")
        if state.get("message") and state["message"] != told:
            told = state["message"]
            say(told)
        time.sleep(0.05)
    raise Failure(f"the platform is not ready after {START_SECONDS:.0f} s; see {folder.logs}", reason="NOT_READY")


def is_running(folder: DataFolder) -> bool:
    """Tell whether a supervisor holds the folder."""
    return find_holder(folder) is not None


def last_lines(folder: DataFolder, count: int) -> str:
    """The end of the supervisor's log in one line."""
    log = folder.logs / "supervisor.log"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return " | ".join(lines[-count:]) or f"see {log}"
