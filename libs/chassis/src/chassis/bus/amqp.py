"""The bus on RabbitMQ: publishing with own confirms, reading in batches; sockets are py-amqp's, green in a worker.

Only one green thread may use a connection at a time: py-amqp guards its write buffer with a native lock, and a second
writer that finds it taken would stop the whole hub.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import amqp
import kombu

from chassis import measuring
from chassis.bus.amqp_connecting import HEARTBEAT_SECONDS, Blockage, connect_to_any
from chassis.bus.amqp_frames import DeliveryReader, FrameStream, publish_frames
from chassis.bus.confirms import ConfirmTracker, Doubt
from chassis.bus.consumer import Consumer
from chassis.bus.events import CONTENT_TYPE, Incoming, wire_headers
from chassis.bus.layouts import (
    TROUBLES,
    AmqpAttendance,
    as_bus_lost,
    count_messages,
    drop_empty,
    hold_alone,
    throw_away,
)
from chassis.bus.topology import declare_topology
from chassis.bus.transport import PublishInDoubt, Standing
from chassis.logged_event import LoggedEvent
from chassis.naming import EXCHANGE

SEND_SECONDS = 10  # a broker in alarm stops reading; longer than this and the relay backs off
CONFIRM_SECONDS = 10  # without any confirm
GOODBYE_SECONDS = 2
IDLE_SECONDS = 1.0
GATHER_SECONDS = 0.005  # messages already on their way come within this
CHUNK = 64  # messages a write: fewer system calls, still small against the socket's buffer
MAX_PREFETCH = 2_000  # quorum queues take no more
_TROUBLES = (*TROUBLES, Doubt)


class AmqpBus:
    """One broker, of one node or of several: their URLs with `;` between them, each connection to any that answers."""

    on_hub = True

    def __init__(self, url: str) -> None:
        self._urls = url.split(";")

    def declare(self, consumers: Sequence[Consumer]) -> Sequence[Standing]:
        """Declare exchange, queues and bindings. Errors also: TopologyMismatch."""
        with as_bus_lost(), self._connect("declare") as connection:
            return declare_topology(connection, consumers)

    def drop_empty(self, consumer: Consumer) -> None:
        """Delete what is left of another number of queues, where it is empty."""
        with as_bus_lost(), self._connect("declare") as connection:
            drop_empty(connection, consumer)

    def count_messages(self, consumers: Sequence[Consumer]) -> Sequence[int]:
        """How many messages wait in the queues of each consumer."""
        with as_bus_lost(), self._connect("watch") as connection:
            return [count_messages(connection, consumer) for consumer in consumers]

    def attend(self, consumer: Consumer) -> AmqpAttendance:
        """Be counted among the processes of a consumer."""
        with as_bus_lost():
            return AmqpAttendance(self._connect("share"), consumer)

    def throw_away(self, consumers: Sequence[Consumer]) -> dict[str, int]:
        """Empty the consumers' queues."""
        with as_bus_lost(), self._connect("declare") as connection:
            return throw_away(connection, consumers)

    def publisher(self) -> AmqpPublisher:
        """Connect for publishing."""
        with as_bus_lost():
            blockage = Blockage()
            return AmqpPublisher(self._connect("relay", blockage=blockage), blockage)

    def receiver(self, consumer: Consumer) -> AmqpReceiver | None:
        """Connect for reading; the broker keeps all but one reader of a queue waiting.

        One of several queues has no waiting readers, so that a reader may end what it has in hand before it leaves.
        """
        with as_bus_lost():
            reader = DeliveryReader()
            connection = self._connect(consumer.queue, reader)
            if consumer.queues > 1 and not hold_alone(connection.channel(), f"{consumer.queue}_reader"):
                connection.collect()
                return None
            return AmqpReceiver(connection, reader, consumer.queue, consumer.batch_size)

    def _connect(
        self, purpose: str, reader: DeliveryReader | None = None, blockage: Blockage | None = None
    ) -> kombu.Connection:
        return connect_to_any(self._urls, purpose, reader, blockage)


