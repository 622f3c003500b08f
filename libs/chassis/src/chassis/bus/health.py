"""What a worker process says of itself: which of its parts cannot do their work now, and why."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

from chassis import measuring
from chassis.bus.relay import Fenced
from chassis.bus.transport import BusLost
from chassis.errors import DomainError

log = logging.getLogger(__name__)


class WorkerHealth:
    """Parts and their troubles. A bus that is down makes a worker degraded, never dead.

    With a `file`, the state is kept there as `{"state": "ok" | "degraded", "troubles": {part: reason}}`; how old the
    file is tells whether the worker still turns round.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._troubles: dict[str, str] = {}
        self._write()

    @property
    def state(self) -> str:
        """`ok` or `degraded`."""
        return "degraded" if self._troubles else "ok"

    def trouble(self, part: str, reason: str) -> None:
        """Note that a part cannot work; said in the log once, until it works again."""
        if self._troubles.get(part) == reason:
            return
        self._troubles[part] = reason
        log.warning("degraded", extra={"part": part, "reason": reason})
        self._write()

    def well(self, part: str) -> None:
        """Note that a part works."""
        if self._troubles.pop(part, None) is not None:
            log.info("recovered", extra={"part": part})
            self._write()

    def beat(self) -> None:
        """Say that the hub still turns."""
        if self._file is not None:
            self._file.touch()

    def _write(self) -> None:
        measuring.degraded.set(len(self._troubles))
        if self._file is None:
            return
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps({"state": self.state, "troubles": self._troubles}))
        os.replace(fresh, self._file)


def reason_of(trouble: Exception) -> str:
    """A reason without values: a driver's text may quote them."""
    if isinstance(trouble, DomainError):
        return trouble.reason
    return str(trouble) if isinstance(trouble, (BusLost, Fenced)) else type(trouble).__name__
