"""The nameko extensions of a worker: a batch subscription, a relay, a timer. Loops only; the work is done elsewhere."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import eventlet
import sqlalchemy as sa
from eventlet.event import Event
from nameko.exceptions import ContainerBeingKilled

from chassis import clock, measuring
from chassis.bus.consumer import Consumer
from chassis.bus.events import Incoming, read_time
from chassis.bus.health import WorkerHealth, reason_of
from chassis.bus.loop import FIRST_IDLE_SECONDS, STANDBY_SECONDS, Loop
from chassis.bus.patch import native
from chassis.bus.relay import Relay, number_waiting, publish_waiting
from chassis.bus.sharing import Share
from chassis.bus.subscription import trouble_of
from chassis.bus.transport import Bus, Publisher, Receiver, Standing
from chassis.database import Database

T = TypeVar("T")
DEPTH_SECONDS = 15.0  # as what is watched in the database
REST_SECONDS = 5.0  # a heartbeat this often while a batch is handled; the broker waits 20 s for one


class BatchSubscription(Loop):
    """Reads one queue of a consumer and hands its batches, one at a time, to the method; acks after it returned True.

    `share` says whether this process reads the queue now, where a consumer has several.
    """

    def __init__(
        self,
        consumer: Consumer,
        bus: Bus,
        health: WorkerHealth,
        stopping: threading.Event,
        share: Share | None = None,
    ) -> None:
        super().__init__(consumer.queue, health, stopping)
        self.consumer, self.bus, self.share = consumer, bus, share
        self._emptied = False

    def turn(self) -> None:
        """Declare, connect and read until stopped."""
        taken = self.share is not None and self.share.take(self.consumer.part)
        try:
            if taken or self._goes_first():
                self._begin()
            else:
                self.work_well()
                self.pause(STANDBY_SECONDS)
        finally:
            if self.share is not None and taken:
                self.share.give(self.consumer.part)

    def _goes_first(self) -> bool:
        """Whether it reads without being given the queue: the only one does, the first to empty those before it."""
        return self.share is None or (self.consumer.part == 0 and not self.share.known)

    def _begin(self) -> None:
        receiver = None
        old = self.call(self.bus, self.bus.declare, [self.consumer])
        if old:
            self._empty(old)
        elif self.share is None or self.share.known:
            receiver = self.call(self.bus, self.bus.receiver, self.consumer)
            self.work_well()
        if receiver is None:
            self.pause(STANDBY_SECONDS)
        else:
            self._read(receiver)

    def _read(self, receiver: Receiver, to_the_end: bool = False) -> None:
        """Read until stopped; `to_the_end`, until nothing comes."""
        limit, wait = self.consumer.batch_size, self.consumer.batch_wait_seconds
        try:
            while not self.stopping.is_set():
                if not to_the_end and self.share is not None and self.share.must_give(self.consumer.part):
                    self.call(self.bus, receiver.leave)
                    to_the_end = True
                batch = self.call(self.bus, receiver.receive, limit, wait)
                self._tell_lag(batch)
                if batch:
                    self._idle = FIRST_IDLE_SECONDS
                    if self._hand_over(batch, receiver):
                        self.call(self.bus, receiver.ack, batch)
                elif to_the_end:
                    return
                elif not self.bus.on_hub:
                    self.rest(found=False)
        finally:
            self.call(self.bus, receiver.close)

    def _empty(self, old: Sequence[Standing]) -> None:
        """Read queues of another number to their end; found empty twice, they are deleted."""
        if self.consumer.part:
            return
        read = [one.part.queue for one in old if one.readers]
        if read:
            self.health.trouble(self.part, f"waits until nobody reads {', '.join(read)}")
        waiting = [one.part for one in old if one.messages]
        if not read and not waiting and self._emptied:
            self.call(self.bus, self.bus.drop_empty, self.consumer)
        self._emptied = not read and not waiting
        for part in () if read else waiting:
            receiver = self.call(self.bus, self.bus.receiver, part)
            if receiver is not None:
                self._read(receiver, to_the_end=True)

    def _tell_lag(self, batch: Sequence[Incoming]) -> None:
        oldest = read_time(batch[0]) if batch else None
        age = max((clock.now() - oldest).total_seconds(), 0.0) if oldest else 0.0
        told: dict[str, str] = {"messaging.consumer.group.name": self.consumer.name}
        if self.consumer.queues > 1:
            told["messaging.destination.partition.id"] = str(self.consumer.part)
        measuring.consumer_lag.set(age, told)

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


class DepthLoop(Loop):
    """Measures now and then how much waits in the queues of a service."""

    def __init__(
        self, service: str, consumers: Sequence[Consumer], bus: Bus, health: WorkerHealth, stopping: threading.Event
    ) -> None:
        super().__init__(f"{service} depth", health, stopping)
        self.consumers, self.bus = consumers, bus

    def turn(self) -> None:
        """Measure once and wait."""
        counts = self.call(self.bus, self.bus.count_messages, self.consumers)
        for consumer, count in zip(self.consumers, counts, strict=True):
            measuring.depth.set(count, {"messaging.consumer.group.name": consumer.name})
        self.work_well()
        self.pause(DEPTH_SECONDS)


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
            self.health.trouble(self.part, reason_of(trouble))
        self.pause(self.seconds * random.uniform(0.9, 1.1))


def _here(act: Callable[[], T]) -> T:
    return act()
