"""What stands on RabbitMQ: one description, declared by whoever comes first.

Immutable things are queue arguments. What an operator tunes (delivery limit, dead-lettering, alternate exchange) is
policy: infra/rabbitmq/definitions.json. What all share (exchanges, nets) is made by those definitions, and a service's
user may not make it; where nobody loaded them, as on a developer's broker, whoever comes first makes it.
"""

from __future__ import annotations

from collections.abc import Sequence

import kombu
from amqp.exceptions import NotFound

from chassis.bus.consumer import Consumer
from chassis.bus.layouts import lay_out
from chassis.bus.transport import Standing
from chassis.naming import DEAD_EXCHANGE, DEAD_QUEUE, EXCHANGE, UNROUTED_EXCHANGE, UNROUTED_QUEUE

events = kombu.Exchange(EXCHANGE, type="topic", durable=True)
_dead = kombu.Exchange(DEAD_EXCHANGE, type="topic", durable=True)
_unrouted = kombu.Exchange(UNROUTED_EXCHANGE, type="fanout", durable=True)
_nets = (
    kombu.Queue(DEAD_QUEUE, _dead, "#", durable=True, queue_arguments={"x-queue-type": "quorum"}),
    kombu.Queue(UNROUTED_QUEUE, _unrouted, "", durable=True),
)
_shared = (events, _dead, _unrouted, *_nets)


def declare_topology(connection: kombu.Connection, consumers: Sequence[Consumer]) -> list[Standing]:
    """Declare the exchange and the nets below it where they are missing, and the consumers' queues.

    Answers the queues of another number that are to be emptied first.
    """
    for one in _shared:
        _provide(connection, one)
    return [old for consumer in consumers for old in lay_out(connection, consumer)]


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
