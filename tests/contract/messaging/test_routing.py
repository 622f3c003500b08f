"""The same keys reach the same queues on both buses, ours and an outsider's."""

from __future__ import annotations

import contextlib
import itertools
import re

import kombu

from chassis.bus.consumer import Consumer
from chassis.bus.events import CONTENT_TYPE
from chassis.bus.topology import events as events_exchange
from chassis.bus.transport import Bus
from chassis.naming import EXCHANGE, binding, routing_key
from chassis.testing.bus import BusAddress
from chassis.testing.eventually import eventually
from tests.contract.messaging.probes import SOURCE, an_event

SERVICES = ("contacts", "deals")
FACTS = (("person", "created"), ("person", "merged"), ("deal", "stage_changed"), ("deal", "won"))
PATHS = ("", "hq", "hq.ru", "hq.ru.moscow", "hq.ru.moscow.tverskaya", "hq.ru.moscowsky", "hq.kz.almaty")
AGGREGATES = ("0198c0de-0000-7000-8000-000000000001", "0198c0de-0000-7000-8000-000000000002")


def list_keys() -> list[str]:
    """More than 200 keys of every shape the naming rules make."""
    parts = itertools.product(SERVICES, FACTS, (1, 2), AGGREGATES, PATHS)
    return [routing_key(service, *fact, major, person, path) for service, fact, major, person, path in parts]


def list_patterns() -> list[str]:
    """Forty bindings, of every shape the naming rules make."""
    services = ("*", *SERVICES)
    paths = ("", "hq", "hq.ru", "hq.ru.moscow", "hq.ru.moscow.tverskaya", "hq.kz", "hq.none")
    found = [binding(service, unit_path=path) for service in services for path in paths]
    found += [binding(service, aggregate, fact) for service in SERVICES for aggregate, fact in FACTS]
    found += [binding("*", aggregate, fact) for aggregate, fact in FACTS]
    found += [binding(aggregate="deal"), binding("deals", "deal", unit_path="hq.ru"), binding("deals", major="v2")]
    found += [binding(fact="created"), binding(major="v2"), binding("contacts", major="v1", unit_path="hq.ru"), "crm.#"]
    return found


def fits(pattern: str, key: str) -> bool:
    """Say by the words whether a key is for a binding: `*` is one word, a last `#` one or more."""
    wanted, words = pattern.split("."), key.split(".")
    if wanted[-1] == "#":
        wanted, words = wanted[:-1], words[: len(wanted) - 1] if len(words) >= len(wanted) else []
    return len(wanted) == len(words) and all(want in ("*", word) for want, word in zip(wanted, words, strict=True))


def drain(bus: Bus, consumer: Consumer, count: int) -> list[str]:
    """Read a queue until `count` messages came and no more are on their way; answers their keys."""
    receiver = bus.receiver(consumer)
    assert receiver is not None
    found: list[str] = []
    while batch := receiver.receive(500, 0.05):
        found += [one.routing_key for one in batch]
        receiver.ack(batch)
        if len(found) >= count and bus.on_hub:
            break
    receiver.close()
    return found


def test_forty_bindings_get_the_same_of_two_hundred_keys_on_both_buses(bus: Bus) -> None:
    keys, patterns = list_keys(), list_patterns()
    assert len(keys) >= 200
    assert len(patterns) == 40
    consumers = [Consumer(f"route_{place}", (pattern,), {}) for place, pattern in enumerate(patterns)]
    bus.declare(consumers)
    publisher = bus.publisher()
    publisher.begin(SOURCE, [an_event(place, key) for place, key in enumerate(keys, 1)])
    publisher.finish()
    publisher.close()

    for consumer in consumers:
        expected = [key for key in keys if fits(consumer.bindings[0], key)]

        assert drain(bus, consumer, len(expected)) == expected, consumer.bindings


def test_an_event_that_two_bindings_of_a_queue_fit_comes_once(bus: Bus) -> None:
    consumer = Consumer("route", (binding("contacts"), binding(fact="created"), "crm.#"), {})
    bus.declare([consumer])
    publisher = bus.publisher()
    event = an_event()
    publisher.begin(SOURCE, [event])
    publisher.finish()

    assert drain(bus, consumer, 1) == [event.routing_key]


