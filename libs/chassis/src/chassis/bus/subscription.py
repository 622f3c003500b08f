"""One batch of messages through one transaction: claimed, handled, marked, committed; only then may it be acked.

Runs on native threads and knows no transport. A batch that fails is rolled back and halved until the culprit stands
alone; that one is put aside, and later events of the same aggregate wait behind it. Everything else goes on.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from opentelemetry.trace import SpanKind

from chassis import measuring, telemetry
from chassis.bus import parking
from chassis.bus.cell_records import NOT_ITS_RECORD, find_strange
from chassis.bus.consumer import Consumer, runs_of
from chassis.bus.events import CONTENT_TYPE, Catalogue, Delivery, Envelope, Incoming, Undecodable, open_envelope
from chassis.cells import CELL_HEADER
from chassis.database import RETRYABLE, Database, UnitOfWork, sqlstate_of
from chassis.errors import DomainError, Kind

log = logging.getLogger(__name__)
# Deliveries that ended with the process after which an event is tried apart from others, each try counted beforehand;
# far below the broker's delivery limit of 20, so none is dead-lettered for being near a culprit.
CRASHES = 3
CRASHED = ("Crash", "PROCESS_CRASHED")
TRANSIENT_TRIES = 8  # a deadlock or a busy lock ten times in a row, about 10 s, is not passing
BACKOFF_SECONDS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 15.0)
# 08 connection, 53 resources, 57P0x shutdown or start-up, 25006 a standby not yet promoted: the database is not there.
_ABSENT = ("08", "53")
_ABSENT_CODES = frozenset({"57P01", "57P02", "57P03", "25006"})
_PASSING = frozenset({Kind.UNAVAILABLE, Kind.DEADLINE})


def trouble_of(act: Callable[[], Any]) -> Exception | None:
    """Do `act` and answer what it raised: the bus's one place to catch everything."""
    try:
        act()
    except Exception as trouble:
        return trouble
    return None


