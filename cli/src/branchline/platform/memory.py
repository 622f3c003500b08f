"""How much memory the platform's processes hold, PostgreSQL's own children included.

Shared memory is counted once where the system tells how it is shared (PSS); elsewhere plain resident size is taken.
"""

from __future__ import annotations

from typing import Any

import psutil

MEGABYTE = 1024 * 1024


def resident_bytes(pid: int | None, below: bool = True) -> int:
    """Memory of a process, and of all `below` it, in bytes; 0 when it is gone."""
    if not pid:
        return 0
    try:
        process = psutil.Process(pid)
        return sum(_one(each) for each in (process, *(process.children(recursive=True) if below else ())))
    except psutil.NoSuchProcess:
        return 0


def _one(process: psutil.Process) -> int:
    try:
        full: Any = process.memory_full_info()
        return int(getattr(full, "pss", 0) or full.rss)
    except psutil.AccessDenied:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
