"""The bus inside PostgreSQL: PGMQ's tables and functions, in the form kombu's `pgmq` transport uses.

kombu's own reading and sending, one message at a time, is too slow for batches (docs/adr/0007); queue names, binding
keys and message form are kombu's, so outside subscribers use kombu as it is. All of it blocks: native threads only.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import psycopg
from kombu.transport.pgmq import TOPIC_PREFIX
from pgmq.install import get_embedded_install_sql
from psycopg import sql

from chassis.bus.consumer import Consumer
from chassis.bus.events import CONTENT_TYPE, Incoming, LoggedEvent
from chassis.bus.transport import BusLost, PublishInDoubt
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
_BINDINGS = "SELECT queue_name, compiled_regex FROM pgmq.topic_bindings WHERE starts_with(pattern, %s) ORDER BY 1, 2"
_SEND = """
SELECT (SELECT count(*) FROM pgmq.send_batch(w.queue, w.messages))
FROM (SELECT r.queue, array_agg(m.message::jsonb ORDER BY m.place) AS messages
      FROM unnest(%s::text[], %s::int[]) AS r(queue, place)
      JOIN unnest(%b::text[]) WITH ORDINALITY AS m(message, place) USING (place)
      GROUP BY r.queue) AS w"""
_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('reader of ' || %s, 0))"
# Taken apart by the server, which does it faster.
_READ = """
SELECT msg_id, read_ct, message ->> 'content-type', message #>> '{properties,delivery_info,routing_key}',
       CAST(message -> 'headers' AS text), message ->> 'body', message #>> '{properties,body_encoding}'
FROM pgmq.read(%s, %s, %s) ORDER BY msg_id"""
_DELETE = "SELECT count(*) FROM pgmq.delete(%s, %s::bigint[])"
_RELEASE = "UPDATE pgmq.{} SET vt = clock_timestamp() WHERE read_ct > 0 AND vt > clock_timestamp()"
# kombu 5.7 with pgmq 1.1.4 calls `send_topic` in a form that PGMQ 1.13 lacks whenever a message has headers.
_MISSING_FORM = """
CREATE FUNCTION pgmq.send_topic(routing_key text, msg jsonb, headers jsonb) RETURNS integer LANGUAGE sql
AS 'SELECT pgmq.send_topic($1, $2, $3, 0)'"""


def prepare_pgmq(url: str) -> None:
    """Load PGMQ's SQL from its wheel into the database of a `pgmq://` or `postgresql://` URL, once."""
    with psycopg.connect(_conninfo(url), autocommit=False) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('prepare pgmq', 0))")
        if connection.execute("SELECT to_regnamespace('pgmq')").fetchone() == (None,):
            connection.execute(get_embedded_install_sql())
            connection.execute(_MISSING_FORM)


class PgmqBus:
    """The queues of one database."""

    on_hub = False

    def __init__(self, url: str) -> None:
        self._url = _conninfo(url)

    def declare(self, consumers: Sequence[Consumer]) -> None:
        """Make queues and bindings as described; bindings of these queues that are described no more are removed."""
        queues = [one.queue for one in consumers]
        pairs = [(_KEY_PREFIX + pattern, one.queue) for one in consumers for pattern in one.bindings]
        patterns, bound = [pattern for pattern, _ in pairs], [queue for _, queue in pairs]
        with _as_bus_lost(), self._connect("declare") as connection:
            connection.execute(_DECLARE, [queues])
            connection.execute(_BIND, [patterns, bound])
            connection.execute(_UNBIND, [queues, _KEY_PREFIX, patterns, bound])

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
        self._bindings: list[tuple[str, str]] = []
        self._unrouted = 0

    def begin(self, source: str, events: Sequence[LoggedEvent]) -> None:
        """Put each event into every queue bound to its key."""
        try:
            self._read_bindings()
            queues: list[str] = []
            places: list[int] = []
            unrouted = 0
            for place, event in enumerate(events, 1):
                routes = self._queues_of(event.routing_key)
                queues.extend(routes)
                places.extend([place] * len(routes))
                unrouted += not routes
            if queues:
                texts = [message_text(event, source) for event in events]
                self._connection.execute(_SEND, [queues, places, texts], prepare=False)  # a generic plan joins slowly
            self._unrouted = unrouted
        except psycopg.Error as trouble:
            raise PublishInDoubt(type(trouble).__name__, confirmed=0) from trouble

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

    def _queues_of(self, key: str) -> tuple[str, ...]:
        routes = self._routes.get(key)
        if routes is None:
            full = _KEY_PREFIX + key
            routes = tuple(dict.fromkeys(queue for queue, pattern in self._bindings if re.match(pattern, full)))
            self._routes[key] = routes
        return routes


