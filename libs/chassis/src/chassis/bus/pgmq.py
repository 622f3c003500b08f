"""The bus inside PostgreSQL: PGMQ's tables and functions, in the form kombu's `pgmq` transport uses.

kombu's own reading and sending, one message at a time, is too slow for batches (docs/adr/0007); queue names, binding
keys and message form are kombu's, so outside subscribers use kombu as it is. All of it blocks: native threads only.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import psycopg
from kombu.transport.pgmq import TOPIC_PREFIX
from pgmq.install import get_embedded_install_sql
from psycopg import sql

from chassis.bus.consumer import Consumer
from chassis.bus.events import Incoming
from chassis.bus.parcels import entry_of, pack, unpack
from chassis.bus.pgmq_messages import incoming_of, message_text
from chassis.bus.transport import BusLost, PublishInDoubt, Standing
from chassis.logged_event import LoggedEvent
from chassis.naming import EXCHANGE

# The reader's lock, not this time, keeps others away; after a crash the next reader takes the messages back at once.
VISIBILITY_SECONDS = 60
KEEPALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "connect_timeout": 5}
# kombu writes the exchange as one word of the key: `.` becomes `-d-`.
_KEY_PREFIX = f"{TOPIC_PREFIX}.{EXCHANGE.replace('.', '-d-')}."

_DECLARE = "SELECT pgmq.create(queue) FROM unnest(%s::text[]) queue"
_BIND = "SELECT pgmq.bind_topic(pattern, queue) FROM unnest(%s::text[], %s::text[]) AS b(pattern, queue)"
_UNBIND = """
DELETE FROM pgmq.topic_bindings t USING unnest(%s::text[]) AS q(queue)
WHERE t.queue_name = q.queue AND starts_with(t.pattern, %s)
  AND NOT EXISTS (SELECT FROM unnest(%s::text[], %s::text[]) AS b(pattern, queue)
                  WHERE b.pattern = t.pattern AND b.queue = t.queue_name)"""
# A parcel is larger than what PostgreSQL keeps inside a row; packing it tighter takes longer than writing it as it is.
_PACKED = """
SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'pgmq'::regnamespace AND c.relname = ANY(%s::text[]) AND a.attname = 'message'
  AND a.attstorage <> 'e'"""
_UNPACKED = "ALTER TABLE pgmq.{} ALTER COLUMN message SET STORAGE EXTERNAL"
_MARK = "INSERT INTO parcel_queue (queue_name) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING"
_BINDINGS = """
SELECT b.queue_name, b.compiled_regex, p.queue_name IS NOT NULL FROM pgmq.topic_bindings b
LEFT JOIN parcel_queue p ON p.queue_name = b.queue_name WHERE starts_with(b.pattern, %s) ORDER BY 1, 2"""
_SEND = """
SELECT (SELECT count(*) FROM pgmq.send_batch(w.queue, w.messages, w.headers))
FROM (SELECT m.queue,
             array_agg(CASE m.events WHEN 0 THEN m.message::jsonb ELSE jsonb_build_object('parcel', m.message) END
                       ORDER BY m.place) AS messages,
             array_agg(CASE WHEN m.events > 0 THEN jsonb_build_object('crm_events', m.events) END
                       ORDER BY m.place) AS headers
      FROM unnest(%s::text[], %s::int[], %b::text[]) WITH ORDINALITY AS m(queue, events, message, place)
      GROUP BY m.queue) AS w"""
_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('reader of ' || %s, 0))"
# As `pgmq.read`, but as many messages as hold no more events than asked for, at least one; taken apart by the server,
# which does it faster. A parcel is looked into once, since each look unpacks all of it.
_READ = """
WITH due AS (SELECT msg_id, CASE WHEN headers ->> 'crm_events' ~ '^[0-9]{{1,9}}$'
                                 THEN CAST(headers ->> 'crm_events' AS int) ELSE 1 END AS events
             FROM pgmq.{queue} WHERE vt <= clock_timestamp() ORDER BY msg_id LIMIT %(limit)s),
     counted AS (SELECT msg_id, events, sum(events) OVER (ORDER BY msg_id) AS upto FROM due),
     taken AS (
       UPDATE pgmq.{queue} m
       SET last_read_at = clock_timestamp(), vt = clock_timestamp() + %(hold)s * interval '1 s', read_ct = read_ct + 1
       FROM counted c WHERE m.msg_id = c.msg_id AND (c.upto <= %(limit)s OR c.upto = c.events) RETURNING m.*)
SELECT msg_id, read_ct, CASE WHEN packed THEN coalesce(message ->> 'parcel', CAST(message AS text)) END,
       headers ->> 'crm_done', CASE WHEN NOT packed THEN message ->> 'content-type' END,
       CASE WHEN NOT packed THEN message #>> '{{properties,delivery_info,routing_key}}' END,
       CASE WHEN NOT packed THEN CAST(message -> 'headers' AS text) END,
       CASE WHEN NOT packed THEN message ->> 'body' END,
       CASE WHEN NOT packed THEN message #>> '{{properties,body_encoding}}' END
