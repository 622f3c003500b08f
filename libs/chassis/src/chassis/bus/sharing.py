"""How several worker processes share a consumer's queues: each reads its part, and what a lost one read is taken over.

Each process counts itself at the broker. Nobody reads more queues than there are for each process, rounded up; who
does, because another process came, hands over what is in hand and lets one go.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence

from chassis.bus.consumer import Consumer
from chassis.bus.health import WorkerHealth
from chassis.bus.loop import STANDBY_SECONDS, Loop
from chassis.bus.transport import DividingBus

LOOK_SECONDS = 2.0  # between two counts; a queue without a reader is noticed within this


class Share:
    """What one process reads of one consumer's queues. Used by green threads of one hub only."""

    def __init__(self, queues: int) -> None:
        self._queues = queues
        self._workers = 0
        self._free: frozenset[int] = frozenset()
        self._held: set[int] = set()

    @property
    def known(self) -> bool:
        """Tell whether the others were counted yet."""
        return self._workers > 0

    def note(self, workers: int, readers: Sequence[int]) -> None:
        """Take what was counted: worker processes, this one included, and the readers of each queue."""
        self._workers = max(workers, 1)
        self._free = frozenset(part for part, reading in enumerate(readers) if not reading)

    def take(self, part: int) -> bool:
        """Claim a queue that nobody reads; False when this process has enough."""
        if part not in self._free or len(self._held) >= self._most:
            return False
        self._held.add(part)
        return True

    def must_give(self, part: int) -> bool:
        """Tell whether this queue is to be left to another process."""
        return len(self._held) > self._most and part == max(self._held)

    def give(self, part: int) -> None:
        """Say that a queue is not read here any more."""
        self._held.discard(part)
        self._free -= {part}  # until the next count says that nobody took it

    @property
    def _most(self) -> int:
        return math.ceil(self._queues / self._workers) if self._workers else 0


class ShareLoop(Loop):
    """Counts processes and readers, for `share`."""

    def __init__(
        self, consumer: Consumer, share: Share, bus: DividingBus, health: WorkerHealth, stopping: threading.Event
    ) -> None:
        super().__init__(f"{consumer.name} share", health, stopping)
        self.consumer, self.share, self.bus = consumer, share, bus

    def turn(self) -> None:
        """Be counted and count until stopped."""
        if self.call(self.bus, self.bus.declare, [self.consumer]):
            return self.pause(STANDBY_SECONDS)  # queues of another number are emptied first
        attendance = self.call(self.bus, self.bus.attend, self.consumer)
        try:
            while not self.stopping.is_set():
                self.share.note(*self.call(self.bus, attendance.count))
                self.work_well()
                self.pause(LOOK_SECONDS)
        finally:
            self.call(self.bus, attendance.close)
