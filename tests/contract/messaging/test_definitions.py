"""The shipped broker definitions fit what workers declare, and let no service's user do another's work."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import amqp
import kombu
import pytest

from chassis.bus.consumer import Consumer
from chassis.bus.transport import Bus, BusLost, DividingBus, Publisher, PublishInDoubt, open_bus
from chassis.naming import EXCHANGE
from chassis.testing.bus import PASSWORD, USER, RabbitBroker
from chassis.testing.eventually import eventually
from tests.contract.messaging.probes import SOURCE, a_consumer, an_event

DEFINITIONS = Path(__file__).resolve().parents[3] / "infra" / "rabbitmq" / "definitions.json"
BINDINGS = Path(__file__).with_name("bindings.json")
SHIPPED: dict[str, Any] = json.loads(DEFINITIONS.read_text(encoding="utf-8"))
SERVICES = ("directory", "contacts", "deals", "scheduling", "imports", "reporting")


def consumers_of(service: str) -> Sequence[Consumer]:
    """What the worker of a service subscribes to."""
    settings = import_module(f"{service}.settings").Settings(database_url="postgresql+psycopg://nobody@nowhere/none")
    found: Sequence[Consumer] = import_module(f"{service}.worker").worker_service(settings).consumers
    return found


def topic_rights(service: str) -> dict[str, str]:
    """What a service's user may publish and bind."""
    return next(one for one in SHIPPED["topic_permissions"] if one["user"] == service)


def publish(publisher: Publisher, key: str) -> None:
    """Publish one event under a key and wait for its confirm."""
    publisher.begin(SOURCE, [an_event(1, key)])
    publisher.finish()


def bus_of(rabbit: RabbitBroker, service: str) -> Bus:
    """The broker with the shipped definitions, as the user of a service."""
    rabbit.ask("POST", "/definitions", SHIPPED)
    rabbit.ask("PUT", f"/users/{service}", {"password": PASSWORD, "tags": ""})
    return open_bus(f"amqp://{service}:{PASSWORD}@127.0.0.1:{rabbit.port}/crm")


def test_a_broker_with_the_shipped_definitions_takes_our_declarations_and_keeps_the_unrouted(
    rabbit: RabbitBroker,
) -> None:
    rabbit.ask("POST", "/definitions", SHIPPED)
    rabbit.ask("PUT", f"/permissions/crm/{USER}", {"configure": ".*", "write": ".*", "read": ".*"})
    bus = open_bus(f"amqp://{USER}:{PASSWORD}@127.0.0.1:{rabbit.port}/crm")
    consumer = a_consumer()

    bus.declare([consumer])

    def queue(name: str) -> Any:
        return rabbit.ask("GET", f"/queues/crm/{name}")

    assert eventually(lambda: queue(consumer.queue).get("policy"), within=20) == "consumers"
    assert queue(consumer.queue)["effective_policy_definition"]["delivery-limit"] == 20
    rabbit.ask("DELETE", "/queues/crm/crm_unrouted/contents")  # of tests before
    publisher = bus.publisher()
    publisher.begin(SOURCE, [an_event(1, "crm.nobody.asked.for.v1.p00.this.e")])
    assert publisher.finish() == 0, "the alternate exchange takes what no queue wants"
    eventually(lambda: queue("crm_unrouted").get("messages") == 1, within=20)


def test_every_service_has_a_user_with_rights_of_its_own() -> None:
    for kind in ("permissions", "topic_permissions"):
        assert {one["user"] for one in SHIPPED[kind]} >= set(SERVICES), (
            "no topic permission means everything is allowed"
        )
    assert all(user["password_hash"] == "" for user in SHIPPED["users"]), "no password is shipped"


@pytest.mark.parametrize("service", SERVICES)
def test_a_user_may_bind_what_its_worker_listens_to_and_publish_only_its_own(service: str) -> None:
    rights = topic_rights(service)

    for consumer in consumers_of(service):
        assert all(re.search(rights["read"], pattern) for pattern in (*consumer.bindings, *consumer.former))
    for other in SERVICES:
        may = bool(re.search(rights["write"], f"crm.{other}.thing.happened.v1.p00.hq.e"))
        assert may == (other == service)


