"""Every checker is shown a wrong relay, reader, inbox or handler at work and reports it; right ones are let be."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from chassis.bus import parking
from chassis.bus.events import Delivery, Envelope, Incoming
from chassis.bus.subscription import Subscription
from chassis.bus.transport import BusLost, Publisher, Receiver, open_bus
from chassis.database import UnitOfWork
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.logged_event import LoggedEvent
from chassis.testing.bus import RabbitBroker
from tests.contract.messaging.probes import SOURCE, ServiceDatabase, an_event, open_service, write_ledger
from tests.faults.checkers import (
    find_apart,
    find_disordered,
    find_doubled,
    find_gaps,
    find_lost,
    find_unexpected,
    newest_of,
)
from tests.faults.lane import Passed, declared, read_all, relay_all, run_lane, write_all
from tests.faults.proxy import proxied
from tests.faults.site import through

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def service(postgres: EmbeddedPostgres) -> ServiceDatabase:
    """A service's database with a ledger of effects."""
    return open_service(postgres)


class Passing:
    """A publisher that hands everything on; wrong ones change one thing."""

    def __init__(self, inner: Publisher) -> None:
        self.inner = inner

    def begin(self, source: str, events: Sequence[LoggedEvent]) -> None:
        self.inner.begin(source, events)

    def finish(self) -> int:
        return self.inner.finish()

    def rest(self) -> None:
        self.inner.rest()

    def close(self) -> None:
        self.inner.close()


class Careless(Passing):
    """Takes every batch for confirmed."""

    def begin(self, source: str, events: Sequence[LoggedEvent]) -> None:
        try:
            self.inner.begin(source, events)
        except BusLost:
            return

    def finish(self) -> int:
        return 0


class Skipping(Passing):
    """Leaves out every seventh event."""

    def begin(self, source: str, events: Sequence[LoggedEvent]) -> None:
        self.inner.begin(source, [one for place, one in enumerate(events) if place % 7])


class Backwards(Passing):
    """Sends the last event first."""

    def begin(self, source: str, events: Sequence[LoggedEvent]) -> None:
        self.inner.begin(source, list(reversed(events)))


class Inventive(Passing):
    """Sends an event that nobody committed with each batch."""

    def begin(self, source: str, events: Sequence[LoggedEvent]) -> None:
        uncommitted = an_event(aggregate_id=events[-1].aggregate_id, version=events[-1].version + 1_000)
        self.inner.begin(SOURCE, [*events, uncommitted])


def test_a_relay_that_waits_for_no_confirms_is_caught(service: ServiceDatabase, rabbit: RabbitBroker) -> None:
    passed = run_lane(service, rabbit, Careless)
    assert find_lost(passed.acknowledged, passed.effects)
    assert find_apart(newest_of(passed.acknowledged), newest_of(passed.effects))


def relayed_wrongly(service: ServiceDatabase, broker: RabbitBroker, wrong: type[Passing]) -> Passed:
    """The lane with a whole link, so that only the wrong part is to blame."""
    passed, url = Passed(), declared(broker)
    write_all(service, passed)
    relay_all(service, url, wrong)
    read_all(service, url, passed)
    return passed


def test_a_relay_that_skips_is_caught(service: ServiceDatabase, rabbit: RabbitBroker) -> None:
    passed = relayed_wrongly(service, rabbit, Skipping)
    assert find_lost(passed.acknowledged, passed.delivered)
    assert find_gaps(passed.delivered)


def test_a_relay_that_reorders_is_caught(service: ServiceDatabase, rabbit: RabbitBroker) -> None:
    passed = relayed_wrongly(service, rabbit, Backwards)
    assert find_disordered(passed.delivered)
    assert find_lost(passed.acknowledged, passed.effects) == set()


def test_a_relay_that_tells_what_nobody_committed_is_caught(service: ServiceDatabase, rabbit: RabbitBroker) -> None:
    passed = relayed_wrongly(service, rabbit, Inventive)
    assert find_unexpected(passed.delivered, newest_of(passed.acknowledged))


def test_a_reader_that_acks_before_its_commit_is_caught(service: ServiceDatabase, rabbit: RabbitBroker) -> None:
    crashes = iter([True])

    def ack_then_handle(subscription: Subscription, receiver: Receiver, batch: list[Incoming]) -> None:
        receiver.ack(batch)
        if not next(crashes, False):  # the first time the process ends between the two
            subscription.handle(batch)

    passed = run_lane(service, rabbit, handle=ack_then_handle)
    assert find_lost(passed.acknowledged, passed.effects)
    assert find_lost(passed.acknowledged, passed.delivered) == set()


def test_a_consumer_without_an_inbox_is_caught(
    service: ServiceDatabase,
    rabbit: RabbitBroker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def claim_everything(_work: UnitOfWork, _consumer: str, envelopes: Sequence[Envelope]) -> list[Envelope]:
        return list(envelopes)

    monkeypatch.setattr(parking, "claim_new", claim_everything)
    passed, url = Passed(), declared(rabbit)
    write_all(service, passed)
    for _ in range(2):  # what a relay that lost its cursor does
        relay_all(service, url)
        service.ask("UPDATE relay_state SET published_position = 0")
    read_all(service, url, passed)
    assert find_doubled(passed.effects)


def test_a_projection_that_loses_is_caught(service: ServiceDatabase, rabbit: RabbitBroker) -> None:
    def write_most(work: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
        write_ledger(work, [one for one in deliveries if not one.event_id.endswith(("0", "7", "f"))])

    passed = run_lane(service, rabbit, handler=write_most)
    assert find_lost(passed.acknowledged, passed.effects)
    assert find_apart(newest_of(passed.acknowledged), newest_of(passed.effects))
    assert find_lost(passed.acknowledged, passed.delivered) == set()


def test_what_keeps_the_promises_is_left_in_peace() -> None:
    right = [("a", 1), ("a", 2), ("a", 1), ("b", 1)]
    assert find_disordered(right) == []
    assert find_gaps(right) == find_unexpected(right, {"a": 2, "b": 1}) == find_lost(right, right) == set()
    assert find_disordered([("a", 1), ("a", 3), ("b", 1), ("a", 2)]) == [(("a", 3), ("a", 2))]
    assert find_gaps([("a", 1), ("a", 3)]) == {("a", 2)}
    assert find_doubled(right) == [("a", 1)]


def seconds_to_publish(url: str) -> float:
    """How long a connection and five events take."""
    began = time.monotonic()
    publisher = open_bus(url).publisher()
    publisher.begin(SOURCE, [an_event(position) for position in range(1, 6)])
    publisher.finish()
    publisher.close()
    return time.monotonic() - began


def test_the_proxy_does_what_is_asked_of_it(rabbit: RabbitBroker) -> None:
    with proxied(rabbit.port) as proxy:
        address = through(declared(rabbit), proxy)
        proxy.takes.clear()
        with pytest.raises(BusLost):
            open_bus(address).publisher()
        proxy.heal()
        proxy.delay = 0.05
        assert seconds_to_publish(address) > 0.2, "a greeting takes several turns"
        proxy.heal()
        proxy.rate = 5_000
        assert seconds_to_publish(address) > 0.2, "five events are more than a thousand bytes"
