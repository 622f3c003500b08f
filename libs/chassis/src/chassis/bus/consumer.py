"""What a service says about its subscriptions: a table of consumers, their bindings and their handlers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.message import Message

from chassis.bus.events import Delivery
from chassis.copies import Copies
from chassis.database import UnitOfWork
from chassis.naming import queue_name

Handler = Callable[[UnitOfWork, Sequence[Delivery]], None]


@dataclass(frozen=True)
class Consumer:
    """One durable queue and what is done with its events.

    `name` is unique in the platform, such as `reporting_deals`, and names the queue: renaming it makes a new queue.
    `bindings` come from `naming.binding`. A handler gets deliveries of its message type, those of one aggregate in
    order of `(epoch, version)`, inside the one transaction of the batch; it never commits and it may be called again
    with the same deliveries after a rollback. Deliveries of different aggregates may come out of arrival order.
    `copies` are the tables that hold nothing but what its events told, where there are any.
    Units: seconds; `batch_wait_seconds` is the longest a first message waits for company.
    """

    name: str
    bindings: tuple[str, ...]
    handlers: Mapping[type[Message], Handler]
    batch_size: int = 500
    batch_wait_seconds: float = 0.05
    copies: Copies | None = None

    @property
    def sources(self) -> frozenset[str]:
        """The services whose events it handles, as the names of their messages say."""
        return frozenset(kind.DESCRIPTOR.full_name.split(".")[1] for kind in self.handlers)

    @property
    def queue(self) -> str:
        """The name of its queue."""
        return queue_name(self.name)


def runs_of(deliveries: Sequence[Delivery]) -> Iterator[list[Delivery]]:
    """Gather deliveries into runs of one type, as few as keep the order within every aggregate.

    A delivery joins the earliest run of its type that does not come before the last run its aggregate is in, so
    interleaved events of different aggregates still make long runs.
    """
    runs: list[list[Delivery]] = []
    of_type: dict[str, list[int]] = {}
    last_run: dict[str, int] = {}
    for one in deliveries:
        after = last_run.get(one.aggregate_id, 0)
        known = of_type.setdefault(one.type, [])
        place = next((index for index in known if index >= after), -1)
        if place < 0:
            place = len(runs)
            runs.append([])
            known.append(place)
        runs[place].append(one)
        last_run[one.aggregate_id] = place
    yield from runs
