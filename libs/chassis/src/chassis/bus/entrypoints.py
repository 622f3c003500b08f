"""The nameko extensions of a worker: a batch subscription, a relay, a timer. Loops only; the work is done elsewhere.

nameko's own consumers ack what failed, run one queue's messages at once, and name queues after methods; none of its
AMQP parts is used here. A loop that ends by an unforeseen error kills its container, and that ends the process.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import eventlet
import sqlalchemy as sa
from eventlet.event import Event
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import Entrypoint

from chassis import clock, measuring
from chassis.bus.consumer import Consumer
from chassis.bus.events import Incoming, read_time
from chassis.bus.health import WorkerHealth
from chassis.bus.patch import native
from chassis.bus.relay import POLL_SECONDS, Fenced, Relay, number_waiting, publish_waiting
from chassis.bus.subscription import trouble_of
from chassis.bus.transport import Bus, BusLost, Publisher, Receiver
from chassis.database import Database

P = ParamSpec("P")
T = TypeVar("T")
log = logging.getLogger(__name__)
# Between looks for something to do where nothing tells of it: grows while there is nothing. A dozen loops that look
# ten times a second cost an eighth of a core for nothing.
FIRST_IDLE_SECONDS, LAST_IDLE_SECONDS, IDLE_GROWTH = POLL_SECONDS, 0.4, 1.5
REST_SECONDS = 5.0  # a heartbeat this often while a batch is handled; the broker waits 20 s for one
STANDBY_SECONDS = 1.0  # between tries to take over from another process
FIRST_BACKOFF_SECONDS, LAST_BACKOFF_SECONDS = 0.5, 15.0


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
                    self.health.trouble(self.part, _reason_of(trouble))
                    self._failures += 1
                    longest = min(FIRST_BACKOFF_SECONDS * 2**self._failures, LAST_BACKOFF_SECONDS)
                    self.wait_out(random.uniform(longest / 2, longest))
        finally:
            self._ended.send()


class BatchSubscription(Loop):
    """Reads one consumer's queue and hands its batches, one at a time, to the method; acks after it returned True."""

    def __init__(self, consumer: Consumer, bus: Bus, health: WorkerHealth, stopping: threading.Event) -> None:
        super().__init__(consumer.queue, health, stopping)
        self.consumer, self.bus = consumer, bus

    def turn(self) -> None:
        """Declare, connect and read until stopped."""
        self.call(self.bus, self.bus.declare, [self.consumer])
        receiver = self.call(self.bus, self.bus.receiver, self.consumer)
        self.work_well()
        if receiver is None:
            return self.pause(STANDBY_SECONDS)
        try:
            self._read(receiver)
        finally:
            self.call(self.bus, receiver.close)

    def _read(self, receiver: Receiver) -> None:
        limit, wait = self.consumer.batch_size, self.consumer.batch_wait_seconds
        while not self.stopping.is_set():
            batch = self.call(self.bus, receiver.receive, limit, wait)
            self._tell_lag(batch)
            if batch:
                self._idle = FIRST_IDLE_SECONDS
                if self._hand_over(batch, receiver):
                    self.call(self.bus, receiver.ack, batch)
            elif not self.bus.on_hub:
                self.rest(found=False)

    def _tell_lag(self, batch: Sequence[Incoming]) -> None:
        oldest = read_time(batch[0]) if batch else None
        age = max((clock.now() - oldest).total_seconds(), 0.0) if oldest else 0.0
        measuring.consumer_lag.set(age, {"messaging.consumer.group.name": self.consumer.name})

    def _hand_over(self, batch: Sequence[Incoming], receiver: Receiver) -> bool:
        done = Event()

        def settle(_context: Any, result: Any, failure: Any) -> tuple[Any, Any]:
            done.send((result, failure))
            return result, failure

        try:
            self.container.spawn_worker(self, (batch,), {}, handle_result=settle)
        except ContainerBeingKilled:
            return False
        while not done.ready():
            with eventlet.Timeout(REST_SECONDS, False):
                done.wait()
            receiver.rest()
            self._tell_lag(batch)
        result, failure = done.wait()
        if failure is not None:
            raise failure[1]
        return bool(result)


class RelayLoop(Loop):
    """Publishes the events of one database while it is the relay there."""

    def __init__(
        self,
        database: Database,
        consumers: Sequence[Consumer],
        bus: Bus,
        health: WorkerHealth,
        stopping: threading.Event,
    ) -> None:
        super().__init__(f"{database.service} relay", health, stopping)
        self.database, self.consumers, self.bus = database, consumers, bus

    def turn(self) -> None:
        """Lead, connect and publish until stopped or fenced."""
        relay = Relay(self.database)
        if not native(relay.lead):
            self.work_well()
            return self.pause(STANDBY_SECONDS)
        try:
            self.call(
                self.bus, self.bus.declare, self.consumers
            )  # before the first event, or it would miss the others here
            publisher = self.call(self.bus, self.bus.publisher)
            self.work_well()
            try:
                self._publish(relay, publisher)
            finally:
                self.call(self.bus, publisher.close)
        finally:
            native(relay.resign)

    def wait_out(self, seconds: float) -> None:
        """While the bus is away, events are numbered all the same, so the outbox stays small."""
        trouble = native(trouble_of, lambda: number_waiting(self.database))
        if trouble is not None and not isinstance(trouble, sa.exc.DBAPIError):
            raise trouble
        self.pause(seconds)

    def _publish(self, relay: Relay, publisher: Publisher) -> None:
        while not self.stopping.is_set():
            if self.bus.on_hub:
                done = publish_waiting(relay, publisher, native)
            else:
                done = native(publish_waiting, relay, publisher, _here)
            if not done:
                publisher.rest()
            self.rest(found=bool(done))


class TimerLoop(Loop):
    """Does something at once and every so many seconds, on a native thread; a failure is said, and that is all."""

    def __init__(
        self, part: str, seconds: float, act: Callable[[], object], health: WorkerHealth, stopping: threading.Event
    ) -> None:
        super().__init__(part, health, stopping)
        self.seconds, self.act = seconds, act

    def turn(self) -> None:
        """Act once and wait."""
        trouble = native(trouble_of, self.act)
        if trouble is None:
            self.work_well()
        else:
            self.health.trouble(self.part, _reason_of(trouble))
        self.pause(self.seconds * random.uniform(0.9, 1.1))


def _here(act: Callable[[], T]) -> T:
    return act()


def _reason_of(trouble: Exception) -> str:
    """A reason without values: a driver's text may quote them."""
    return str(trouble) if isinstance(trouble, (BusLost, Fenced)) else type(trouble).__name__
