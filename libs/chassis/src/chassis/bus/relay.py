"""How committed events reach the bus: numbered into the log, published from it in order, never lost.

Stage A moves outbox rows into `event_log` by their presence, never by `id > last`, and numbers them under the lock of
`relay_state`; so positions are gapless and in commit order. Stage B publishes what lies behind the cursor and moves it
as far as the bus confirmed. One relay publishes at a time: an advisory lock held by the connection that moves the
cursor, and a term that a relay which lost it cannot match. A crash anywhere repeats one batch at most.

Source: reference figures of the two-stage design: no event missed under concurrent writers, where a cursor over ids
missed 41 %. All functions block on SQL: native threads only.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import sqlalchemy as sa

from chassis import measuring
from chassis.bus.transport import Publisher, PublishInDoubt
from chassis.database import Database
from chassis.logged_event import LoggedEvent
from chassis.naming import EXCHANGE
from chassis.prepared import Prepared
from chassis.schema import relay_state

log = logging.getLogger(__name__)
T = TypeVar("T")
BATCH = 1_000  # at about 1 KB an event, one megabyte in flight
POLL_SECONDS = 0.1
_LEADER = "SELECT pg_try_advisory_lock(hashtextextended('relay', 0))"

# Own statement before the move, so that the snapshot of the move is younger than the lock.
_LOCK = sa.text("SELECT last_position FROM relay_state FOR UPDATE")
# The ids as an array: a join of the table with a part of itself was planned as a loop over both, 0.3 s for 1,000 events
# while an import wrote more, since the planner thinks an outbox is empty.
_MOVE = sa.text("""
WITH taken AS (DELETE FROM outbox WHERE id = ANY(ARRAY(SELECT id FROM outbox ORDER BY id LIMIT :batch)) RETURNING *),
     counted AS (SELECT taken.*, row_number() OVER (ORDER BY id) AS k FROM taken),
     state AS (SELECT last_position, epoch FROM relay_state),
     logged AS (
       INSERT INTO event_log (position, epoch, event_id, aggregate, aggregate_id, version, type, routing_key, headers,
                              data, subject_id, create_time, day)
       SELECT state.last_position + k, state.epoch, event_id, aggregate, aggregate_id, version, type, routing_key,
              headers, data, subject_id, create_time, (create_time AT TIME ZONE 'UTC')::date
       FROM counted, state RETURNING 1)
UPDATE relay_state SET last_position = last_position + (SELECT count(*) FROM counted)
RETURNING (SELECT count(*) FROM counted)""")
# The columns are the fields of LoggedEvent, in their order.
_BEHIND = sa.text("""
SELECT position, epoch, event_id::text, aggregate, aggregate_id::text, version, type, routing_key, headers, data,
       create_time
FROM event_log WHERE position > :position ORDER BY position LIMIT :batch""")
_WAITING = sa.text("SELECT 1 FROM outbox ORDER BY id LIMIT 1")  # by the index: not through rows long gone
# One look that asks nothing else of the server, since nearly all of them find nothing to do.
_STANDING = Prepared(
    sa.text("""
