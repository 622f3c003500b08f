"""RabbitMQ in an alarm, and subscribers outside who read slowly or never: ours lose nothing and wait for nobody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import kombu
import pytest

from chassis.bus.relay import Relay, publish_waiting
from chassis.bus.topology import events
from chassis.bus.transport import Bus, PublishInDoubt, open_bus
from chassis.testing.bus import RabbitBroker
from chassis.testing.eventually import eventually
from tests.contract.messaging.probes import ServiceDatabase, a_consumer, an_event
from tests.contract.messaging.test_definitions import SHIPPED
from tests.contract.messaging.test_delivery import ids_of, open_reader, publish, read

KEPT = 10  # messages an outside queue may hold in the test


@pytest.fixture
def url(rabbit: RabbitBroker) -> str:
    """An empty virtual host."""
    return rabbit.fresh_vhost()


@pytest.fixture
def alarm(rabbit: RabbitBroker) -> Iterator[None]:
    """The broker says that it has no memory left and stops reading from publishers."""
    rabbit.control("set_vm_memory_high_watermark", "0.00001")
    eventually(lambda: "memory" in rabbit.control("eval", "rabbit_alarm:get_alarms()."), within=20, every=0.5)
    yield
    lift(rabbit)


def lift(rabbit: RabbitBroker) -> None:
    """End the alarm."""
    rabbit.control("set_vm_memory_high_watermark", "0.6")
    eventually(lambda: "memory" not in rabbit.control("eval", "rabbit_alarm:get_alarms()."), within=20, every=0.5)


def relay_once(service: ServiceDatabase, bus: Bus) -> int:
    """Publish what waits as a relay does."""
    relay, publisher = Relay(service.database), bus.publisher()
    assert relay.lead()
    try:
        return publish_waiting(relay, publisher, lambda act: act())
    finally:
        publisher.close()
        relay.resign()


def test_in_an_alarm_a_relay_gives_up_in_time_and_afterwards_nothing_is_missing(
    service: ServiceDatabase, rabbit: RabbitBroker, url: str, request: pytest.FixtureRequest
) -> None:
    bus = open_bus(url)
    bus.declare([a_consumer()])
    persons = service.write(50)
    request.getfixturevalue("alarm")

    with pytest.raises(PublishInDoubt, match="in an alarm"):
        relay_once(service, bus)
    assert service.ask("SELECT published_position AS p FROM relay_state")[0].p == 0

    lift(rabbit)
    assert relay_once(service, bus) == 50
    got = read(open_reader(bus), 50)
    assert list(dict.fromkeys(one.headers["cloudEvents_partitionkey"] for one in got)) == persons


def outside_queue(rabbit: RabbitBroker, url: str) -> kombu.Queue:
    """A queue of somebody outside, bounded by the shipped policy with a bound that a test can reach."""
    vhost = url.rpartition("/")[2]
    policy = next(one for one in SHIPPED["policies"] if one["name"] == "outside")
    bound: dict[str, Any] = {**policy["definition"], "max-length": KEPT}
    body = {**{key: policy[key] for key in ("pattern", "apply-to", "priority")}, "definition": bound}
    rabbit.ask("PUT", f"/policies/{vhost}/outside", body)
    quorum = {"x-queue-type": "quorum"}
    return kombu.Queue("crm_ext_slow", events, "crm.contacts.#", durable=True, queue_arguments=quorum)


def test_a_full_queue_outside_drops_its_oldest_and_holds_up_nobody(rabbit: RabbitBroker, url: str) -> None:
    bus = open_bus(url)
    bus.declare([a_consumer()])
    with kombu.Connection(url) as connection, connection.channel() as channel:
        outside_queue(rabbit, url)(channel).declare()
    said = [an_event(position) for position in range(1, 101)]

    publish(bus, said)

    ids = [one.event_id for one in said]
    assert ids_of(read(open_reader(bus), 100)) == ids
    with kombu.Connection(url) as connection, connection.channel() as channel:
        kept = []
        while (message := channel.basic_get("crm_ext_slow", no_ack=True)) is not None:
            kept.append(message.headers["cloudEvents_id"])
    assert kept == ids[-len(kept) :], "the newest, in order"
    assert 0 < len(kept) <= 2 * KEPT


def test_of_several_addresses_one_that_answers_is_enough(url: str) -> None:
    bus = open_bus(f"amqp://crm:crm@127.0.0.1:9/x;{url};amqp://crm:crm@127.0.0.1:9/y")
    bus.declare([a_consumer()])
    said = [an_event(1)]

    publish(bus, said)

    assert ids_of(read(open_reader(bus), 1)) == [said[0].event_id]
