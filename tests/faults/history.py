"""What the users of a platform under fault were told: which writes were acknowledged, which failed, which are open.

One line a step in a file, written before the call and after it, so that a history outlives whoever is killed and can be
read by itself afterwards.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.faults.checkers import Fact

STARTED, DONE, TROUBLE, GIVEN_UP = "started", "done", "trouble", "given up"


@dataclass(frozen=True)
class Step:
    """One line: `time` on the monotonic clock; `fact` of an acknowledged write; `what` the trouble's name."""

    operation: int
    state: str
    time: float
    fact: Fact | None = None
    what: str = ""


class History:
    """The steps of all writers."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        self._output = file.open("a", encoding="utf-8", buffering=1)
        self._steps: list[Step] = []

    def note(self, operation: int, state: str, fact: Fact | None = None, what: str = "") -> None:
        """Add a step."""
        step = Step(operation, state, time.monotonic(), fact, what)
        with self._lock:
            self._steps.append(step)
            self._output.write(json.dumps([operation, state, step.time, fact, what]) + "\n")

    @property
    def acknowledged(self) -> list[Fact]:
        """Writes that were answered well."""
        with self._lock:
            return [one.fact for one in self._steps if one.fact is not None]

    @property
    def records(self) -> frozenset[str]:
        """Records that were written to."""
        return frozenset(record for record, _ in self.acknowledged)

    def troubles(self) -> Counter[str]:
        """Calls that failed and were made again with the same key, by their reason."""
        with self._lock:
            return Counter(one.what for one in self._steps if one.state == TROUBLE)

    def given_up(self) -> list[Step]:
        """Writes that a user was told have failed."""
        with self._lock:
            return [one for one in self._steps if one.state == GIVEN_UP]

    def waits(self) -> list[float]:
        """Seconds from the beginning of each acknowledged write to its answer."""
        with self._lock:
            began = {one.operation: one.time for one in self._steps if one.state == STARTED}
            return [one.time - began[one.operation] for one in self._steps if one.state == DONE]

    def close(self) -> None:
        """Write no more."""
        self._output.close()
