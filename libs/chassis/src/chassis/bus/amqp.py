"""The bus on RabbitMQ: publishing with own confirms, reading in batches; sockets are py-amqp's, green in a worker.

Only one green thread may use a connection at a time: py-amqp guards its write buffer with a native lock, and a second
writer that finds it taken would stop the whole hub.
"""

from __future__ import annotations

import socket
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import amqp
import kombu
from kombu.exceptions import KombuError

from chassis.bus.amqp_frames import DeliveryReader, FrameStream, publish_frames
from chassis.bus.confirms import ConfirmTracker, Doubt
from chassis.bus.consumer import Consumer
from chassis.bus.events import CONTENT_TYPE, Incoming, LoggedEvent, wire_headers
from chassis.bus.topology import declare_topology
from chassis.bus.transport import BusLost, PublishInDoubt
from chassis.naming import EXCHANGE

HEARTBEAT_SECONDS = 20
CONNECT_SECONDS = 5
SEND_SECONDS = 10  # a broker in alarm stops reading; longer than this and the relay backs off
CONFIRM_SECONDS = 10
GOODBYE_SECONDS = 2
IDLE_SECONDS = 1.0
GATHER_SECONDS = 0.005  # messages already on their way come within this
CHUNK = 64  # messages a write: fewer system calls, still small against the socket's buffer
MAX_PREFETCH = 2_000  # quorum queues take no more
_SOCKET = {socket.TCP_USER_TIMEOUT: 10_000}  # ms; py-amqp's default of 1 s breaks slow links
_TROUBLES = (OSError, amqp.AMQPError, KombuError, Doubt)


class AmqpBus:
    """One broker."""

    on_hub = True

    def __init__(self, url: str) -> None:
        self._url = url

    def declare(self, consumers: Sequence[Consumer]) -> None:
        """Declare exchange, queues and bindings."""
        with _as_bus_lost(), self._connect("declare") as connection:
            declare_topology(connection, consumers)

    def publisher(self) -> AmqpPublisher:
        """Connect for publishing."""
        with _as_bus_lost():
            return AmqpPublisher(self._connect("relay"))

    def receiver(self, consumer: Consumer) -> AmqpReceiver:
        """Connect for reading; the broker keeps all but one reader of a queue waiting."""
        with _as_bus_lost():
            reader = DeliveryReader()
            return AmqpReceiver(self._connect(consumer.queue, reader), reader, consumer.queue, consumer.batch_size)

    def _connect(self, purpose: str, reader: DeliveryReader | None = None) -> kombu.Connection:
        connection = kombu.Connection(
            self._url,
            heartbeat=HEARTBEAT_SECONDS,
            connect_timeout=CONNECT_SECONDS,
            transport_options={
                "socket_settings": _SOCKET,
                "client_properties": {"connection_name": f"branchline {purpose}"},
                **({"frame_handler": reader} if reader else {}),
            },
        )
        connection.connect()
        return connection


class AmqpPublisher:
    """One channel in confirm mode, thrown away at any doubt."""

    def __init__(self, connection: kombu.Connection) -> None:
        self._kombu = connection
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
        self._unrouted, self._places = 0, len(events)
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
        return self._unrouted

    def rest(self) -> None:
        """Send a heartbeat now and then: a broker closes a connection that says nothing for a minute."""
        if time.monotonic() - self._beaten > HEARTBEAT_SECONDS / 4:
            self._beaten = time.monotonic()
            with _as_bus_lost():
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
            raise PublishInDoubt(f"{type(trouble).__name__}: {trouble}", confirmed) from trouble

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
        end = time.monotonic() + CONFIRM_SECONDS
        while self._tracker.waiting:
            left = end - time.monotonic()
            if left <= 0:
                raise Doubt("no confirm in time")
            self._stream.drain(left)
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
        self._channel.basic_consume(queue, consumer_tag=f"{queue}-{uuid.uuid4()}")

    def receive(self, limit: int, wait_seconds: float) -> list[Incoming]:
        """Up to `limit` messages; the first is waited for IDLE_SECONDS, the others `wait_seconds` in all."""
        with _as_bus_lost():
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
        with _as_bus_lost():
            self._channel.basic_ack(messages[-1].tag, multiple=True)

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


@contextmanager
def _as_bus_lost() -> Iterator[None]:
    try:
        yield
    except _TROUBLES as trouble:
        raise BusLost(f"{type(trouble).__name__}: {trouble}") from trouble