class Subscription:
    """Takes one consumer's batches through its database; one thread calls `handle`, another may call `retry_due`."""

    def __init__(self, consumer: Consumer, database: Database, stopping: threading.Event) -> None:
        self.consumer, self.database, self.stopping = consumer, database, stopping
        self._catalogue = Catalogue(consumer.handlers)
        self._handlers = {kind.DESCRIPTOR.full_name: handler for kind, handler in consumer.handlers.items()}
        self._copies = consumer.copies.tables if consumer.copies else ()
        self._from_cells = {kind.DESCRIPTOR.full_name for kind in consumer.from_cells}

    def handle(self, messages: Sequence[Incoming]) -> bool:
        """Account for every message: handled, known, or put aside. False when stopped before that: do not ack."""
        return self._settle([one for one in map(open_envelope, messages) if self._is_ours(one)])

    def _is_ours(self, event: Envelope) -> bool:
        """Tell whether an event is of this cell, or one that is taken from other cells too."""
        return bool(event.flaw) or CELL_HEADER not in event.headers or event.type in self._from_cells

    def retry_due(self) -> int:
        """Try waiting events whose time has come; answers how many went through."""
        with self.database.reading() as work:
            due = parking.due_aggregates(work, self.consumer.name)
        return sum(self._retry_aggregate(aggregate_id) for aggregate_id in due)

    def _settle(self, events: list[Envelope]) -> bool:
        if not events:
            return True
        trouble = self._insist(lambda: self._apply(events))
        if trouble is None:
            return True
        if self.stopping.is_set():
            return False
        if len(events) == 1:
            return self._put_aside(events[0], trouble)
        middle = len(events) // 2
        return self._settle(events[:middle]) and self._settle(events[middle:])

    def _insist(self, act: Callable[[], Any]) -> Exception | None:
        """Do `act`, again while the trouble may pass by itself; answers the trouble that stays."""
        tries = 0
        while True:
            trouble = trouble_of(act)
            if trouble is None or not may_pass(trouble, tries):
                return trouble
            if tries == 0:
                log.info("batch again", extra={"consumer": self.consumer.name, "error": parking.error_of(trouble)})
            if self.stopping.wait(BACKOFF_SECONDS[min(tries, len(BACKOFF_SECONDS) - 1)]):
                return trouble
            tries += 1

    def _apply(self, events: list[Envelope]) -> None:
        carriers = [one.headers for one in events if "traceparent" in one.headers]
        consumer = {"messaging.consumer.group.name": self.consumer.name}
        about: dict[str, str | int] = {**consumer, "messaging.batch.message_count": len(events)}
        span = telemetry.batch_span(f"process {self.consumer.queue}", carriers, **about)
        with measuring.timed(measuring.batches, **consumer), span, self.database.transaction() as work:
            self._run_handlers(work, self._admit(work, events))
            parking.mark_seen(work, self.consumer.name, events)
        measuring.consumed.add(len(events), consumer)

    def _admit(self, work: UnitOfWork, events: list[Envelope]) -> list[Delivery]:
        """Claim the events; pass over later facts, put aside what cannot be handled and what waits behind it.

        Answers the rest.
        """
        name = self.consumer.name
        new = [one for one in parking.claim_new(work, name, events) if not self._catalogue.passes_over(one)]
        held = parking.held_aggregates(work, name, (one.aggregate_id for one in new)) if new else set()
        strange = find_strange(work, self._copies, new)
        admitted: list[Delivery] = []
        aside: list[dict[str, Any]] = []
        for one in new:
            if one.event_id in strange:  # let go at once, or it would hold up what its record's own cell says
                aside.append(parking.parked_row(name, one, parking.SKIPPED, error=NOT_ITS_RECORD, work=work))
                log.error("event skipped", extra={"consumer": name, "event": one.event_id, "reason": NOT_ITS_RECORD[1]})
                continue
            if one.aggregate_id in held:
                aside.append(parking.parked_row(name, one, parking.BEHIND, work=work))
                continue
            if one.attempts >= CRASHES:
                held.add(one.aggregate_id)
                aside.append(parking.parked_row(name, one, parking.RETRY, error=CRASHED, work=work))
                continue
            try:
                admitted.append(self._catalogue.deliver(one))
            except Undecodable as trouble:
                held.add(one.aggregate_id)
                error = ("Undecodable", trouble.code)
                aside.append(parking.parked_row(name, one, parking.PARKED, error=error, work=work))
                log.error("event parked", extra={"consumer": name, "event": one.event_id, "reason": trouble.code})
        parking.park(work, aside)
        return admitted

    def _run_handlers(self, work: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
        for run in runs_of(deliveries):
            self._handlers[run[0].type](work, run)

    def _put_aside(self, event: Envelope, trouble: Exception) -> bool:
        def act() -> None:
            with self.database.transaction() as work:
                name = self.consumer.name
                if parking.claim_new(work, name, [event]):
                    error = parking.error_of(trouble)
                    parking.park(
                        work, [parking.parked_row(name, event, parking.RETRY, error=error, tries=1, work=work)]
                    )
                parking.mark_seen(work, name, [event])

        left = self._insist(act)
        if left is not None and not self.stopping.is_set():
            raise left
        if left is None:
            log.warning("event put aside", extra=self._about(event.event_id, event.type, trouble))
        return left is None

    def _retry_aggregate(self, aggregate_id: str) -> int:
        done = 0
        while not self.stopping.is_set() and self._retry_head(aggregate_id):
            done += 1
        return done

    def _retry_head(self, aggregate_id: str) -> bool:
        """Try the first waiting event of an aggregate; False when there is none to try now, or it failed."""
        tried: list[sa.Row[Any]] = []
        started = self._count_before(aggregate_id)

        def act() -> None:
            with self.database.transaction() as work:
                row = parking.take_head(work, self.consumer.name, aggregate_id, started)
                if row is None:
                    return
                tried.append(row)
                with telemetry.span(f"retry {self.consumer.queue}", row.headers, SpanKind.CONSUMER):
                    self._run_handlers(work, [self._catalogue.deliver(_envelope_of(row))])
                parking.resolve(work, row.id)

        trouble = trouble_of(act)
        if trouble is None:
            return bool(tried)
        if tried and not may_pass(trouble, TRANSIENT_TRIES):
            row = tried[0]
            with self.database.transaction() as work:
                parking.postpone(work, row.id, row.tries + 1, parking.error_of(trouble))
            log.warning("retry failed", extra=self._about(row.event_id, row.type, trouble))
        return False

    def _count_before(self, aggregate_id: str) -> int | None:
        """Count the try of an event that may end the process before it is made; answers its row's id."""
        with self.database.transaction() as work:
            row = parking.take_head(work, self.consumer.name, aggregate_id)
            if row is None or row.error_code != CRASHED[1]:
                return None
            parking.postpone(work, row.id, row.tries + 1, CRASHED)
            return int(row.id)

    def _about(self, event_id: str, kind: str, trouble: Exception) -> dict[str, str]:
        name, code = parking.error_of(trouble)
        where = _place_of(trouble)
        return {
            "consumer": self.consumer.name,
            "event": str(event_id),
            "event_type": kind,
            "error": name,
            "code": code,
            "at": where,
        }


def may_pass(trouble: Exception, tries: int) -> bool:
    """Tell whether doing the same again may help: for ever while the database is absent, a few times for a conflict."""
    if isinstance(trouble, DomainError):
        return trouble.kind in _PASSING and tries < TRANSIENT_TRIES
    if not isinstance(trouble, sa.exc.DBAPIError):
        return isinstance(trouble, sa.exc.TimeoutError) and tries < TRANSIENT_TRIES  # the pool was used up
    state = sqlstate_of(trouble)
    if trouble.connection_invalidated or state[:2] in _ABSENT or state in _ABSENT_CODES:
        return True
    if not state:
        return isinstance(trouble, sa.exc.OperationalError)  # the driver lost or could not make the connection
    return state in RETRYABLE and tries < TRANSIENT_TRIES


def _place_of(trouble: Exception) -> str:
    """Where a failure was raised; its text stays out of the logs, since it may quote a customer's values."""
    frames = traceback.extract_tb(trouble.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""


def _envelope_of(row: sa.Row[Any]) -> Envelope:
    content_type = CONTENT_TYPE if row.aggregate else ""  # an envelope with a flaw was stored without an aggregate
    return open_envelope(Incoming(0, 0, content_type, "", row.headers, bytes(row.data)))