class PgmqReceiver:
    """Reads one queue in batches; the session's lock says that nobody else does."""

    def __init__(self, connection: psycopg.Connection[Any], queue: str) -> None:
        self._connection, self._queue = connection, queue

    def receive(self, limit: int, wait_seconds: float) -> list[Incoming]:  # noqa: ARG002  a poll has nobody to wait for
        """Up to `limit` messages, oldest first; answers at once, so the caller waits when there is none."""
        with _as_bus_lost():
            rows = self._connection.execute(_READ, [self._queue, VISIBILITY_SECONDS, limit]).fetchall()
        return [_incoming(*row) for row in rows]

    def ack(self, messages: Sequence[Incoming]) -> None:
        """Delete messages from the queue."""
        with _as_bus_lost():
            self._connection.execute(_DELETE, [self._queue, [one.tag for one in messages]])

    def rest(self) -> None:
        """Nothing to do: the server knows the connection by TCP keepalive."""

    def close(self) -> None:
        """Give the lock back."""
        self._connection.close()


def message_text(event: LoggedEvent, source: str) -> str:
    """The event as kombu's virtual transports store a message: JSON with the body in base64.

    Written into a form, since an encoder takes ten times as long: ids, numbers and times need no quoting, and of what
    does there are few different texts.
    """
    return _MESSAGE.format(
        body=base64.b64encode(event.data).decode(),
        id=event.event_id,
        key=_quoted(event.routing_key),
        type=_quoted(event.type),
        source=_quoted(source),
        aggregate=_quoted(event.aggregate)[:-1],
        aggregate_id=event.aggregate_id,
        time=event.create_time.isoformat(),
        version=event.version,
        epoch=event.epoch,
        position=event.position,
        more=_more_headers(tuple(event.headers.items())),
    )


_quoted = lru_cache(maxsize=1024)(json.dumps)
_MESSAGE = (
    '{{"body": "{body}", "content-encoding": "binary", "content-type": "' + CONTENT_TYPE + '", "headers": {{'
    '"cloudEvents_specversion": "1.0", "cloudEvents_id": "{id}", "cloudEvents_source": {source}, '
    '"cloudEvents_type": {type}, "cloudEvents_subject": {aggregate}/{aggregate_id}", "cloudEvents_time": "{time}", '
    '"cloudEvents_datacontenttype": "application/protobuf", "cloudEvents_sequence": "{version:019d}", '
    '"cloudEvents_partitionkey": "{aggregate_id}", "crm_epoch": "{epoch}", "crm_position": "{position}"{more}}}, '
    '"properties": {{"message_id": "{id}", "type": {type}, "delivery_mode": 2, '
    '"delivery_info": {{"exchange": "' + EXCHANGE + '", "routing_key": {key}}}, '
    '"delivery_tag": "{id}", "body_encoding": "base64"}}}}'
)


@lru_cache(maxsize=1024)  # those of one transaction are the same
def _more_headers(headers: tuple[tuple[str, str], ...]) -> str:
    """Headers that the writer gave, behind those of every event; the later of two of one name counts."""
    return "".join(f", {json.dumps(name)}: {json.dumps(value)}" for name, value in headers)


def _incoming(
    msg_id: int, read_count: int, content_type: str | None, key: str | None, headers: str | None, body: str | None,
    encoding: str | None,
) -> Incoming:  # fmt: skip
    text = body or ""
    try:
        decoded = base64.b64decode(text) if encoding == "base64" else text.encode()
    except ValueError:
        decoded = text.encode()
    told = json.loads(headers) if headers else None
    return Incoming(
        msg_id, read_count - 1, content_type or "", key or "", told if isinstance(told, dict) else {}, decoded
    )


@contextmanager
def _as_bus_lost() -> Any:
    try:
        yield
    except psycopg.Error as trouble:
        raise BusLost(type(trouble).__name__) from trouble


def _conninfo(url: str) -> str:
    return "postgresql://" + url.split("://", 1)[1]
