"""One process of the platform: started, watched, started again with back-off when it dies, stopped.

Knows nothing of what the process does. All calls come from the supervisor's main thread.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from branchline.platform import forking
from branchline.platform.forking import Copy

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0  # seconds before a dead process is started again; doubles in between
STEADY_SECONDS = 30.0  # a process that ran this long starts anew with the first pause
MAX_LOG_BYTES = 32 * 1024 * 1024  # one older file of the same size is kept beside
SUPERVISOR_VARIABLE = "BRANCHLINE_SUPERVISOR"


@dataclass
class BackOff:
    """How long to wait before the next start. Units: seconds, on the monotonic clock."""

    pause: float = FIRST_PAUSE
    started: float = 0.0
    next_start: float = 0.0

    def note_start(self, now: float) -> None:
        """A start was made."""
        self.started = now

    def note_death(self, now: float) -> None:
        """The process died: after a steady run the pause is short again."""
        if now - self.started > STEADY_SECONDS:
            self.pause = FIRST_PAUSE
        self.next_start = now + self.pause
        self.pause = min(self.pause * 2, LONGEST_PAUSE)


@dataclass
class Child:
    """A Python process of the platform. `ready` probes it without waiting long."""

    name: str
    log: Path
    ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | Copy | None = None
    restarts: int = 0
    is_ready: bool = False
    back_off: BackOff = field(default_factory=BackOff)
    last_exit: str = ""

    def warm_up(self) -> None:
        """Have it import what it needs, before it can be told its environment."""
        if forking.POSSIBLE:
            self.process = Copy(self.name, self.log)

    def start(self) -> None:
        """Start it, or let it go on from its warming up; its output goes to its log."""
        self.is_ready = False
        told = {**self.environment, SUPERVISOR_VARIABLE: str(os.getpid())}
        if self.process is None:
            keep_log_small(self.log)
            self.warm_up()
        if isinstance(self.process, Copy):
            self.process.release(told)
        else:
            self.process = self._start_anew(told)
        self.back_off.note_start(time.monotonic())

    def _start_anew(self, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"branchline.processes.{self.name}"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def tend(self) -> bool:
        """Notice death and readiness, start it again when its pause is over. Tells whether anything changed."""
        now = time.monotonic()
        if self.process is None:
            if now < self.back_off.next_start:
                return False
            self.start()
            self.restarts += 1
            return True
        code = self.process.poll()
        if code is not None:
            self.process, self.is_ready, self.last_exit = None, False, describe_exit(code)
            self.back_off.note_death(now)
            return True
        if not self.is_ready and self.ready():
            self.is_ready = True
            return True
        return False

    def ask_to_stop(self) -> None:
        """Send SIGTERM."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def wait_stopped(self, end: float) -> None:
        """Wait until `end` on the monotonic clock, then kill it."""
        if self.process is None:
            return
        try:
            self.process.wait(max(end - time.monotonic(), 0.01))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process, self.is_ready = None, False

    def describe(self) -> dict[str, Any]:
        """What `branchline status` shows of it."""
        state = "ready" if self.is_ready else "starting" if self.process else "down"
        return {
            "name": self.name,
            "pid": self.process.pid if self.process else None,
            "state": state,
            "restarts": self.restarts,
            "last_exit": self.last_exit,
        }


def describe_exit(code: int) -> str:
    """How a process ended, in words."""
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"


def keep_log_small(log: Path) -> None:
    """Move a full log beside itself; processes append, so cutting it under them is safe."""
    if log.exists() and log.stat().st_size > MAX_LOG_BYTES:
        older = log.with_suffix(".log.1")
        older.write_bytes(log.read_bytes())
        os.truncate(log, 0)
