"""What stands on the bus: one description, declared the same way on both transports.

Immutable things are queue arguments. What an operator tunes (delivery limit, dead-lettering, alternate exchange) is
policy: infra/rabbitmq/definitions.json. What all share (exchanges, nets) is made by those definitions, and a service's
user may not make it; where nobody loaded them, as on a developer's broker, whoever comes first makes it.
"""

from __future__ import annotations

from collections.abc import Sequence

import kombu
from amqp.exceptions import NotFound

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
_shared = (events, _dead, _unrouted, *_nets)
_made = kombu.Exchange(EXCHANGE, type="topic", durable=True, no_declare=True)  # binding to it makes it otherwise


def queue_of(consumer: Consumer) -> kombu.Queue:
    """The queue of a consumer with its bindings, for any kombu transport."""
    bindings = [kombu.binding(_made, routing_key=pattern) for pattern in consumer.bindings]
    return kombu.Queue(consumer.queue, bindings=bindings, durable=True, queue_arguments=CONSUMER_QUEUE)


def declare_topology(connection: kombu.Connection, consumers: Sequence[Consumer]) -> None:
    """Declare the exchange and the consumers' queues, and on RabbitMQ the nets below them."""
    if connection.transport.driver_type == "amqp":
        for one in _shared:
            _provide(connection, one)
    with connection.channel() as channel:
        if connection.transport.driver_type != "amqp":
            events(channel).declare()
        for consumer in consumers:
            queue_of(consumer)(channel).declare()


def _provide(connection: kombu.Connection, one: kombu.Exchange | kombu.Queue) -> None:
    """Make an exchange or a queue unless it stands; asking whether it does needs no right to make it."""
    channel = connection.channel()
    try:
        if isinstance(one, kombu.Queue):
            one(channel).queue_declare(passive=True)
        else:
            one(channel).declare(passive=True)
    except NotFound:  # which closed the channel
        with connection.channel() as fresh:
            one(fresh).declare()
    else:
        channel.close()
