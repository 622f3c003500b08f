"""Starts a Python process of the platform as a copy of the supervisor, which holds what all of them import.

Importing the database and message libraries takes each process a second, five times over at a start; a copy has them at
once, and shares their memory. A copy imports the rest and then waits at its gate for its environment, so that this goes
on while the databases are prepared. Linux only: elsewhere libraries of the system do not survive a fork.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from branchline.platform.environment import ARENAS, LARGE_BYTES, SERVICES

POSSIBLE = sys.platform == "linux"
# What every process needs. Never grpc: a worker process must not hold it, and its threads do not survive a fork.
SHARED = (
    "sqlalchemy.dialects.postgresql.psycopg", "chassis.database", "chassis.process", "chassis.tokens",
    *(f"crm.{name}.v1.{name}_pb2" for name in SERVICES),
    *(f"crm.{name}.events.v1.{name}_events_pb2" for name in SERVICES if name != "reporting"),
    "crm.platform.v1.events_pb2", "values.phones", "values.emails", "values.names", "values.organization_names",
    "rapidfuzz.fuzz",
)  # fmt: skip
POLL_SECONDS = 0.01
# glibc's mallopt: what the variables of environment.SMALL tell a process that is started, not copied.
M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD = -8, -3, -1


class Nursery:
    """Imports the shared modules, beside whatever the supervisor does meanwhile."""

    def __init__(self) -> None:
        self._thread = threading.Thread(target=_import_shared, name="nursery")
        self._thread.start()

    def finish(self) -> None:
        """Wait until all is imported; from then on the supervisor has one thread, as copying it asks for."""
        self._thread.join()
        # Python's join returns before the thread's own end, in which OpenSSL gives back what it kept for the thread. A
        # copy made in that moment has OpenSSL's locks taken for good, and stands still at the first key it reads.
        while Path(f"/proc/self/task/{self._thread.native_id}").exists():
            time.sleep(POLL_SECONDS / 10)
        gc.freeze()  # objects of before are not looked through again, so their memory stays shared


class Copy:
    """A forked process, with what is used of `subprocess.Popen`. It runs `main` of its module once it has its gate."""

    def __init__(self, name: str, log: Path) -> None:
        reading, self._gate = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            _live(lambda: _run(name, reading), log, reading)
        os.close(reading)

    def release(self, environment: Mapping[str, str]) -> None:
        """Open its gate: this is its environment."""
        with suppress(BrokenPipeError), os.fdopen(self._gate, "w", encoding="utf-8") as gate:  # it may have died
            json.dump(dict(environment), gate)

    def poll(self) -> int | None:
        """Its exit code, negative for a signal; None while it lives."""
        if self.returncode is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Errors: subprocess.TimeoutExpired."""
        end = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
            time.sleep(POLL_SECONDS)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)


def _import_shared() -> None:
    for name in SHARED:
        import_module(name)


def _live(run: Callable[[], None], log: Path, gate: int) -> None:
    """The whole life of the copy: it never returns into the supervisor's work."""
    code = 1
    try:
        _leave_supervisor(log, gate)
        run()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        if isinstance(ended.code, str):
            sys.stderr.write(f"{ended.code}\n")
    finally:
        if sys.exc_info()[0] is not None:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _leave_supervisor(log: Path, gate: int) -> None:
    """Give back what is the supervisor's: signals, terminal, open files (the lock of the folder among them)."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    os.setsid()
    for place, path, mode in ((0, os.devnull, os.O_RDONLY), (1, log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)):
        opened = os.open(path, mode, 0o644)
        os.dup2(opened, place)
    os.dup2(1, 2)
    os.closerange(3, gate)
    os.closerange(gate + 1, os.sysconf("SC_OPEN_MAX"))
    if hasattr(system := ctypes.CDLL(None), "mallopt"):
        for option, value in ((M_ARENA_MAX, ARENAS), (M_MMAP_THRESHOLD, LARGE_BYTES), (M_TRIM_THRESHOLD, LARGE_BYTES)):
            system.mallopt(option, value)


def _run(name: str, gate: int) -> None:
    module = import_module(f"branchline.processes.{name}")
    for needed in getattr(module, "NEEDED", ()):
        import_module(needed)
    with os.fdopen(gate, encoding="utf-8") as reading:
        told = reading.read()
    if not told:  # the supervisor is gone, or does not need this copy any more
        return
    os.environ.clear()
    os.environ.update(json.loads(told))
    module.main()
