"""What stands on the bus: one description, declared the same way on both transports.

Immutable things are queue arguments. What an operator tunes (delivery limit, dead-lettering, alternate exchange) is
policy: infra/rabbitmq/definitions.json.
"""

from __future__ import annotations

from collections.abc import Sequence

import kombu

from chassis.bus.consumer import Consumer
from chassis.naming import DEAD_EXCHANGE, DEAD_QUEUE, EXCHANGE, UNROUTED_EXCHANGE, UNROUTED_QUEUE

# One active reader keeps the order of a queue; a quorum queue keeps what it confirmed.
CONSUMER_QUEUE = {"x-queue-type": "quorum", "x-single-active-consumer": True}
events = kombu.Exchange(EXCHANGE, type="topic", durable=True)
_dead = kombu.Exchange(DEAD_EXCHANGE, type="topic", durable=True)
_unrouted = kombu.Exchange(UNROUTED_EXCHANGE, type="fanout", durable=True)
_nets = (
    kombu.Queue(DEAD_QUEUE, _dead, "#", durable=True, queue_arguments={"x-queue-type": "quorum"}),
    kombu.Queue(UNROUTED_QUEUE, _unrouted, "", durable=True),
)


def queue_of(consumer: Consumer) -> kombu.Queue:
    """The queue of a consumer with its bindings, for any kombu transport."""
    bindings = [kombu.binding(events, routing_key=pattern) for pattern in consumer.bindings]
    return kombu.Queue(consumer.queue, bindings=bindings, durable=True, queue_arguments=CONSUMER_QUEUE)


def declare_topology(connection: kombu.Connection, consumers: Sequence[Consumer]) -> None:
    """Declare the exchange and the consumers' queues, and on RabbitMQ the nets below them."""
    with connection.channel() as channel:
        events(channel).declare()
        if connection.transport.driver_type == "amqp":
            for net in _nets:
                net(channel).declare()
        for consumer in consumers:
            queue_of(consumer)(channel).declare()