FROM (SELECT *, headers ->> 'crm_events' IS NOT NULL AS packed FROM taken) AS one ORDER BY msg_id"""
_PARTLY = "UPDATE pgmq.{} SET headers = headers || jsonb_build_object('crm_done', %s::int) WHERE msg_id = %s"
_COUNT = """
SELECT coalesce(sum(CASE WHEN headers ->> 'crm_events' ~ '^[0-9]{{1,9}}$'
                         THEN CAST(headers ->> 'crm_events' AS int) ELSE 1 END), 0) FROM pgmq.{}"""
_DELETE = "SELECT count(*) FROM pgmq.delete(%s, %s::bigint[])"
_RELEASE = "UPDATE pgmq.{} SET vt = clock_timestamp() WHERE read_ct > 0 AND vt > clock_timestamp()"
# kombu 5.7 with pgmq 1.1.4 calls `send_topic` in a form that PGMQ 1.13 lacks whenever a message has headers.
_MISSING_FORM = """
CREATE FUNCTION pgmq.send_topic(routing_key text, msg jsonb, headers jsonb) RETURNS integer LANGUAGE sql
AS 'SELECT pgmq.send_topic($1, $2, $3, 0)'"""
# The queues whose readers are ours and take parcels.
_PARCEL_QUEUES = "CREATE TABLE IF NOT EXISTS parcel_queue (queue_name text PRIMARY KEY)"


def prepare_pgmq(url: str) -> None:
    """Load PGMQ's SQL from its wheel into the database of a `pgmq://` or `postgresql://` URL, once."""
    with psycopg.connect(_conninfo(url), autocommit=False) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('prepare pgmq', 0))")
        if connection.execute("SELECT to_regnamespace('pgmq')").fetchone() == (None,):
            connection.execute(get_embedded_install_sql())
            connection.execute(_MISSING_FORM)
        connection.execute(_PARCEL_QUEUES)


class PgmqBus:
    """The queues of one database."""

    on_hub = False

    def __init__(self, url: str) -> None:
        self._url = _conninfo(url)

    def declare(self, consumers: Sequence[Consumer]) -> Sequence[Standing]:
        """Make queues and bindings as described; bindings of these queues that are described no more are removed."""
        queues = [one.queue for one in consumers]
        pairs = [(_KEY_PREFIX + pattern, one.queue) for one in consumers for pattern in one.bindings]
        patterns, bound = [pattern for pattern, _ in pairs], [queue for _, queue in pairs]
        with _as_bus_lost(), self._connect("declare") as connection:
            connection.execute(_DECLARE, [queues])
            packed = connection.execute(_PACKED, [[f"q_{queue}" for queue in queues]]).fetchall()
            if packed:
                texts = [sql.SQL(_UNPACKED).format(sql.Identifier(table)) for (table,) in packed]
                connection.execute(sql.SQL("; ").join(texts))
            connection.execute(_MARK, [queues])
            connection.execute(_BIND, [patterns, bound])
            connection.execute(_UNBIND, [queues, _KEY_PREFIX, patterns, bound])
        return ()

    def drop_empty(self, consumer: Consumer) -> None:
        """Nothing: a consumer has one queue here."""

    def count_messages(self, consumers: Sequence[Consumer]) -> Sequence[int]:
        """How many events wait in the queue of each consumer."""
        counts = [sql.SQL(_COUNT).format(sql.Identifier(f"q_{one.queue}")) for one in consumers]
        with _as_bus_lost(), self._connect("watch") as connection:
            rows = connection.execute(sql.SQL(" UNION ALL ").join(counts)).fetchall() if counts else []
        return [int(count) for (count,) in rows]

    def publisher(self) -> PgmqPublisher:
        """Connect for publishing."""
        with _as_bus_lost():
            return PgmqPublisher(self._connect("relay"))

    def receiver(self, consumer: Consumer) -> PgmqReceiver | None:
        """Connect for reading and become the queue's only reader; None while there is another one.

        What an earlier reader held when it died becomes readable at once, in front of everything later.
        """
        with _as_bus_lost():
            connection = self._connect(consumer.queue)
            if connection.execute(_LOCK, [consumer.queue]).fetchone() != (True,):
                connection.close()
                return None
            connection.execute("SET synchronous_commit = off")  # a read or delete that is lost is only done again
            connection.execute(sql.SQL(_RELEASE).format(sql.Identifier(f"q_{consumer.queue}")))
            return PgmqReceiver(connection, consumer.queue)

    def _connect(self, purpose: str) -> psycopg.Connection[Any]:
        return psycopg.connect(self._url, autocommit=True, application_name=f"bus {purpose}", **KEEPALIVE)  # type: ignore[arg-type]


