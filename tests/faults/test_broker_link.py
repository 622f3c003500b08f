"""The link to the broker is cut again and again while events are published: none is lost, doubled or out of order.

Every checker is shown a wrong relay, reader or handler that it must catch.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from chassis.bus import parking
from chassis.bus.events import Envelope, Incoming, LoggedEvent
from chassis.bus.relay import Relay, publish_waiting
from chassis.bus.subscription import Subscription
from chassis.bus.transport import BusLost, Publisher, open_bus
from chassis.database import UnitOfWork
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.ids import new_id
from chassis.testing.bus import RabbitBroker, rabbit
from chassis.testing.eventually import eventually
from tests.contract.messaging.probes import ServiceDatabase, a_consumer, open_service, write_ledger
from tests.faults.checkers import Fact, find_apart, find_disordered, find_doubled, find_lost
from tests.faults.proxy import proxied

__all__ = ["rabbit"]  # a fixture is found by its name here
pytestmark = pytest.mark.timeout(300)

RECORDS, VERSIONS = 40, 10
CUT_AFTER = 60_000  # bytes: some eighty events and the greeting
PATIENCE = 90.0


@dataclass
class History:
    """What was acknowledged to the writer, delivered to the reader, and had an effect."""

    acknowledged: list[Fact] = field(default_factory=list)
    delivered: list[Fact] = field(default_factory=list)
    effects: list[Fact] = field(default_factory=list)
    cuts: int = 0


@pytest.fixture
def service(postgres: EmbeddedPostgres) -> ServiceDatabase:
    """A service's database with a ledger of effects."""
    return open_service(postgres)


def write_all(service: ServiceDatabase, history: History) -> None:
    """Commit every version of every record, a version of all in a transaction."""
    records = [new_id() for _ in range(RECORDS)]
    for version in range(1, VERSIONS + 1):
        for record in records:
            service.write(1, aggregate_id=record, first_version=version)
            history.acknowledged.append((record, version))


def relay_all(service: ServiceDatabase, url: str, wrap: Callable[[Publisher], Publisher]) -> None:
    """Publish as a worker does: whenever the bus is lost, begin anew behind the cursor."""
    bus = open_bus(url)
    while service.ask("SELECT 1 FROM outbox LIMIT 1") or service.ask(
        "SELECT 1 FROM relay_state WHERE published_position < last_position"
    ):
        relay = Relay(service.database)
        assert relay.lead()
        try:
            publisher = wrap(bus.publisher())
            try:
                publish_waiting(relay, publisher, lambda act: act())
            finally:
                publisher.close()
        except BusLost:
            continue
        finally:
            relay.resign()


def read_all(service: ServiceDatabase, url: str, history: History) -> None:
    """Read and handle until nothing comes any more."""
    consumer = a_consumer(write_ledger)
    subscription = Subscription(consumer, service.database, threading.Event())
    receiver = open_bus(url).receiver(consumer)
    assert receiver is not None
    quiet = 0
    while quiet < 2:
        batch: list[Incoming] = receiver.receive(50, 0.05)
        quiet = 0 if batch else quiet + 1
        if batch:
            history.delivered += [_fact(one) for one in batch]
            assert subscription.handle(batch)
            receiver.ack(batch)
    receiver.close()
    history.effects = [(one.aggregate_id, one.version) for one in service.ledger()]


def _fact(message: Incoming) -> Fact:
    return message.headers["cloudEvents_partitionkey"], int(message.headers["cloudEvents_sequence"])


def run(
    service: ServiceDatabase, broker: RabbitBroker, wrap: Callable[[Publisher], Publisher] = lambda one: one
) -> History:
    """Write, publish over a link that is cut, read over one that is not."""
    history, url = History(), broker.fresh_vhost()
    open_bus(url).declare([a_consumer()])
    write_all(service, history)
    with proxied(broker.port) as proxy:
        proxy.cut_after = CUT_AFTER
        relay_all(service, url.replace(f":{broker.port}/", f":{proxy.port}/"), wrap)
        history.cuts = proxy.cuts
    read_all(service, url, history)
    return history


def versions_of(facts: Sequence[Fact]) -> dict[str, int]:
    """The newest version of each record."""
    newest: dict[str, int] = {}
    for record, version in facts:
        newest[record] = max(version, newest.get(record, 0))
    return newest


def test_a_link_that_is_cut_again_and_again_costs_nothing(service: ServiceDatabase, rabbit: RabbitBroker) -> None:  # noqa: F811
    history = run(service, rabbit)

    assert history.cuts >= 2, "the link was cut"
    assert find_lost(history.acknowledged, history.effects) == set()
    assert find_doubled(history.effects) == []
    assert find_disordered(history.delivered) == []
    assert find_apart(versions_of(history.acknowledged), versions_of(history.effects)) == set()


class Careless:
    """A publisher that takes every batch for confirmed."""

    def __init__(self, inner: Publisher) -> None:
        self._inner = inner

    def begin(self, source: str, events: Sequence[LoggedEvent]) -> None:
        try:
            self._inner.begin(source, events)
        except BusLost:
            return

    def finish(self) -> int:
        return 0

    def rest(self) -> None:
        self._inner.rest()

    def close(self) -> None:
        self._inner.close()


def test_a_relay_that_waits_for_no_confirms_is_caught(service: ServiceDatabase, rabbit: RabbitBroker) -> None:  # noqa: F811
    history = run(service, rabbit, Careless)
    assert find_lost(history.acknowledged, history.effects)
    assert find_apart(versions_of(history.acknowledged), versions_of(history.effects))


def test_a_consumer_without_an_inbox_is_caught(
    service: ServiceDatabase,
    rabbit: RabbitBroker,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def claim_everything(_work: UnitOfWork, _consumer: str, envelopes: Sequence[Envelope]) -> list[Envelope]:
        return list(envelopes)

    monkeypatch.setattr(parking, "claim_new", claim_everything)
    history = History()
    url = rabbit.fresh_vhost()
    open_bus(url).declare([a_consumer()])
    write_all(service, history)
    for _ in range(2):  # what a relay that lost its cursor does
        relay_all(service, url, lambda one: one)
        service.ask("UPDATE relay_state SET published_position = 0")
    read_all(service, url, history)
    assert find_doubled(history.effects)


def test_a_reader_that_reorders_is_caught() -> None:
    assert find_disordered([("a", 1), ("a", 3), ("b", 1), ("a", 2)]) == [(("a", 3), ("a", 2))]
    assert find_disordered([("a", 1), ("a", 2), ("a", 1), ("b", 1)]) == []


def test_a_hanging_link_is_given_up_and_taken_up_again(service: ServiceDatabase, rabbit: RabbitBroker) -> None:  # noqa: F811
    history, url = History(), rabbit.fresh_vhost()
    open_bus(url).declare([a_consumer()])
    write_all(service, history)
    with proxied(rabbit.port) as proxy:
        through = url.replace(f":{rabbit.port}/", f":{proxy.port}/")
        proxy.flows.clear()
        relaying = threading.Thread(target=relay_all, args=(service, through, lambda one: one))
        relaying.start()
        eventually(lambda: proxy.connections > 1, within=PATIENCE)  # the first try was given up, another one hangs
        proxy.flows.set()
        relaying.join(PATIENCE)
        assert not relaying.is_alive()
    read_all(service, url, history)
    assert find_lost(history.acknowledged, history.effects) == set()
    assert find_disordered(history.delivered) == []