def test_events_no_queue_wants_are_counted_and_do_no_harm(bus: Bus) -> None:
    bus.declare([Consumer("route", (binding("deals"),), {})])
    publisher = bus.publisher()
    wanted = routing_key("deals", "deal", "won", 1, AGGREGATES[0], "hq")

    publisher.begin(SOURCE, [an_event(1), an_event(2, wanted), an_event(3)])

    assert publisher.finish() == 2


def test_a_binding_declared_after_the_publisher_connected_is_seen(bus: Bus) -> None:
    first, later = Consumer("route", (binding("contacts"),), {}), Consumer("later", (binding("contacts"),), {})
    bus.declare([first])
    publisher = bus.publisher()
    publisher.begin(SOURCE, [an_event(1)])
    publisher.finish()
    bus.declare([later])
    event = an_event(2)

    publisher.begin(SOURCE, [event])
    publisher.finish()

    assert drain(bus, later, 1) == [event.routing_key]


def test_an_outside_subscriber_reads_with_plain_kombu(bus: Bus, bus_address: BusAddress) -> None:
    """An integrator needs nothing of ours: kombu's own transport, a queue, a binding, the documented headers."""
    bus.declare([])
    got: list[kombu.Message] = []
    queue = kombu.Queue("crm_ext_website", events_exchange, binding("contacts"), durable=True)
    options = {"init_extension": False, "wait_time_seconds": 0, "polling_interval": 0.05}
    with kombu.Connection(bus_address.url, transport_options=options if bus_address.kind == "pgmq" else {}) as outside:
        consumer = kombu.Consumer(outside, [queue], accept=[CONTENT_TYPE], on_message=got.append)
        with consumer:
            publisher = bus.publisher()
            event = an_event(7)
            publisher.begin(SOURCE, [event])
            assert publisher.finish() == 0
            eventually(lambda: drain_outside(outside, got))
        got[0].ack()

    assert got[0].headers["cloudEvents_id"] == event.event_id
    assert got[0].headers["crm_position"] == "7"
    assert got[0].content_type == CONTENT_TYPE
    assert bytes(got[0].body) == event.data
    assert got[0].delivery_info["routing_key"] == event.routing_key


def drain_outside(connection: kombu.Connection, got: list[kombu.Message]) -> list[kombu.Message]:
    """Let plain kombu deliver what has come."""
    with contextlib.suppress(TimeoutError):
        connection.drain_events(timeout=0.1)
    return got


def test_what_an_outsider_publishes_with_plain_kombu_is_read_by_ours(bus: Bus, bus_address: BusAddress) -> None:
    consumer = Consumer("route", (binding("telephony"),), {})
    bus.declare([consumer])
    options = {"init_extension": False} if bus_address.kind == "pgmq" else {"confirm_publish": True}
    key = routing_key("telephony", "call", "ended", 1, AGGREGATES[0], "hq")
    with kombu.Connection(bus_address.url, transport_options=options) as outside:
        kombu.Producer(outside, events_exchange, auto_declare=True).publish(
            b"\x00\xff body", routing_key=key, content_type=CONTENT_TYPE, content_encoding="binary", headers={"a": "b"}
        )
    receiver = bus.receiver(consumer)
    assert receiver is not None

    batch = eventually(lambda: receiver.receive(10, 0.05))

    assert [(one.routing_key, one.body, one.headers["a"], one.content_type) for one in batch] == [
        (key, b"\x00\xff body", "b", CONTENT_TYPE)
    ]
    receiver.close()


def test_a_binding_that_is_described_no_more_is_removed(bus: Bus) -> None:
    """Only PGMQ lets a consumer list its bindings; for RabbitMQ those of earlier versions are named."""
    bus.declare([Consumer("route", (binding("contacts"), binding("deals")), {})])

    bus.declare([Consumer("route", (binding("deals"),), {}, former=(binding("contacts"), binding("imports")))])

    publisher = bus.publisher()
    publisher.begin(SOURCE, [an_event()])
    assert publisher.finish() == 1


def test_the_exchange_is_declared_under_its_one_name() -> None:
    assert events_exchange.name == EXCHANGE == "crm.events"
    assert events_exchange.type == "topic"
    assert re.fullmatch(r"[a-z0-9_]{1,47}", Consumer("reporting_deals", (), {}).queue)
