"""A copied process begins with what its supervisor had imported and nothing else of it, and ends like any process.

Run by test_forking.py in an interpreter of its own, which like a supervisor holds no gRPC: its threads survive no fork.
"""

from __future__ import annotations

import fcntl
import gc
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest

from branchline.platform import forking
from branchline.platform.forking import Copy, Nursery
from chassis.testing.eventually import eventually

pytestmark = pytest.mark.skipif(not forking.POSSIBLE, reason="processes are copied on Linux only")
Start = Callable[[Callable[[], None]], Copy]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "probe.log"


@pytest.fixture
def start(log: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Copies this process for a function; the copy waits at its gate."""

    def begin(main: Callable[[], None]) -> Copy:
        module = ModuleType("branchline.processes.probe")
        module.main = main  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return Copy("probe", log)

    return begin


def test_it_runs_with_the_environment_it_is_told_and_writes_to_its_log(start: Start, log: Path) -> None:
    def tell() -> None:
        os.write(1, f"{sorted(os.environ)} {os.environ['PLACE']}".encode())

    copy = start(tell)
    copy.release({"PLACE": "Орёл"})
    assert copy.wait(20) == 0
    assert log.read_text(encoding="utf-8").strip() == "['PLACE'] Орёл"


def test_it_waits_until_its_gate_opens(start: Start, log: Path) -> None:
    copy = start(lambda: None)
    with pytest.raises(subprocess.TimeoutExpired):
        copy.wait(0.2)
    copy.release({})
    assert copy.wait(20) == 0


def test_a_failure_is_an_exit_status_and_its_story_is_in_the_log(start: Start, log: Path) -> None:
    def fail() -> None:
        raise RuntimeError("no luck")

    def leave() -> None:
        sys.exit("settings: nothing is set")

    for main, words in ((fail, "RuntimeError: no luck"), (leave, "settings: nothing is set")):
        copy = start(main)
        copy.release({})
        assert copy.wait(20) == 1
        assert words in log.read_text(encoding="utf-8")


def test_signals_end_it_although_the_supervisor_takes_them_otherwise(start: Start) -> None:
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        for number in (signal.SIGTERM, signal.SIGKILL):
            copy = start(sleep_on)
            eventually(partial(leads_itself, copy))
            copy.send_signal(number)
            assert copy.wait(20) == -number
    finally:
        signal.signal(signal.SIGTERM, before)


def test_it_does_not_hold_the_lock_of_the_folder(start: Start, tmp_path: Path) -> None:
    lock = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    copy = start(sleep_on)
    os.close(lock)
    eventually(lambda: is_free(tmp_path / "lock"))
    assert copy.poll() is None
    copy.kill()
    assert copy.wait(20) == -signal.SIGKILL


def sleep_on() -> None:
    threading.Event().wait()


def leads_itself(copy: Copy) -> bool:
    return os.getpgid(copy.pid) == copy.pid


def is_free(path: Path) -> bool:
    handle = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True


def test_what_all_processes_share_holds_no_grpc_and_no_bus() -> None:
    words = (
        "import sys; from branchline.platform.forking import Nursery; Nursery().finish();"
        "print(sorted({'grpc', 'eventlet', 'kombu', 'nameko'} & set(sys.modules)), 'sqlalchemy' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout.strip() == "[] True"


def test_the_supervisor_has_one_thread_again_before_it_is_copied() -> None:
    before = threading.active_count()
    Nursery().finish()
    assert threading.active_count() == before


def test_no_thread_of_the_imports_is_left_when_copies_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forking, "_import_shared", lambda: None)
    for _ in range(200):  # without waiting for its own end, a thread is still there after two joins of five
        nursery = Nursery()
        nursery.finish()
        assert not Path(f"/proc/self/task/{nursery._thread.native_id}").exists()
    gc.unfreeze()
