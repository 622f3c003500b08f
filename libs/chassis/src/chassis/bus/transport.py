"""What the relay and the subscriptions ask of a bus; `amqp.py` and `pgmq.py` answer it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from chassis.bus.consumer import Consumer
from chassis.bus.events import Incoming
from chassis.logged_event import LoggedEvent


class BusLost(Exception):
    """The bus cannot be reached or spoke nonsense; drop the connection and come back later."""


class TopologyMismatch(BusLost):
    """Something of ours stands on the bus in another form; the text says what it is and the way out."""


class QueueRead(BusLost):
    """Somebody reads a queue that is to be emptied; the text names it."""


class PublishInDoubt(BusLost):
    """A batch was not wholly confirmed. `confirmed` is how many of its first events surely are on the bus."""

    def __init__(self, reason: str, confirmed: int) -> None:
        super().__init__(reason)
        self.confirmed = confirmed


class Standing(NamedTuple):
    """A queue of a consumer that has another number of them now: its messages, and how many read it."""

    part: Consumer
    messages: int
    readers: int


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

    def leave(self) -> None:
        """Take no more than what is on its way: `receive` ends with nothing, then another may read. Errors: BusLost."""

    def rest(self) -> None:
        """Keep the connection alive while a batch is being handled; never raises."""

    def close(self) -> None:
        """Let the connection go; what is not acked is delivered again."""


class Attendance(Protocol):
    """One connection by which a worker process is counted among those of a consumer with several queues."""

    def count(self) -> tuple[int, Sequence[int]]:
        """How many processes there are, this one included, and the readers of each queue. Errors: BusLost."""

    def close(self) -> None:
        """Let the connection go; the process is counted no more."""


class Bus(Protocol):
    """A bus by its URL. `on_hub` tells whether its connections wait on green sockets instead of native threads."""

    on_hub: bool

    def declare(self, consumers: Sequence[Consumer]) -> Sequence[Standing]:
        """Make exchange, queues and bindings; again is harmless. Errors: BusLost.

        Answers queues of another number that still stand: they are to be emptied before the consumers' own are read.
        """

    def drop_empty(self, consumer: Consumer) -> None:
        """Delete queues of another number that are empty and not read by anybody. Errors: BusLost."""

    def count_messages(self, consumers: Sequence[Consumer]) -> Sequence[int]:
        """How many messages wait in the queues of each, those in a reader's hands not among them. Errors: BusLost."""

    def publisher(self) -> Publisher:
        """Connect for publishing. Errors: BusLost."""

    def receiver(self, consumer: Consumer) -> Receiver | None:
        """Connect for reading a consumer's queue; None while another process reads it. Errors: BusLost."""


@runtime_checkable
class DividingBus(Bus, Protocol):
    """A bus on which a consumer may have several queues, shared by several processes."""

    def attend(self, consumer: Consumer) -> Attendance:
        """Be counted among the processes that share a consumer's queues. Errors: BusLost."""

    def throw_away(self, consumers: Sequence[Consumer]) -> dict[str, int]:
        """Empty the consumers' queues; answers what was in each. Errors: QueueRead, and nothing was done; BusLost."""


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
