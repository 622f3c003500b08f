"""A bridge as it runs: one direction on a thread of its own, that waits out whatever passes, until it is told to stop.

Most of what passes is the link: it may be away for days, and costs a try every half minute then.
"""

from __future__ import annotations

import logging
import threading
import time

import sqlalchemy as sa

from chassis.backing_off import backoff_seconds
from chassis.bus.bridge import Bridge
from chassis.bus.health import WorkerHealth, reason_of
from chassis.bus.relay import Fenced
from chassis.bus.transport import Bus, BusLost, Publisher
from chassis.errors import DomainError

log = logging.getLogger(__name__)
IDLE_SECONDS = 0.5  # between looks at the logs where nothing tells of news
AGE_SECONDS = 15.0  # as what is watched in the databases
STANDBY_SECONDS = 1.0  # between tries to take over from another bridge
FIRST_BACKOFF_SECONDS, LAST_BACKOFF_SECONDS = 0.5, 30.0
PASSING = (BusLost, Fenced, DomainError, sa.exc.DBAPIError, sa.exc.TimeoutError)


class Direction:
    """One direction of a bridge: where its events are read is the `bridge`'s affair, `bus` is where they go."""

    def __init__(
        self,
        name: str,
        bridge: Bridge,
        bus: Bus,
        health: WorkerHealth,
        stopping: threading.Event,
        idle_seconds: float = IDLE_SECONDS,
        last_backoff_seconds: float = LAST_BACKOFF_SECONDS,
    ) -> None:
        self.name, self._bridge, self._bus, self._health = name, bridge, bus, health
        self._stopping, self._idle, self._longest = stopping, idle_seconds, last_backoff_seconds
        self._failures = 0
        self._aged = 0.0

    def run(self) -> None:
        """Carry until stopped."""
        while not self._stopping.is_set():
            try:
                self._lead()
            except PASSING as trouble:
                self._wait_out(trouble)
            finally:
                self._bridge.resign()

    def _lead(self) -> None:
        if not self._bridge.lead():
            self._health.well(self.name)
            self._stopping.wait(STANDBY_SECONDS)
            return
        while not self._stopping.is_set():
            try:
                self._bus.declare(())  # the embedded bus drops what goes to an exchange this process did not declare
                publisher = self._bus.publisher()
            except BusLost as trouble:
                self._wait_out(trouble)
                continue
            try:
                self._carry(publisher)
            except BusLost as trouble:  # the bridge still leads, and knows which page of a telling was under way
                self._wait_out(trouble)
            finally:
                publisher.close()

    def _carry(self, publisher: Publisher) -> None:
        while not self._stopping.is_set():
            carried = self._bridge.carry(publisher)
            self._failures = 0
            self._health.well(self.name)
            self._tell_ages()
            if not carried:
                publisher.rest()
                self._stopping.wait(self._idle)

    def _wait_out(self, trouble: Exception) -> None:
        self._health.trouble(self.name, reason_of(trouble))
        self._tell_ages()
        self._failures += 1
        self._stopping.wait(backoff_seconds(self._failures, FIRST_BACKOFF_SECONDS, self._longest))

    def _tell_ages(self) -> None:
        if time.monotonic() - self._aged < AGE_SECONDS:
            return
        self._aged = time.monotonic()
        try:
            self._bridge.tell_ages()
        except PASSING as trouble:
            log.info("ages are not known", extra={"part": self.name, "reason": reason_of(trouble)})
