"""The shipped broker definitions and what workers declare fit together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from chassis.bus.transport import open_bus
from chassis.testing.bus import PASSWORD, USER, RabbitBroker
from chassis.testing.eventually import eventually
from tests.contract.messaging.probes import SOURCE, a_consumer, an_event

DEFINITIONS = Path(__file__).resolve().parents[3] / "infra" / "rabbitmq" / "definitions.json"


def test_a_broker_with_the_shipped_definitions_takes_our_declarations_and_keeps_the_unrouted(
    rabbit: RabbitBroker,
) -> None:
    rabbit.ask("POST", "/definitions", json.loads(DEFINITIONS.read_text()))
    rabbit.ask("PUT", f"/permissions/crm/{USER}", {"configure": ".*", "write": ".*", "read": ".*"})
    bus = open_bus(f"amqp://{USER}:{PASSWORD}@127.0.0.1:{rabbit.port}/crm")
    consumer = a_consumer()

    bus.declare([consumer])

    def queue(name: str) -> Any:
        return rabbit.ask("GET", f"/queues/crm/{name}")

    assert eventually(lambda: queue(consumer.queue).get("policy")) == "consumers"
    assert queue(consumer.queue)["effective_policy_definition"]["delivery-limit"] == 20
    publisher = bus.publisher()
    publisher.begin(SOURCE, [an_event(1, "crm.nobody.asked.for.v1.p00.this.e")])
    assert publisher.finish() == 0, "the alternate exchange takes what no queue wants"
    eventually(lambda: queue("crm_unrouted").get("messages") == 1, within=20)
