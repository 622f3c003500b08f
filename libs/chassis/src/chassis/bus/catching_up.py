"""A consumer is told what was said before: all of it, what lies behind its marks, or behind a position that is named.

Everything goes through the consumer's own inbox and handlers, so the bus may bring the same events meanwhile, the
consumer's worker may run, and what was cut off may be done again. Sources are read one after another: name first those
whose events others build upon.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from chassis.bus import parking
from chassis.bus.consumer import Consumer
from chassis.bus.events import CONTENT_TYPE, Incoming, wire_headers
from chassis.bus.sources import EventSource, event_pages
from chassis.bus.subscription import Subscription
from chassis.copies import count_rows, digest_of
from chassis.database import Database
from chassis.errors import DomainError, Kind
from chassis.event_feed import Chosen, Standing
from chassis.logged_event import LoggedEvent
from chassis.schema import consumer_mark, inbox, parked_event

log = logging.getLogger(__name__)
Tell = Callable[[str, int], None]  # service and how many of its events were read so far


class NothingToRebuild(DomainError):
    """The consumer keeps no copies of what others own."""

    kind = Kind.PRECONDITION
    reason = "NOTHING_TO_REBUILD"


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild ended with."""

    events: int
    digest: str
    records: dict[str, int]


def _tell_nobody(_service: str, _events: int) -> None:
    """Where nobody wants to hear of progress."""


def catch_up(consumer: Consumer, database: Database, sources: Iterable[EventSource], tell: Tell = _tell_nobody) -> int:
    """Tell a consumer what lies behind its marks; from a snapshot on where it has none or the log has moved past it.

    Answers how many events were read. Errors: DBAPIError, or those of the sources.
    """
    return sum(_Past(consumer, database, source, tell).read_rest() for source in _heard(consumer, sources))


def tell_all(consumer: Consumer, database: Database, sources: Iterable[EventSource], tell: Tell = _tell_nobody) -> int:
    """Tell a consumer everything, from snapshots on, whatever its marks say: for one deployed later than others."""
    return sum(_Past(consumer, database, source, tell).read_all() for source in _heard(consumer, sources))


def replay(
    consumer: Consumer,
    database: Database,
    source: EventSource,
    from_position: int,
    again: bool = False,
    tell: Tell = _tell_nobody,
) -> int:
    """Tell a consumer the events of a source from a position on; it passes over those that its inbox knows.

    With `again` they are handled once more: a state still replaces only an older one. Answers how many were read.
    Errors: EventsGone where they are kept no longer, DBAPIError.
    """
    return _Past(consumer, database, source, tell).read_from(from_position - 1, again)


def rebuild(
    consumer: Consumer, database: Database, sources: Iterable[EventSource], tell: Tell = _tell_nobody
) -> Rebuilt:
    """Make a consumer's copies anew from all events, while everything runs; what waited in it is told anew too.

    Errors: NothingToRebuild, DBAPIError, those of the sources. A rebuild that was cut off is begun again.
    """
    copies = consumer.copies
    if copies is None:
        raise NothingToRebuild(f"{consumer.name} keeps no copies of what others own")
    with database.transaction() as work:
        copies.forget(work)
        for table in (inbox, parked_event, consumer_mark):
            work.execute(sa.delete(table).where(table.c.consumer == consumer.name))
    events = tell_all(consumer, database, sources, tell)
    with database.transaction() as work:
        copies.sweep(work)
    with database.transaction() as work:
        return Rebuilt(events, digest_of(work, copies.tables), count_rows(work, copies.tables))


def _heard(consumer: Consumer, sources: Iterable[EventSource]) -> list[EventSource]:
    """Those of the sources that say anything the consumer listens to."""
    return [one for one in sources if one.service in consumer.sources]


class _Past:
    """One source's past on its way to one consumer."""

    def __init__(self, consumer: Consumer, database: Database, source: EventSource, tell: Tell) -> None:
        self._consumer, self._database, self._source, self._tell = consumer, database, source, tell
        self._subscription = Subscription(consumer, database, threading.Event())
        self._chosen = Chosen(tuple(kind.DESCRIPTOR.full_name for kind in consumer.handlers))
        self._read = 0

    def read_rest(self) -> int:
        """What lies behind the mark, if the log still holds it."""
        standing = self._source.read_standing()
        epoch, position = self._mark(standing.source)
        if epoch != standing.epoch or position + 1 < standing.oldest_position:
            return self._read_all(standing)
        return self._read_behind(standing, position)

    def read_all(self) -> int:
        """The snapshot and what follows it."""
        return self._read_all(self._source.read_standing())

    def read_from(self, after_position: int, again: bool) -> int:
        """What lies behind a position, known or not."""
        return self._read_behind(self._source.read_standing(), after_position, again)

    def _read_all(self, standing: Standing) -> int:
        for page in self._source.snapshot_pages(self._consumer.batch_size, self._chosen):
            # What is true of the source now is true in its present epoch, whenever it was said.
            self._hand_over(standing, [one._replace(epoch=standing.epoch) for one in page])
        self._note(standing)
        return self._read_behind(standing, standing.last_position)

    def _read_behind(self, standing: Standing, position: int, again: bool = False) -> int:
        for page in event_pages(self._source, position, self._consumer.batch_size, self._chosen, standing.epoch):
            if again:
                self._forget_claims(page)
            self._hand_over(standing, page)
        return self._read

    def _hand_over(self, standing: Standing, events: Sequence[LoggedEvent]) -> None:
        in_order = sorted(events, key=lambda one: one.position)
        self._subscription.handle([_incoming(one, standing.source) for one in in_order])
        self._read += len(events)
        self._tell(self._source.service, self._read)

    def _mark(self, source: str) -> tuple[int, int]:
        mine = sa.and_(consumer_mark.c.consumer == self._consumer.name, consumer_mark.c.source == source)
        with self._database.transaction() as work:
            row = work.execute(sa.select(consumer_mark.c.epoch, consumer_mark.c.position).where(mine)).one_or_none()
        return (row.epoch, row.position) if row else (0, 0)

    def _note(self, standing: Standing) -> None:
        """Mark that all was heard up to where the source stood, also where none of it was for this consumer."""
        if standing.last_time is not None:
            with self._database.transaction() as work:
                place = parking.Place(standing.source, standing.epoch, standing.last_position, standing.last_time)
                parking.mark_places(work, self._consumer.name, [place])

    def _forget_claims(self, events: Sequence[LoggedEvent]) -> None:
        """Have events handled that were handled before; those that wait go on to wait."""
        ids = [one.event_id for one in events]
        settled = parked_event.c.state.in_(("resolved", "skipped"))
        with self._database.transaction() as work:
            waiting = set(
                work.execute(
                    sa.select(parked_event.c.event_id).where(
                        parked_event.c.consumer == self._consumer.name, parked_event.c.event_id.in_(ids), ~settled
                    )
                ).scalars()
            )
            done = [one for one in ids if one not in waiting]
            for table in (inbox, parked_event):
                work.execute(
                    sa.delete(table).where(table.c.consumer == self._consumer.name, table.c.event_id.in_(done))
                )


def _incoming(event: LoggedEvent, source: str) -> Incoming:
    return Incoming(0, 0, CONTENT_TYPE, event.routing_key, wire_headers(event, source), event.data)
