"""What every extension of a worker is: a loop on a managed thread that waits out what passes, until it is told to stop.

nameko's own consumers ack what failed, run one queue's messages at once, and name queues after methods; none of its
AMQP parts is used here. A loop that ends by an unforeseen error kills its container, and that ends the process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import eventlet
import sqlalchemy as sa
from eventlet.event import Event
from nameko.extensions import Entrypoint

from chassis.backing_off import backoff_seconds
from chassis.bus.health import WorkerHealth, reason_of
from chassis.bus.patch import native
from chassis.bus.relay import POLL_SECONDS, Fenced
from chassis.bus.transport import Bus, BusLost

P = ParamSpec("P")
T = TypeVar("T")
# Between looks for something to do where nothing tells of it: grows while there is nothing. A dozen loops that look
# ten times a second cost an eighth of a core for nothing.
FIRST_IDLE_SECONDS, LAST_IDLE_SECONDS, IDLE_GROWTH = POLL_SECONDS, 0.4, 1.5
STANDBY_SECONDS = 1.0  # between tries to take over from another process
# Promise: publishing again 10 s after the broker is back. A broker that has just started needs some seconds to tell
# every loop of a worker how its queues stand, and it may refuse the first try.
FIRST_BACKOFF_SECONDS, LAST_BACKOFF_SECONDS = 0.5, 3.0


class Loop(Entrypoint):
    """Runs `turn` again and again on a managed thread until the container stops."""

    def __init__(self, part: str, health: WorkerHealth, stopping: threading.Event) -> None:
        super().__init__()
        self.part, self.health, self.stopping = part, health, stopping
        self._ended = Event()
        self._woken = Event()
        self._failures = 0
        self._idle = FIRST_IDLE_SECONDS

    def start(self) -> None:
        """Begin; never fails for want of a bus or a database."""
        self.container.spawn_managed_thread(self._run, identifier=self.part)

    def stop(self) -> None:
        """End after the present turn and wait for that."""
        self.stopping.set()
        if not self._woken.ready():
            self._woken.send()
        self._ended.wait()

    def turn(self) -> None:
        """Do one piece of work. Errors: BusLost, Fenced and DBAPIError are waited out."""
        raise NotImplementedError

    def wait_out(self, seconds: float) -> None:
        """Wait between turns that fail."""
        self.pause(seconds)

    def pause(self, seconds: float) -> None:
        """Wait on the hub, at most until stopped."""
        if not self.stopping.is_set():
            with eventlet.Timeout(seconds, False):
                self._woken.wait()

    def rest(self, found: bool) -> None:
        """Wait before the next look: shortly after one that found something, longer the longer there was nothing."""
        if found:
            self._idle = FIRST_IDLE_SECONDS
        self.pause(self._idle)
        self._idle = min(self._idle * IDLE_GROWTH, LAST_IDLE_SECONDS)

    def call(self, bus: Bus, act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do something that waits for the bus, where its connections wait."""
        return act(*args, **kwargs) if bus.on_hub else native(act, *args, **kwargs)

    def work_well(self) -> None:
        """Say that the part works."""
        self._failures = 0
        self.health.well(self.part)

    def _run(self) -> None:
        try:
            while not self.stopping.is_set():
                try:
                    self.turn()
                except (BusLost, Fenced, sa.exc.DBAPIError, sa.exc.TimeoutError) as trouble:
                    self.health.trouble(self.part, reason_of(trouble))
                    self._failures += 1
                    self.wait_out(backoff_seconds(self._failures, FIRST_BACKOFF_SECONDS, LAST_BACKOFF_SECONDS))
        finally:
            self._ended.send()