@pytest.mark.parametrize("service", SERVICES)
def test_the_user_of_a_service_declares_its_queues_where_the_definitions_made_the_rest(
    service: str, rabbit: RabbitBroker
) -> None:
    bus_of(rabbit, service).declare(consumers_of(service))

    for consumer in consumers_of(service):
        bound = rabbit.ask("GET", f"/bindings/crm/e/{EXCHANGE}/q/{consumer.queue}")
        assert {one["routing_key"] for one in bound} == set(consumer.bindings)


def test_the_user_of_a_service_empties_its_queues_for_a_new_epoch(rabbit: RabbitBroker) -> None:
    for service in SERVICES:
        bus, consumers = bus_of(rabbit, service), consumers_of(service)
        assert isinstance(bus, DividingBus)
        bus.declare(consumers)
        assert bus.throw_away(consumers) == {consumer.queue: 0 for consumer in consumers}


@pytest.mark.parametrize("service", SERVICES)
def test_every_binding_that_a_consumer_ever_had_is_described_or_undone(service: str) -> None:
    had: dict[str, list[str]] = json.loads(BINDINGS.read_text(encoding="utf-8"))

    for consumer in consumers_of(service):
        assert set(had[consumer.name]) == {*consumer.bindings, *consumer.former}, (
            f"{BINDINGS.name} keeps every binding: add new ones there, move old ones to `former`"
        )
        assert not set(consumer.bindings) & set(consumer.former)


def test_the_user_of_a_service_cannot_publish_as_another(rabbit: RabbitBroker) -> None:
    publisher = bus_of(rabbit, "contacts").publisher()

    with pytest.raises(PublishInDoubt, match="AccessRefused"):
        publish(publisher, "crm.deals.deal.opened.v1.p00.hq.e")


@pytest.mark.parametrize("queue", ["deals", "contacts"])
def test_the_user_of_a_service_cannot_listen_to_what_is_not_meant_for_it(queue: str, rabbit: RabbitBroker) -> None:
    bindings = {"deals": "crm.directory.unit.*.*.*.#", "contacts": "crm.deals.deal.*.*.*.#"}

    with pytest.raises(BusLost, match="AccessRefused"):
        bus_of(rabbit, "contacts").declare([Consumer(name=queue, bindings=(bindings[queue],), handlers={})])


def test_a_message_in_the_name_of_another_user_is_refused(rabbit: RabbitBroker) -> None:
    bus_of(rabbit, "contacts").declare(())
    with kombu.Connection(f"amqp://contacts:{PASSWORD}@127.0.0.1:{rabbit.port}/crm") as connection:
        channel = connection.channel()
        forged = amqp.basic_message.Message(b"x", user_id="deals")

        with pytest.raises(amqp.exceptions.PreconditionFailed, match="user_id"):
            channel.basic_publish_confirm(forged, EXCHANGE, "crm.contacts.person.created.v1.p00.hq.e")


def test_connections_of_one_user_have_a_limit(rabbit: RabbitBroker) -> None:
    limits = {one["name"]: one.get("limits", {}) for one in SHIPPED["users"] if one["name"] in SERVICES}
    assert all(set(found) == {"max-connections", "max-channels"} for found in limits.values())
    few = {**SHIPPED, "users": [dict(one) for one in SHIPPED["users"]]}
    for user in few["users"]:
        user["limits"] = {"max-connections": 2}
    rabbit.ask("POST", "/definitions", few)
    rabbit.ask("PUT", "/users/contacts", {"password": PASSWORD, "tags": ""})
    url = f"amqp://contacts:{PASSWORD}@127.0.0.1:{rabbit.port}/crm"
    with kombu.Connection(url) as first, kombu.Connection(url) as second, kombu.Connection(url) as third:
        first.connect()
        second.connect()
        with pytest.raises(amqp.exceptions.NotAllowed, match="connection limit"):
            third.ensure_connection(max_retries=0)
    rabbit.ask("POST", "/definitions", SHIPPED)
