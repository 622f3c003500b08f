"""How every process of the embedded platform begins and ends: tied to its supervisor, with logs and traces."""

from __future__ import annotations

import os

from chassis.parent_death import end_with_parent
from chassis.process import start_process


def begin(process: str) -> None:
    """Tie this process to the supervisor that started it, and start logs and traces."""
    supervisor = os.environ.get("BRANCHLINE_SUPERVISOR")
    if supervisor:
        end_with_parent(int(supervisor))
    start_process(process)
