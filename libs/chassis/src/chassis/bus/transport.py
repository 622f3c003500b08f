"""What the relay and the subscriptions ask of a bus; `amqp.py` and `pgmq.py` answer it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from chassis.bus.consumer import Consumer
from chassis.bus.events import Incoming, LoggedEvent


class BusLost(Exception):
    """The bus cannot be reached or spoke nonsense; drop the connection and come back later."""


class PublishInDoubt(BusLost):
    """A batch was not wholly confirmed. `confirmed` is how many of its first events surely are on the bus."""

    def __init__(self, reason: str, confirmed: int) -> None:
        super().__init__(reason)
        self.confirmed = confirmed


class Publisher(Protocol):
    """One connection that publishes; used by one thread."""

    def begin(self, source: str, events: Sequence[LoggedEvent]) -> None:
        """Hand a batch to the bus. Errors: PublishInDoubt; the publisher must not be used after it."""

    def finish(self) -> int:
        """Wait until the batch is safe on the bus, in order; answers how many events no queue wanted.

        Errors: PublishInDoubt; the publisher must not be used after it.
        """

    def rest(self) -> None:
        """Keep the connection alive while there is nothing to publish. Errors: BusLost."""

    def close(self) -> None:
        """Let the connection go."""


class Receiver(Protocol):
    """One connection that reads one queue, and is its only active reader."""

    def receive(self, limit: int, wait_seconds: float) -> list[Incoming]:
        """Up to `limit` messages in queue order; empty when none came for a while. Errors: BusLost."""

    def ack(self, messages: Sequence[Incoming]) -> None:
        """Drop messages from the queue, all that were received before and are not acked yet. Errors: BusLost."""

    def rest(self) -> None:
        """Keep the connection alive while a batch is being handled; never raises."""

    def close(self) -> None:
        """Let the connection go; what is not acked is delivered again."""


class Bus(Protocol):
    """A bus by its URL. `on_hub` tells whether its connections wait on green sockets instead of native threads."""

    on_hub: bool

    def declare(self, consumers: Sequence[Consumer]) -> None:
        """Make exchange, queues and bindings; again is harmless. Errors: BusLost."""

    def publisher(self) -> Publisher:
        """Connect for publishing. Errors: BusLost."""

    def receiver(self, consumer: Consumer) -> Receiver | None:
        """Connect for reading a consumer's queue; None while another process reads it. Errors: BusLost."""


def open_bus(url: str) -> Bus:
    """The bus behind `amqp://…` or `pgmq://…`. Errors: ValueError."""
    scheme = url.split("://", 1)[0]
    if scheme in ("amqp", "amqps"):
        from chassis.bus.amqp import AmqpBus

        return AmqpBus(url)
    if scheme == "pgmq":
        from chassis.bus.pgmq import PgmqBus

        return PgmqBus(url)
    raise ValueError(f"a bus URL begins with amqp://, amqps:// or pgmq://, not {scheme}://")
