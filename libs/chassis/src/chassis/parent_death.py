"""Ends a process with the one that started it, so that killing a supervisor leaves nothing running.

Linux only (prctl(2), PR_SET_PDEATHSIG); elsewhere the next start finds and stops what was left.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int | None = None, number: int = signal.SIGTERM) -> None:
    """Have the system send signal `number` to this process when the thread that started it ends.

    `parent` is the process that should be the parent: when it is gone already, the signal is sent at once.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), number)
