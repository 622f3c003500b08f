"""What a service says about its subscriptions: a table of consumers, their bindings and their handlers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter

from google.protobuf.message import Message

from chassis.bus.events import Delivery
from chassis.copies import Copies
from chassis.database import UnitOfWork
from chassis.naming import PARTITIONS, narrow, queue_name

Handler = Callable[[UnitOfWork, Sequence[Delivery]], None]


@dataclass(frozen=True)
class Consumer:
    """One durable queue, or several with a share of the records each, and what is done with its events.

    `name` is unique in the platform, such as `reporting_deals`, and names the queue: renaming it makes a new queue.
    `queues` is how many it has (naming.QUEUES); `part` says which of them this is, see `parts`.
    `bindings` come from `naming.binding`. A handler gets deliveries of its message type, those of one aggregate in
    order of `(epoch, version)`, inside the one transaction of the batch; it never commits and it may be called again
    with the same deliveries after a rollback. Deliveries of different aggregates may come out of arrival order.
    `divisible` is False where something reads its mark as "all up to here was handled", which several queues break.
    `former` are bindings of earlier versions, to be undone: AMQP lists none, so others stay on RabbitMQ for ever.
    `copies` are the tables that hold nothing but what its events told, where there are any.
    `from_cells` are the messages it takes also from other cells (docs/operator/cells.md); of all others it hears its
    own cell's only, since what they cause is caused in the cell they are of.
    Units: seconds; `batch_wait_seconds` is the longest a first message waits for company.
    """

    name: str
    bindings: tuple[str, ...]
    handlers: Mapping[type[Message], Handler]
    batch_size: int = 500
    batch_wait_seconds: float = 0.05
    copies: Copies | None = None
    divisible: bool = True
    former: tuple[str, ...] = ()
    from_cells: frozenset[type[Message]] = frozenset()
    queues: int = 1
    part: int = 0

    @property
    def sources(self) -> frozenset[str]:
        """The services whose events it handles, as the names of their messages say."""
        return frozenset(kind.DESCRIPTOR.full_name.split(".")[1] for kind in self.handlers)

    @property
    def queue(self) -> str:
        """The name of its queue."""
        return queue_name(self.name, self.queues, self.part)

    @property
    def parts(self) -> tuple[Consumer, ...]:
        """The consumer once for each of its queues; all events of one aggregate go to the same."""
        return tuple(replace(self, part=part) for part in range(self.queues))

    @property
    def routes(self) -> tuple[str, ...]:
        """The bindings of its queue. Errors: NameInvalid where they cannot be shared out."""
        return self._share_of(self.bindings)

    @property
    def former_routes(self) -> tuple[str, ...]:
        """The bindings that its queue may still have of earlier versions. Errors: NameInvalid."""
        return self._share_of(self.former)

    def _share_of(self, patterns: tuple[str, ...]) -> tuple[str, ...]:
        if self.queues == 1:
            return patterns
        mine = range(self.part, PARTITIONS, self.queues)
        return tuple(narrow(pattern, partition) for pattern in patterns for partition in mine)


def runs_of(deliveries: Sequence[Delivery]) -> Iterator[list[Delivery]]:
    """Gather deliveries into runs of one type, as few as keep the order within every aggregate.

    A delivery joins the earliest run of its type that does not come before the last run its aggregate is in, so
    interleaved events of different aggregates still make long runs.
    """
    parts = [list(part) for _, part in groupby(deliveries, key=attrgetter("type"))]
    if len({part[0].type for part in parts}) == len(parts):  # nearly always: each type came in one piece
        yield from parts
        return
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
