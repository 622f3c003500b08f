"""Who runs the platform over a data folder: one supervisor at a time, known by a lock that dies with it.

The lock is the operating system's, so a supervisor that was killed leaves nothing behind that must be believed; what
the file says only names the process, and is checked against it before a signal is sent.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from branchline.platform.folder import DataFolder, read_json

LOCK_ATTEMPTS, NAME_ATTEMPTS = 10, 25


class AlreadyRunning(Exception):
    """Another supervisor holds the folder."""

    def __init__(self, pid: int) -> None:
        super().__init__(f"the platform runs already (process {pid})")
        self.pid = pid


class NotStopped(Exception):
    """The supervisor did not end in time."""


@dataclass(frozen=True)
class Holder:
    """The supervisor of a folder. `start_time`, in seconds since 1970, tells it from a later process of its number."""

    pid: int
    start_time: float


@contextmanager
def claim_folder(folder: DataFolder) -> Iterator[None]:
    """Hold the folder for this process. Errors: AlreadyRunning."""
    folder.make()
    handle = os.open(folder.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(handle, folder)
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(_describe_self()).encode(), 0)
        yield
        os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def find_holder(folder: DataFolder) -> Holder | None:
    """The supervisor that holds the folder now; None when nobody does, whatever an old file says."""
    try:
        handle = os.open(folder.lock, os.O_RDWR)
    except (FileNotFoundError, PermissionError):
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_holder(folder)
    finally:
        os.close(handle)
    return None


def _read_holder(folder: DataFolder) -> Holder:
    """Whom the file names; right after a start it may still name nobody, or an earlier one, for an instant."""
    for _ in range(NAME_ATTEMPTS):
        named = read_json(folder.lock)
        holder = Holder(int(named.get("pid", 0)), float(named.get("start_time", 0.0)))
        if is_same_process(holder):
            break
        time.sleep(0.02)
    return holder


def stop_holder(folder: DataFolder, within: float) -> Holder | None:
    """Ask the supervisor to stop everything, wait `within` seconds; None when none runs. Errors: NotStopped."""
    holder = find_holder(folder)
    if holder is None:
        return None
    if not is_same_process(holder):
        raise NotStopped(f"process {holder.pid} is not the platform's supervisor; nothing was stopped")
    os.kill(holder.pid, signal.SIGTERM)
    end = time.monotonic() + within
    while find_holder(folder) == holder:
        if time.monotonic() > end:
            raise NotStopped(f"the platform (process {holder.pid}) has not stopped after {within:.0f} s")
        time.sleep(0.05)
    return holder


def is_same_process(holder: Holder) -> bool:
    """Tell whether the named process still is the one that wrote the file, not a later one with its number."""
    import psutil

    if not holder.pid:
        return False
    try:
        return abs(psutil.Process(holder.pid).create_time() - holder.start_time) < 1.0
    except psutil.NoSuchProcess:
        return False


def _lock(handle: int, folder: DataFolder) -> None:
    """A look of `find_holder` holds the lock for an instant too, hence the few attempts."""
    for attempt in range(LOCK_ATTEMPTS):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            pid = int(read_json(folder.lock).get("pid", 0))
            if pid or attempt == LOCK_ATTEMPTS - 1:
                raise AlreadyRunning(pid) from None
            time.sleep(0.02)


def _describe_self() -> dict[str, Any]:
    import psutil

    return {"pid": os.getpid(), "start_time": psutil.Process().create_time()}