SELECT term, last_position, (SELECT id FROM outbox ORDER BY id LIMIT 1) IS NOT NULL AS is_waiting FROM relay_state""")
)
_LEAD = sa.text("""
UPDATE relay_state SET term = term + 1, holder = :holder, hold_time = clock_timestamp()
RETURNING term, source, published_position""")
_ADVANCE = sa.text("""
UPDATE relay_state SET published_position = greatest(published_position, :position), hold_time = clock_timestamp()
WHERE term = :term RETURNING published_position""")
_OURS = sa.text("SELECT 1 FROM relay_state WHERE term = :term")


class RunSql(Protocol):
    """Runs a function that blocks on SQL, and answers what it answers."""

    def __call__(self, act: Callable[[], T], /) -> T: ...


class Fenced(Exception):
    """Another relay has taken over; stop publishing at once."""


def number_events(connection: sa.Connection, batch: int = BATCH) -> int:
    """Stage A, in one short transaction: move at most `batch` outbox rows into the log; answers how many.

    Any process may run it, even two at once.
    """
    with connection.begin():
        if connection.execute(_WAITING).first() is None:
            return 0
        connection.execute(_LOCK)
        return int(connection.execute(_MOVE, {"batch": batch}).scalar_one())


def number_waiting(database: Database) -> None:
    """Number all that was committed, whoever publishes it. Errors: DBAPIError."""
    with database.engine.connect() as connection:
        while number_events(connection) == BATCH:
            pass


@dataclass(frozen=True)
class Batch:
    """What is to be published next. `more` tells that the outbox or the log held more than this."""

    events: Sequence[LoggedEvent]
    more: bool


NOTHING = Batch((), more=False)


class Relay:
    """The relay of one service's database: `lead` once, then `next_batch` and `advance` in turn."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: sa.Connection | None = None
        self._term = 0
        self._read_to = 0  # position up to which events were handed out in this term
        self.source = ""

    def lead(self) -> bool:
        """Try to become the one relay of this database. Errors: sqlalchemy's DBAPIError."""
        connection = self._database.engine.connect()
        try:
            if not connection.exec_driver_sql(_LEADER).scalar():
                connection.rollback()
                connection.close()
                return False
            holder = f"{socket.gethostname()}:{os.getpid()}"
            state = connection.execute(_LEAD, {"holder": holder}).one()
            connection.commit()
        except sa.exc.DBAPIError:
            connection.invalidate()
            connection.close()
            raise
        self._connection, self._term, self.source = connection, state.term, state.source
        self._read_to = state.published_position
        return True

    def next_batch(self) -> Batch:
        """Number what was committed and read what was not handed out yet. Errors: Fenced, DBAPIError."""
        connection = self._held()
        [here] = _STANDING.run(connection, {})[0]
        if here.term != self._term:
            raise Fenced(self.source)
        if not here.is_waiting and here.last_position <= self._read_to:
            return NOTHING
        numbered = number_events(connection) if here.is_waiting else 0
        with connection.begin():
            if connection.execute(_OURS, {"term": self._term}).scalar() is None:
                raise Fenced(self.source)
            rows = connection.execute(_BEHIND, {"position": self._read_to, "batch": BATCH}).all()
        if rows:
            self._read_to = rows[-1].position
        return Batch([LoggedEvent._make(row) for row in rows], more=numbered == BATCH or len(rows) == BATCH)

    def advance(self, position: int) -> None:
        """Move the cursor to a confirmed position; it never goes back. Errors: Fenced, DBAPIError."""
        connection = self._held()
        with connection.begin():
            if connection.execute(_ADVANCE, {"position": position, "term": self._term}).first() is None:
                raise Fenced(self.source)

    def resign(self) -> None:
        """Give the lock back, by ending the session that holds it."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    def _held(self) -> sa.Connection:
        if self._connection is None:
            raise Fenced(self.source)
        return self._connection


def publish_waiting(relay: Relay, publisher: Publisher, run_sql: RunSql) -> int:
    """Publish until nothing waits; answers how many events went out. The next batch is read while the bus takes one.

    `run_sql` runs a function of the relay where SQL may block. Errors: PublishInDoubt, Fenced, DBAPIError; the relay
    must then resign, and both are to be made anew.
    """
    done = 0
    batch = run_sql(relay.next_batch)
    while batch.events:
        publisher.begin(relay.source, batch.events)
        ahead = run_sql(relay.next_batch) if batch.more else None
        unrouted = _finish(relay, publisher, batch.events, run_sql)
        if unrouted:
            log.info("events no queue wanted", extra={"source": relay.source, "count": unrouted})
        done += len(batch.events)
        measuring.sent.add(
            len(batch.events), {"messaging.destination.name": EXCHANGE, "branchline.source": relay.source}
        )
        batch = ahead or run_sql(relay.next_batch)
    return done


def _finish(relay: Relay, publisher: Publisher, events: Sequence[LoggedEvent], run_sql: RunSql) -> int:
    try:
        unrouted = publisher.finish()
    except PublishInDoubt as doubt:
        if doubt.confirmed:
            last = events[doubt.confirmed - 1].position
            run_sql(lambda: relay.advance(last))
        raise
    run_sql(lambda: relay.advance(events[-1].position))
    return unrouted


def rewind(database: Database, position: int) -> None:
    """Publish again everything behind `position`, after the bus lost its data; inboxes absorb what was handled.

    The term moves too, so that a relay in the middle of a batch cannot move the cursor forward again.
    """
    with database.engine.begin() as connection:
        connection.execute(sa.update(relay_state).values(published_position=position, term=relay_state.c.term + 1))


def begin_epoch(database: Database) -> int:
    """Begin a new epoch after a restore: versions and positions given from now on are newer than all given before.

    Answers the epoch. What consumers heard in the lost time is undone by telling them all anew: bus/catching_up.py.
    """
    with database.engine.begin() as connection:
        next_epoch = {"epoch": relay_state.c.epoch + 1, "term": relay_state.c.term + 1}
        made = connection.execute(sa.update(relay_state).values(next_epoch).returning(relay_state.c.epoch))
        return int(made.scalar_one())
