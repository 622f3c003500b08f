"""Copying processes, tried where it is done: in an interpreter that holds no gRPC, whose threads survive no fork."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from branchline.platform import forking

TESTS = Path(__file__).with_name("copying_processes.py")


@pytest.mark.skipif(not forking.POSSIBLE, reason="processes are copied on Linux only")
def test_copied_processes_live_and_end_as_started_ones_do() -> None:
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(TESTS))
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=TESTS.parents[2])
    assert ended.returncode == 0, ended.stdout
    assert re.search(rf"{TESTS.read_text(encoding='utf-8').count('def test_')} passed", ended.stdout), ended.stdout
