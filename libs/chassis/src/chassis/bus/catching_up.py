"""A consumer that comes later than others reads what was said before it: the kept events of its sources.

For whoever deploys services and has their databases at hand, while the consumer's worker does not run. Everything goes
through the consumer's own inbox, so what its queue brings once more changes nothing, and what was cut off goes on where
its marks stand.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable

import sqlalchemy as sa

from chassis.bus.consumer import Consumer
from chassis.bus.events import CONTENT_TYPE, Incoming, LoggedEvent, wire_headers
from chassis.bus.subscription import Subscription
from chassis.database import Database
from chassis.messaging_state import EventsGone, FeedEvent, tail_events
from chassis.schema import consumer_mark, relay_state

log = logging.getLogger(__name__)


def catch_up(consumer: Consumer, database: Database, sources: Iterable[Database]) -> int:
    """Hand a consumer every kept event of its types that lies behind its marks; answers how many there were.

    Sources are read one after another: name first those whose events others build upon. Errors: DBAPIError.
    """
    subscription = Subscription(consumer, database, threading.Event())
    return sum(_read_source(subscription, source) for source in sources)


def _read_source(subscription: Subscription, source: Database) -> int:
    types = [kind.DESCRIPTOR.full_name for kind in subscription.consumer.handlers]
    with source.transaction() as work:
        name = str(work.execute(sa.select(relay_state.c.source)).scalar_one())
    position, read = _mark(subscription, name), 0
    while found := _events_behind(source, position, types, subscription.consumer.batch_size):
        subscription.handle([_incoming(one, name) for one in found])
        position, read = found[-1].position, read + len(found)
    return read


def _mark(subscription: Subscription, source: str) -> int:
    mine = sa.and_(consumer_mark.c.consumer == subscription.consumer.name, consumer_mark.c.source == source)
    with subscription.database.transaction() as work:
        return int(work.execute(sa.select(consumer_mark.c.position).where(mine)).scalar() or 0)


def _events_behind(source: Database, position: int, types: list[str], size: int) -> list[FeedEvent]:
    try:
        with source.transaction() as work:
            return tail_events(work, position, size, types)
    except EventsGone as gone:
        log.warning("older events are kept no longer", extra={"source": source.service, **gone.metadata})
        with source.transaction() as work:
            return tail_events(work, int(gone.metadata["oldest_position"]) - 1, size, types)


def _incoming(event: FeedEvent, source: str) -> Incoming:
    logged = LoggedEvent(**{name: getattr(event, name) for name in LoggedEvent._fields})
    return Incoming(0, 0, CONTENT_TYPE, event.routing_key, wire_headers(logged, source), event.data)
