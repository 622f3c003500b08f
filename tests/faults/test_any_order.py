"""Whatever crashes, doubts, lost acks and failing handlers come, each event ends with one effect, in order."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from chassis.bus.events import CONTENT_TYPE, Delivery, Incoming, wire_headers
from chassis.bus.relay import Relay, publish_waiting
from chassis.bus.subscription import Subscription
from chassis.bus.transport import PublishInDoubt
from chassis.database import UnitOfWork
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.ids import new_id
from chassis.logged_event import LoggedEvent
from tests.contract.messaging.probes import SOURCE, ServiceDatabase, a_consumer, open_service, write_ledger
from tests.faults.checkers import Fact, find_disordered, find_doubled, find_lost

pytestmark = pytest.mark.timeout(300)

RECORDS = 4
EXAMPLES = 40
PLACE = st.integers(0, RECORDS - 1)
FEW = st.integers(0, 6)
Steps = list[tuple[str, int, int]]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), PLACE, st.integers(1, 3)),
        st.tuples(st.just("publish"), FEW, FEW),  # sent before the doubt, and how many of them were confirmed
        st.tuples(st.just("handle"), st.integers(1, 6), st.booleans()),  # a batch, and whether its ack gets through
        st.tuples(st.just("again"), FEW, FEW),  # the broker delivers earlier messages once more
        st.tuples(st.just("fail"), PLACE, st.booleans()),  # the handler refuses a record from now on, or no more
        st.tuples(st.just("retry"), FEW, FEW),
    ),
    max_size=30,
)


@pytest.fixture(scope="module")
def service(postgres: EmbeddedPostgres) -> ServiceDatabase:
    """One database for all examples; each has records of its own."""
    return open_service(postgres)


class Refused(Exception):
    """What a failing handler says."""


@dataclass
class World:
    """A service, a bus of one queue in memory, and a consumer whose handler fails for some records."""

    service: ServiceDatabase
    records: list[str] = field(default_factory=lambda: [new_id() for _ in range(RECORDS)])
    versions: dict[str, int] = field(default_factory=dict)
    queue: list[LoggedEvent] = field(default_factory=list)
    published: list[LoggedEvent] = field(default_factory=list)
    failing: set[str] = field(default_factory=set)
    publisher: Callable[[World, int, int], Doubtful] = lambda *how: Doubtful(*how)

    def __post_init__(self) -> None:
        self.subscription = Subscription(a_consumer(self._handle), self.service.database, threading.Event())

    def _handle(self, work: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
        write_ledger(work, deliveries)
        if any(one.aggregate_id in self.failing for one in deliveries):
            raise Refused

    def write(self, place: int, count: int) -> None:
        """Commit the next versions of a record."""
        record = self.records[place]
        first = self.versions.get(record, 0) + 1
        self.service.write(count, aggregate_id=record, first_version=first)
        self.versions[record] = first + count - 1

    def publish(self, sent: int, confirmed: int) -> None:
        """A relay that gets so far and then cannot tell; the next one goes on behind the cursor."""
        relay = Relay(self.service.database)
        assert relay.lead()
        try:
            publish_waiting(relay, self.publisher(self, sent, min(sent, confirmed)), lambda act: act())
        except PublishInDoubt:
            pass
        finally:
            relay.resign()

    def handle(self, size: int, acked: bool) -> None:
        """Hand over the head of the queue; what is not acked stays there."""
        batch = self.queue[:size]
        if batch:
            assert self.subscription.handle([_arriving(one) for one in batch])
        if acked:
            del self.queue[: len(batch)]

    def again(self, start: int, count: int) -> None:
        """Deliver some published events once more, behind the others."""
        self.queue += self.published[start : start + count]

    def fail(self, place: int, failing: bool) -> None:
        """Let the handler refuse a record, or no more."""
        (self.failing.add if failing else self.failing.discard)(self.records[place])

    def retry(self, *_: int) -> None:
        """The time of everything that waits comes."""
        self.service.ask(
            "UPDATE parked_event SET next_time = now(), state = 'retry' WHERE state IN ('retry', 'parked')"
        )
        self.subscription.retry_due()

    def heal(self) -> None:
        """No faults any more: everything that waits goes through."""
        self.failing.clear()
        self.publish(1_000_000, 1_000_000)
        while self.queue:
            self.handle(5, acked=True)
        waiting = "SELECT 1 FROM parked_event WHERE state IN ('retry', 'behind', 'parked')"
        for _ in itertools.takewhile(lambda _: self.service.ask(waiting), range(50)):
            self.retry()


class Doubtful:
    """A publisher that sends `sent` events of all, of which it knows `confirmed`; then it is in doubt."""

    def __init__(self, world: World, sent: int, confirmed: int) -> None:
        self.world, self.left, self.confirmed = world, sent, confirmed
        self._batch: Sequence[LoggedEvent] = ()

    def begin(self, source: str, events: Sequence[LoggedEvent]) -> None:
        """Take what still gets through."""
        self._batch = events
        through = list(events[: self.left])
        self.world.queue += through
        self.world.published += through

    def finish(self) -> int:
        """Confirm it, or not."""
        if len(self._batch) > self.left:
            raise PublishInDoubt("no confirm in time", min(self.confirmed, self.left))
        self.left -= len(self._batch)
        return 0

    def rest(self) -> None:
        """Nothing to keep alive."""

    def close(self) -> None:
        """Nothing to let go."""


class Boastful(Doubtful):
    """A wrong one: of what it did not send it says that one more was confirmed."""

    def finish(self) -> int:
        if len(self._batch) > self.left:
            raise PublishInDoubt("no confirm in time", self.left + 1)
        return super().finish()


class Backwards(Doubtful):
    """A wrong one: it sends the last event first."""

    def begin(self, source: str, events: Sequence[LoggedEvent]) -> None:
        super().begin(source, events[::-1])


def _arriving(event: LoggedEvent) -> Incoming:
    return Incoming(1, 0, CONTENT_TYPE, event.routing_key, wire_headers(event, SOURCE), event.data)


def live(world: World, steps: Steps) -> tuple[list[Fact], list[Fact]]:
    """Take the steps and heal; answers what was committed, and the effects in their order."""
    for name, *values in steps:
        getattr(world, name)(*values)
    world.heal()
    committed = [(record, version) for record, last in world.versions.items() for version in range(1, last + 1)]
    told = world.service.ledger()
    return committed, [(one.aggregate_id, one.version) for one in told if one.aggregate_id in world.versions]


@settings(max_examples=EXAMPLES)
@given(steps=STEPS)
def test_whatever_happens_in_whatever_order_each_event_has_one_effect_in_order(
    service: ServiceDatabase, steps: Steps
) -> None:
    committed, effects = live(World(service), steps)

    assert find_lost(committed, effects) == set()
    assert find_doubled(effects) == []
    assert find_disordered(effects) == []
    assert len(effects) == len(committed)


@pytest.mark.parametrize("wrong", [Boastful, Backwards])
def test_a_wrong_publisher_is_caught_by_some_order(service: ServiceDatabase, wrong: type[Doubtful]) -> None:
    def is_caught(steps: Steps) -> bool:
        committed, effects = live(World(service, publisher=wrong), steps)
        return bool(find_lost(committed, effects) or find_disordered(effects))

    assert find(STEPS, is_caught, settings=settings(max_examples=10 * EXAMPLES, phases=[Phase.generate]))
