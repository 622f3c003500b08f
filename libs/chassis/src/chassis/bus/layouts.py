"""How many queues a consumer has on RabbitMQ, and how that number changes: nothing is lost, no record's order broken.

The events of one record are always in one queue. While queues of another number stand, they are emptied first: the new
ones are bound, the old ones unbound, read to their end and deleted, and only then are the new ones read. What came
into both between is known to the inbox. As long as somebody reads the old ones, nothing is changed.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import amqp
import kombu
from amqp.exceptions import NotFound, PreconditionFailed, ResourceLocked
from kombu.exceptions import KombuError

from chassis.bus.consumer import Consumer
from chassis.bus.transport import BusLost, QueueRead, Standing, TopologyMismatch
from chassis.naming import EXCHANGE, QUEUES, queue_name

# One active reader keeps the order of a queue; a quorum queue keeps what it confirmed.
CONSUMER_QUEUE = {"x-queue-type": "quorum", "x-single-active-consumer": True}
LOCK_SECONDS, LOCK_POLL_SECONDS = 10.0, 0.1  # a change of layout takes some milliseconds for each queue
TROUBLES = (OSError, amqp.AMQPError, KombuError)  # what ends with the connection, and passes


def lay_out(connection: kombu.Connection, consumer: Consumer) -> Sequence[Standing]:
    """Make the queues of a consumer and bind them; answers those of another number, which are to be emptied first."""
    old = _find_old(connection, consumer)
    if not old:
        _declare(connection, consumer)
        return ()
    with _alone(connection, consumer):
        old = _find_old(connection, consumer)
        if not any(one.readers for one in old):
            _declare(connection, consumer)  # before the others are unbound: an event in both beats one in none
            _unbind(connection, old)
    return old


def drop_empty(connection: kombu.Connection, consumer: Consumer) -> None:
    """Delete queues of another number that are empty and that nobody reads."""
    with _alone(connection, consumer), connection.channel() as channel:
        _declare(connection, consumer)
        for one in _find_old(connection, consumer):
            if not one.messages and not one.readers:
                channel.queue_delete(one.part.queue)


def declare_queue(channel: Any, name: str, arguments: Mapping[str, object]) -> None:
    """Make a queue that lasts. Errors: TopologyMismatch when it stands in another form."""
    try:
        channel.queue_declare(name, durable=True, auto_delete=False, arguments=dict(arguments))
    except PreconditionFailed as refused:
        raise TopologyMismatch(
            f"the queue {name} stands in another form than {dict(arguments)}: let its worker read it to the end, stop "
            f"the worker, delete the queue and start the worker again, or name another virtual host ({refused})"
        ) from refused


def count_messages(connection: kombu.Connection, consumer: Consumer) -> int:
    """How many messages wait in a consumer's queues; what another number of queues still holds is not among them."""
    found = (_standing(connection, part) for part in consumer.parts)
    return sum(one.messages for one in found if one is not None)


def throw_away(connection: kombu.Connection, consumers: Sequence[Consumer]) -> dict[str, int]:
    """Empty queues of any number that stand; answers what was in each. Errors: QueueRead, and nothing was done."""
    parts = [part for consumer in consumers for part in consumer.parts]
    mine = [one for part in parts if (one := _standing(connection, part)) is not None]
    found = [*mine, *(old for consumer in consumers for old in _find_old(connection, consumer))]
    if read := [one.part.queue for one in found if one.readers]:
        raise QueueRead(f"stop the workers first, somebody reads {', '.join(read)}")
    with connection.channel() as channel:
        return {one.part.queue: int(channel.queue_purge(one.part.queue)) for one in found}


def count_readers(channel: Any, queue: str) -> int:
    """How many read a queue, waiting ones included. Errors: NotFound, which closes the channel."""
    return int(channel.queue_declare(queue, passive=True).consumer_count)


def hold_alone(channel: Any, name: str) -> bool:
    """Take what only one connection has at a time and loses with its end; False when another one has it."""
    try:
        channel.queue_declare(name, exclusive=True, auto_delete=False)
    except ResourceLocked:  # which closed the channel
        return False
    return True


class AmqpAttendance:
    """A reader of a queue that nobody writes to: how many such readers there are is how many processes there are."""

    def __init__(self, connection: kombu.Connection, consumer: Consumer) -> None:
        self._kombu, self._queue = connection, f"{queue_name(consumer.name)}_workers"
        self._parts = [part.queue for part in consumer.parts]
        self._channel = connection.channel()
        declare_queue(self._channel, self._queue, {"x-queue-type": "quorum"})
        self._channel.basic_consume(self._queue, consumer_tag=f"{self._queue}-{uuid.uuid4()}")

    def count(self) -> tuple[int, Sequence[int]]:
        """Processes and the readers of each queue."""
        with as_bus_lost():
            self._kombu.connection.send_heartbeat()
            return count_readers(self._channel, self._queue), [count_readers(self._channel, one) for one in self._parts]

    def close(self) -> None:
        """Let the connection go."""
        self._kombu.collect()


def _declare(connection: kombu.Connection, consumer: Consumer) -> None:
    with connection.channel() as channel:
        for part in consumer.parts:
            declare_queue(channel, part.queue, CONSUMER_QUEUE)
            for pattern in part.routes:
                channel.queue_bind(part.queue, EXCHANGE, pattern)
            for pattern in part.former_routes:
                channel.queue_unbind(part.queue, EXCHANGE, pattern)


def _unbind(connection: kombu.Connection, old: Sequence[Standing]) -> None:
    with connection.channel() as channel:
        for one in old:
            for pattern in (*one.part.routes, *one.part.former_routes):
                channel.queue_unbind(one.part.queue, EXCHANGE, pattern)


def _find_old(connection: kombu.Connection, consumer: Consumer) -> list[Standing]:
    """Queues of this consumer of any other number; a layout stands when any of its queues does."""
    others = (replace(consumer, queues=number) for number in QUEUES if number != consumer.queues)
    layouts = [other for other in others if _stands(connection, other.parts[-1])]
    found = [_standing(connection, part) for layout in layouts for part in layout.parts]
    return [one for one in found if one is not None]


def _stands(connection: kombu.Connection, part: Consumer) -> bool:
    return _standing(connection, part) is not None


def _standing(connection: kombu.Connection, part: Consumer) -> Standing | None:
    channel = connection.channel()
    try:
        _, messages, readers = channel.queue_declare(part.queue, passive=True)
    except NotFound:  # which closed the channel
        return None
    channel.close()
    return Standing(part, messages, readers)


@contextmanager
def as_bus_lost() -> Iterator[None]:
    """Say of any trouble with the broker that the bus is lost."""
    try:
        yield
    except TROUBLES as trouble:
        raise BusLost(f"{type(trouble).__name__}: {trouble}") from trouble


@contextmanager
def _alone(connection: kombu.Connection, consumer: Consumer) -> Iterator[None]:
    """Wait until no other process changes this consumer's queues. Errors: ResourceLocked when that lasts."""
    name, end = f"{queue_name(consumer.name)}_layout", time.monotonic() + LOCK_SECONDS
    while not hold_alone(channel := connection.channel(), name):
        if time.monotonic() > end:
            raise ResourceLocked(f"{name} is held")
        time.sleep(LOCK_POLL_SECONDS)
    try:
        yield
    finally:
        channel.queue_delete(name)
        channel.close()
