"""One service's events from the commit to the effect, over a link that is cut; each part can be a wrong one.

Everything runs in the test's own process, so a test can put a relay, a reader or a handler of its own in ours' place.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from chassis.bus.consumer import Handler
from chassis.bus.events import Incoming
from chassis.bus.relay import Relay, publish_waiting
from chassis.bus.subscription import Subscription
from chassis.bus.transport import BusLost, Publisher, Receiver, open_bus
from chassis.ids import new_id
from chassis.testing.bus import RabbitBroker
from tests.contract.messaging.probes import ServiceDatabase, a_consumer, write_ledger
from tests.faults.checkers import Fact
from tests.faults.proxy import proxied
from tests.faults.site import through

RECORDS, VERSIONS = 40, 10
CUT_AFTER = 60_000  # bytes: some eighty events and the greeting

Wrap = Callable[[Publisher], Publisher]
Handle = Callable[[Subscription, Receiver, list[Incoming]], None]


@dataclass
class Passed:
    """What was acknowledged to the writer, delivered to the reader, and had an effect."""

    acknowledged: list[Fact] = field(default_factory=list)
    delivered: list[Fact] = field(default_factory=list)
    effects: list[Fact] = field(default_factory=list)
    cuts: int = 0


def as_it_is(publisher: Publisher) -> Publisher:
    """The right publisher."""
    return publisher


def handle_then_ack(subscription: Subscription, receiver: Receiver, batch: list[Incoming]) -> None:
    """The right order."""
    assert subscription.handle(batch)
    receiver.ack(batch)


def write_all(service: ServiceDatabase, passed: Passed) -> None:
    """Commit every version of every record, a version of all in turn."""
    records = [new_id() for _ in range(RECORDS)]
    for version in range(1, VERSIONS + 1):
        for record in records:
            service.write(1, aggregate_id=record, first_version=version)
            passed.acknowledged.append((record, version))


def relay_all(service: ServiceDatabase, url: str, wrap: Wrap = as_it_is) -> None:
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


def read_all(
    service: ServiceDatabase,
    url: str,
    passed: Passed,
    handler: Handler = write_ledger,
    handle: Handle = handle_then_ack,
) -> None:
    """Read and handle until nothing comes any more."""
    consumer = a_consumer(handler)
    subscription = Subscription(consumer, service.database, threading.Event())
    receiver = open_bus(url).receiver(consumer)
    assert receiver is not None
    quiet = 0
    while quiet < 2:
        batch = receiver.receive(50, 0.05)
        quiet = 0 if batch else quiet + 1
        if batch:
            passed.delivered += [fact_of(one) for one in batch]
            handle(subscription, receiver, batch)
    receiver.close()
    passed.effects = effects_of(service)


def effects_of(service: ServiceDatabase) -> list[Fact]:
    """What the ledger says."""
    return [(one.aggregate_id, one.version) for one in service.ledger()]


def fact_of(message: Incoming) -> Fact:
    """Which version of which record a message tells."""
    return message.headers["cloudEvents_partitionkey"], int(message.headers["cloudEvents_sequence"])


def run_lane(
    service: ServiceDatabase,
    broker: RabbitBroker,
    wrap: Wrap = as_it_is,
    handler: Handler = write_ledger,
    handle: Handle = handle_then_ack,
) -> Passed:
    """Write, publish over a link that is cut, read over one that is not."""
    passed, url = Passed(), declared(broker)
    write_all(service, passed)
    with proxied(broker.port) as proxy:
        proxy.cut_after = CUT_AFTER
        relay_all(service, through(url, proxy), wrap)
        passed.cuts = proxy.cuts
    read_all(service, url, passed, handler, handle)
    return passed


def declared(broker: RabbitBroker) -> str:
    """An empty virtual host in which the consumer's queue stands."""
    url = broker.fresh_vhost()
    open_bus(url).declare([a_consumer()])
    return url
