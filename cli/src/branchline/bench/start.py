"""How long a cold start takes, and how much memory the started platform holds."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from branchline.bench.catalogue import Bench, Figure, Say
from branchline.platform.claim import stop_holder
from branchline.platform.describing import describe_platform
from branchline.platform.folder import DataFolder
from branchline.platform.launch import start_detached

STOP_SECONDS = 25.0


def measure(say: Say) -> Sequence[Figure]:
    """Start over an empty folder, stop, start over the same folder again, and look at the memory."""
    with tempfile.TemporaryDirectory(prefix="branchline-bench-") as name:
        folder = DataFolder(Path(name))
        seconds = []
        for words in ("first start", "second start"):
            say(words)
            seconds.append(float(start_detached(folder, 0, "", {}, lambda _: None)["seconds_to_ready"]))
            megabytes = float(describe_platform(folder)["resident_mb"])
            stop_holder(folder, STOP_SECONDS)
    return [
        Figure("first start, empty folder", seconds[0], "s", must=10, aim=5, lower_is_better=True),
        Figure("start over existing data", seconds[1], "s", must=10, aim=5, lower_is_better=True),
        Figure("resident memory of all processes", megabytes, "MB", must=600, lower_is_better=True),
    ]


BENCH = Bench("start", "How long does a start take, and how much memory do all processes hold?", measure)