class PgmqPublisher:
    """Publishes batches, each in one transaction: its commit is the confirm."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._routes: dict[str, tuple[str, ...]] = {}
        self._bindings: list[tuple[str, str, bool]] = []
        self._ours: frozenset[str] = frozenset()
        self._unrouted = 0

    def begin(self, source: str, events: Sequence[LoggedEvent]) -> None:
        """Put each event into every queue bound to its key."""
        try:
            self._read_bindings()
            places: dict[str, list[int]] = {}
            self._unrouted = 0
            for place, event in enumerate(events):
                routes = self._queues_of(event.routing_key)
                self._unrouted += not routes
                for queue in routes:
                    places.setdefault(queue, []).append(place)
            if places:
                rows = list(self._messages_of(source, events, places))
                self._connection.execute(_SEND, [list(column) for column in zip(*rows, strict=True)], prepare=False)
        except psycopg.Error as trouble:
            raise PublishInDoubt(type(trouble).__name__, confirmed=0) from trouble

    def _messages_of(
        self, source: str, events: Sequence[LoggedEvent], places: Mapping[str, Sequence[int]]
    ) -> Iterator[tuple[str, int, str]]:
        """Queue, events in a parcel (0: a message in kombu's form), text."""
        entry = lru_cache(maxsize=None)(lambda place: entry_of(events[place]))
        text = lru_cache(maxsize=None)(lambda place: message_text(events[place], source))
        parcels = lru_cache(maxsize=None)(lambda mine: tuple(pack(source, [entry(place) for place in mine])))
        for queue, mine in places.items():
            if queue in self._ours and len(mine) > 1:
                for parcel, count in parcels(tuple(mine)):
                    yield queue, count, parcel
            else:
                for place in mine:
                    yield queue, 0, text(place)

    def rest(self) -> None:
        """Nothing: a connection of the database may be idle."""

    def finish(self) -> int:
        """How many events of the batch no queue wanted."""
        return self._unrouted

    def close(self) -> None:
        """Let the connection go."""
        self._connection.close()

    def _read_bindings(self) -> None:
        found = self._connection.execute(_BINDINGS, [_KEY_PREFIX]).fetchall()
        if found != self._bindings:
            self._bindings, self._routes = found, {}
            self._ours = frozenset(queue for queue, _, ours in found if ours)

    def _queues_of(self, key: str) -> tuple[str, ...]:
        routes = self._routes.get(key)
        if routes is None:
            full = _KEY_PREFIX + key
            routes = tuple(dict.fromkeys(queue for queue, pattern, _ in self._bindings if re.match(pattern, full)))
            self._routes[key] = routes
        return routes


class PgmqReceiver:
    """Reads one queue in batches; the session's lock says that nobody else does."""

    def __init__(self, connection: psycopg.Connection[Any], queue: str) -> None:
        self._connection = connection
        table = sql.Identifier(f"q_{queue}")
        self._queue, self._read = queue, sql.SQL(_READ).format(queue=table)
        self._partly = sql.SQL(_PARTLY).format(table)
        self._coming: deque[Incoming] = deque()  # of a parcel with more events than were asked for
        self._open: dict[int, list[int]] = {}  # of each message that is not acked: events acked, events in all

    def receive(self, limit: int, wait_seconds: float) -> list[Incoming]:  # noqa: ARG002  a poll has nobody to wait for
        """Up to `limit` messages, oldest first; answers at once, so the caller waits when there is none."""
        if not self._coming:
            with _as_bus_lost():
                rows = self._connection.execute(self._read, {"limit": limit, "hold": VISIBILITY_SECONDS}).fetchall()
            for row in rows:
                self._coming.extend(self._open_message(*row))
        return [self._coming.popleft() for _ in range(min(limit, len(self._coming)))]

    def _open_message(
        self, msg_id: int, read_count: int, parcel: str | None, done: str | None, *message: str | None
    ) -> list[Incoming]:
        acked = 0
        if parcel is None:
            found = [incoming_of(msg_id, read_count, *message)]
        else:
            try:
                found, acked = _events_in(msg_id, read_count, parcel), int(done or 0)
            except ValueError:  # somebody's message that only looks like a parcel: one of no known type
                found = [incoming_of(msg_id, read_count, None, None, None, parcel, None)]
        self._open[msg_id] = [acked, len(found)]
        return found[acked:]

    def ack(self, messages: Sequence[Incoming]) -> None:
        """Delete messages from the queue; of a parcel that is not through yet, note how far it is."""
        for one in messages:
            self._open[one.tag][0] += 1
        through = [tag for tag, (acked, events) in self._open.items() if acked >= events]
        partly = [(acked, tag) for tag, (acked, _) in self._open.items() if tag not in through and acked]
        with _as_bus_lost():
            if through:
                self._connection.execute(_DELETE, [self._queue, through])
            if partly:
                self._connection.cursor().executemany(self._partly, partly)
        for tag in through:
            del self._open[tag]

    def leave(self) -> None:
        """Nothing: what was not asked for is not on its way."""

    def rest(self) -> None:
        """Nothing to do: the server knows the connection by TCP keepalive."""

    def close(self) -> None:
        """Give the lock back."""
        self._connection.close()


def _events_in(msg_id: int, read_count: int, parcel: str) -> list[Incoming]:
    return [Incoming(msg_id, read_count - 1, *one[2:]) for one in unpack(parcel)]


@contextmanager
def _as_bus_lost() -> Any:
    try:
        yield
    except psycopg.Error as trouble:
        raise BusLost(type(trouble).__name__) from trouble


def _conninfo(url: str) -> str:
    return "postgresql://" + url.split("://", 1)[1]