class AmqpPublisher:
    """One channel in confirm mode, thrown away at any doubt."""

    def __init__(self, connection: kombu.Connection, blockage: Blockage) -> None:
        self._kombu, self._blockage, self._source = connection, blockage, ""
        self._wire: amqp.Connection = connection.connection
        self._tracker = ConfirmTracker()
        self._channel = self._wire.channel()
        self._stream = FrameStream(self._wire)
        self._channel.confirm_select()
        self._channel.events["basic_ack"].add(self._tracker.on_ack)
        self._channel.events["basic_nack"].add(self._tracker.on_nack)
        self._channel.events["basic_return"].add(self._on_return)
        self._unrouted = 0
        self._beaten = time.monotonic()
        self._places = 0
        self._rounds: list[tuple[list[bytes], list[int]]] = []

    def begin(self, source: str, events: Sequence[LoggedEvent]) -> None:
        """Send what may go at once; never two unconfirmed events of one aggregate, so that a nack cannot reorder."""
        self._unrouted, self._places, self._source = 0, len(events), source
        with self._as_doubt():
            self._tracker.start_batch()
            self._rounds = [
                ([self._frames(source, events[place]) for place in round_], round_) for round_ in rounds(events)
            ]
            self._send(*self._rounds.pop(0))

    def finish(self) -> int:
        """Wait for the confirms, sending later events of an aggregate when its earlier ones are confirmed."""
        with self._as_doubt():
            self._settle()
            while self._rounds:
                self._send(*self._rounds.pop(0))
                self._settle()
        measuring.blocked.set(0, {"branchline.source": self._source})
        return self._unrouted

    def rest(self) -> None:
        """Send a heartbeat now and then: a broker closes a connection that says nothing for a minute."""
        if time.monotonic() - self._beaten > HEARTBEAT_SECONDS / 4:
            self._beaten = time.monotonic()
            with as_bus_lost():
                self._wire.send_heartbeat()

    def close(self) -> None:
        """Let the connection go."""
        _say_goodbye(self._kombu, self._stream)

    @contextmanager
    def _as_doubt(self) -> Iterator[None]:
        try:
            yield
        except _TROUBLES as trouble:
            _drop(self._kombu)
            confirmed = self._tracker.confirmed_before(self._places)
            reason = f"{type(trouble).__name__}: {trouble}"
            if self._blockage.told:
                measuring.blocked.set(1, {"branchline.source": self._source})
                reason = f"the broker is in an alarm, look at its memory and disk ({reason})"
            raise PublishInDoubt(reason, confirmed) from trouble

    def _frames(self, source: str, event: LoggedEvent) -> bytes:
        return publish_frames(
            self._channel.channel_id, self._wire.frame_max, EXCHANGE, event.routing_key, event.data,
            wire_headers(event, source), CONTENT_TYPE, event.event_id, event.type, int(event.create_time.timestamp()),
        )  # fmt: skip

    def _send(self, frames: list[bytes], places: list[int]) -> None:
        for place in places:
            self._tracker.sent(place)
        with self._wire.transport.having_timeout(SEND_SECONDS):
            for start in range(0, len(frames), CHUNK):
                self._wire.transport.write(b"".join(frames[start : start + CHUNK]))
        self._wire.bytes_sent += len(frames)  # what heartbeats are judged by

    def _settle(self) -> None:
        """Wait for all confirms, as long as some come: a broker that is only slow would get everything once more."""
        open_before, end = self._tracker.waiting, time.monotonic() + CONFIRM_SECONDS
        while self._tracker.waiting:
            left = end - time.monotonic()
            if left <= 0:
                raise Doubt("no confirm in time")
            self._stream.drain(left)
            if self._tracker.waiting < open_before:
                open_before, end = self._tracker.waiting, time.monotonic() + CONFIRM_SECONDS
        self._tracker.check()

    def _on_return(self, _trouble: Any, _exchange: str, _key: str, _message: Any) -> None:
        self._unrouted += 1


class AmqpReceiver:
    """One consumer of one queue."""

    def __init__(self, connection: kombu.Connection, reader: DeliveryReader, queue: str, batch_size: int) -> None:
        self._kombu = connection
        self._wire: amqp.Connection = connection.connection
        self._buffer = reader.deliveries
        self._channel = self._wire.channel()
        self._stream = FrameStream(self._wire)
        # two batches: one in hand, one on its way; never global, which quorum queues refuse
        self._channel.basic_qos(0, min(2 * batch_size, MAX_PREFETCH), False)
        self._tag = f"{queue}-{uuid.uuid4()}"
        self._channel.basic_consume(queue, consumer_tag=self._tag)

    def receive(self, limit: int, wait_seconds: float) -> list[Incoming]:
        """Up to `limit` messages; the first is waited for IDLE_SECONDS, the others `wait_seconds` in all."""
        with as_bus_lost():
            if not self._buffer and not self._stream.drain(IDLE_SECONDS):
                self._wire.heartbeat_tick()
                return []
            end = time.monotonic() + wait_seconds
            while len(self._buffer) < limit and (left := end - time.monotonic()) > 0:
                if not self._stream.drain(min(left, GATHER_SECONDS)):
                    break
        return [self._buffer.popleft() for _ in range(min(limit, len(self._buffer)))]

    def ack(self, messages: Sequence[Incoming]) -> None:
        """Ack all up to the last of `messages`."""
        with as_bus_lost():
            self._channel.basic_ack(messages[-1].tag, multiple=True)

    def leave(self) -> None:
        """Have the broker send no more; what it sent before is still received and acked."""
        with as_bus_lost():
            self._stream.give_back()
            self._channel.basic_cancel(self._tag)
            self._stream.take_back()

    def rest(self) -> None:
        """Send a heartbeat."""
        try:
            self._wire.send_heartbeat()
        except _TROUBLES:
            return  # the next receive finds out

    def close(self) -> None:
        """Let the connection go; what is not acked goes back to the queue in its old order."""
        _say_goodbye(self._kombu, self._stream)


def rounds(events: Sequence[LoggedEvent]) -> Iterator[list[int]]:
    """Places of a batch in rounds, each with at most one event of an aggregate, in order."""
    found: list[list[int]] = []
    count: dict[str, int] = {}
    for place, event in enumerate(events):
        turn = count.get(event.aggregate_id, 0)
        count[event.aggregate_id] = turn + 1
        if turn == len(found):
            found.append([])
        found[turn].append(place)
    yield from found


def _say_goodbye(connection: kombu.Connection, stream: FrameStream) -> None:
    """Close in order, so that the broker takes what was written last; a dead broker is not waited for."""
    try:
        stream.give_back()
        with connection.connection.transport.having_timeout(GOODBYE_SECONDS):
            connection.release()
    except (*_TROUBLES, AttributeError):  # py-amqp's parts are None once it has noticed the loss
        _drop(connection)


def _drop(connection: kombu.Connection) -> None:
    connection.collect()
