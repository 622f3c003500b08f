"""One transaction, opened in one place: the unit of work with its outbox."""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import orjson
import psycopg
import sqlalchemy as sa
from google.protobuf.message import Message
from psycopg.types.json import set_json_loads
from psycopg.types.string import TextLoader
from sqlalchemy.dialects.postgresql import JSONB

from chassis import clock, measuring, schema, telemetry
from chassis.access import Access, service_access
from chassis.copying import copy_text
from chassis.driver import Driver
from chassis.ids import new_id
from chassis.naming import fact_of, routing_key
from chassis.pooling import REST_SECONDS, USED, RestingPool
from chassis.prepared import Prepared, driver_of, wrap_trouble
from chassis.wall import Wall

T = TypeVar("T")
READS = "chassis_reads"  # execution option of a connection that needs no transaction
log = logging.getLogger(__name__)

# 40001 serialization failure, 40P01 deadlock: the same work done again succeeds. 55P03: the lock was not had in time.
RETRYABLE = frozenset({"40001", "40P01", "55P03"})
ATTEMPTS = 4
POOL_SECONDS = 5.0  # wait for a free connection; longer, and the caller's deadline has passed
COPY_FROM_EVENTS = 2  # one event is one statement, more are one COPY


class NewEvent(NamedTuple):
    """A fact to be published: its message (`crm.<service>.events.v<major>.<Name>`) and the aggregate it tells of."""

    message: Message
    aggregate: str
    aggregate_id: str
    version: int
    unit_path: str = ""
    subject_id: str | None = None


@dataclass
class UnitOfWork:
    """An open transaction with the caller's access; events added here are stored with its commit or not at all."""

    connection: sa.Connection
    access: Access
    now: datetime
    events: list[NewEvent] = field(default_factory=list)
    origin: dict[str, str] = field(default_factory=dict)

    def execute(self, statement: sa.Executable, parameters: Any = None) -> sa.CursorResult[Any]:
        """Run one statement in this transaction."""
        return self.connection.execute(statement, parameters)

    def add_event(
        self,
        message: Message,
        aggregate: str,
        aggregate_id: str,
        version: int,
        unit_path: str = "",
        subject_id: str | None = None,
    ) -> None:
        """Add one event. The aggregate's row must already hold `version` in this transaction (that takes its lock)."""
        self.events.append(NewEvent(message, aggregate, aggregate_id, version, unit_path, subject_id))

    def fetch(self, statement: Prepared, parameters: Mapping[str, Any] | None = None) -> list[Any]:
        """The rows of a prepared statement, as named tuples; none where it answers none."""
        return statement.run(self.connection, parameters or {})[0]

    def run(self, statement: Prepared, parameters: Mapping[str, Any] | None = None) -> int:
        """Run a prepared statement; answers how many rows it touched."""
        return statement.run(self.connection, parameters or {})[1]

    def run_later(
        self,
        statement: Prepared,
        parameters: Mapping[str, Any] | None = None,
        look: Callable[[int], None] | None = None,
    ) -> None:
        """Run a prepared statement with the next one or with the commit: a trip is saved.

        Nothing is asked of it but by `look`, which is told how many rows it touched. Errors: those of the statement and
        of `look`, raised where it went.
        """
        statement.run_later(self.connection, parameters or {}, look)

    def send_waiting(self) -> None:
        """Run now what was to run later."""
        driver_of(self.connection).send_waiting()

    def begin_anew(self) -> None:
        """Undo all that was done in this transaction, events too, and go on in a new one."""
        self.events.clear()
        driver = driver_of(self.connection)
        driver.rollback()
        driver.begin()

    def copy_rows(self, table: sa.Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert many rows by COPY. Shapes: each row has one value a column; JSON columns take their value as text.

        Errors: those of `execute`, so that a deadlock is a deadlock whichever way the rows came.
        """
        if not rows:
            return
        names = ", ".join(f'"{name}"' for name in columns)
        statement = f'COPY "{table.name}" ({names}) FROM STDIN'
        try:
            with driver_of(self.connection).cursor() as cursor, cursor.copy(statement.encode()) as copy:
                for text in copy_text(rows):
                    copy.write(text)
        except psycopg.Error as trouble:
            raise wrap_trouble(self.connection, statement, trouble) from trouble
        except ValueError as trouble:  # a text with NUL: refused as the driver refuses it among parameters
            refused = psycopg.DataError(str(trouble))
            raise wrap_trouble(self.connection, statement, refused) from trouble

    def copy_new_rows(self, table: sa.Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> bool:
        """Insert many rows by COPY, or none of them: False where one has a key that stands already.

        One whose key another open transaction is about to write waits for the end of that.
        """
        try:
            with self.connection.begin_nested():
                self.copy_rows(table, columns, rows)
        except sa.exc.IntegrityError:
            return False
        return True

    def flush_events(self) -> None:
        """Put the events added so far into the outbox; a transaction does it at its end, a migration asks for it."""
        if not self.events:
            return
        rows = [self._outbox_row(event) for event in self.events]
        if len(rows) >= COPY_FROM_EVENTS:
            self.copy_rows(schema.outbox, _OUTBOX_COLUMNS, rows)
        else:
            for row in rows:
                self.run_later(_INSERT_EVENT, dict(zip(_OUTBOX_COLUMNS, row, strict=True)))
        self.events.clear()

    def _outbox_row(self, event: NewEvent) -> tuple[Any, ...]:
        message, aggregate, aggregate_id, version, unit_path, subject_id = event
        made_of: Any = type(message)
        kind, service, fact, major = _fact_of(made_of, aggregate)
        key = routing_key(service, aggregate, fact, major, aggregate_id, unit_path)
        return (
            new_id(), aggregate, aggregate_id, version, kind, key, self._headers(), message.SerializeToString(),
            subject_id,
        )  # fmt: skip

    def _headers(self) -> str:
        if not hasattr(self, "_header_text"):
            found = {**_actor_headers(self.access), **telemetry.current_trace(), **self.origin}
            self._header_text = json.dumps({key: value for key, value in found.items() if value})
        return self._header_text


def _actor_headers(access: Access) -> dict[str, str]:
    """Who changed something, from which unit, signed in where, and through which service: the audit trail reads it."""
    if not access.user_id:
        return {}
    session, unit, service = access.session_id, access.unit_path, access.service
    return {"crm_actor": access.user_id, "crm_session": session, "crm_unit": unit, "crm_service": service}


@lru_cache(maxsize=256)
def _fact_of(message: Any, aggregate: str) -> tuple[str, str, str, int]:
    """A type's full name, `crm.<service>.events.v<major>.<Name>`, with its service, fact and major version."""
    kind: str = message.DESCRIPTOR.full_name
    _, service, _, version, name = kind.split(".")
    return kind, service, fact_of(name, aggregate), int(version[1:])


_OUTBOX_COLUMNS = (
    "event_id", "aggregate", "aggregate_id", "version", "type", "routing_key", "headers", "data", "subject_id",
)  # fmt: skip
_INSERT_EVENT = Prepared(
    sa.insert(schema.outbox)
    .inline()
    .values(
        {
            **{name: sa.bindparam(name) for name in _OUTBOX_COLUMNS},
            "headers": sa.cast(sa.bindparam("headers", type_=sa.Text), JSONB),
        }
    )
)


class Database:
    """A service's own database. `url` is `postgresql+psycopg://…`; pool sizes are per process.

    With a `wall` what users read is filtered by PostgreSQL as well.

    Units: time-outs in milliseconds.
    """

    def __init__(
        self,
        url: str,
        service: str,
        *,
        pool_size: int = 3,
        overflow: int = 5,
        statement_timeout_ms: int = 5_000,
        lock_timeout_ms: int = 2_000,
        wall: Wall | None = None,
    ) -> None:
        self.url = url
        self._wall = wall
        self.service = service
        options = (
            f"-c statement_timeout={statement_timeout_ms} -c lock_timeout={lock_timeout_ms} "
            f"-c idle_in_transaction_session_timeout=10000 -c timezone=UTC"
        )
        self.engine = sa.create_engine(
            url,
            poolclass=RestingPool,
            pool_size=pool_size,
            max_overflow=overflow,
            pool_timeout=POOL_SECONDS,
            # The driver begins nothing by itself: a read is then one trip to the server instead of three.
            isolation_level="AUTOCOMMIT",
            pool_reset_on_return=None,  # _put_back does it, where there is something to undo
            hide_parameters=True,  # error texts reach logs, and values are personal data
            connect_args={"options": options, "application_name": f"{service}", "connect_timeout": 5},
            # Without it an INSERT says -1, also one that ON CONFLICT DO NOTHING made do nothing.
            execution_options={"preserve_rowcount": True},
        )
        use_driver(self.engine)
        sa.event.listen(self.engine, "begin", _begin)
        sa.event.listen(self.engine, "connect", _read_plainly)
        sa.event.listen(self.engine, "checkout", _refuse_dead)
        sa.event.listen(self.engine, "reset", _put_back)
        if isinstance(self.engine.pool, sa.pool.QueuePool):
            measuring.watch_pool(self.engine.pool, service)
        self._reading = self.engine.execution_options(**{READS: True})
        self.at_close: list[Callable[[], None]] = []  # what is still to be written goes first
        self.committed: Callable[[], None] = lambda: None  # woken after commits that hold events, in this process

    @contextmanager
    def transaction(self, access: Access | None = None) -> Iterator[UnitOfWork]:
        """Open the one transaction of a use; commits with its events if the block ends well, else changes nothing."""
        with self.engine.begin() as connection:
            work = UnitOfWork(connection, access or service_access(self.service), clock.now())
            yield work
            had_events = bool(work.events)
            work.flush_events()
        if had_events:
            self.committed()

    @contextmanager
    def reading(self, access: Access | None = None, *, walled: bool = True) -> Iterator[UnitOfWork]:
        """Open a use that only reads: no transaction, each statement sees what was committed when it began.

        That is what a transaction shows here as well (READ COMMITTED), for a third of its trips. What a user reads is
        read behind the wall, unless the question is about more than the user sees (`walled` False). Errors: TypeError
        for events, which could not be stored with what they tell.
        """
        with self._reading.connect() as connection:
            if walled and self._wall is not None and access is not None and access.user_id:
                self._wall.raise_for(connection, access)
            work = UnitOfWork(connection, access or service_access(self.service), clock.now())
            yield work
            if work.events:
                raise TypeError("a use that only reads has no events")

    def attempt(self, act: Callable[[UnitOfWork], T], access: Access | None = None) -> T:
        """Run `act` in a transaction, again if the database asks for it (deadlock, serialization), at most 4 times."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self.transaction(access) as work:
                    return act(work)
            except sa.exc.DBAPIError as trouble:
                if sqlstate_of(trouble) not in RETRYABLE or attempt == ATTEMPTS:
                    raise
                log.info("transaction again", extra={"sqlstate": sqlstate_of(trouble), "attempt": attempt})
                time.sleep(random.uniform(0.01, 0.05) * 2**attempt)
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Close all connections of this process."""
        while self.at_close:
            self.at_close.pop()()
        self.engine.dispose()


def use_driver(engine: sa.Engine) -> None:
    """Have an engine connect as a unit of work needs it."""
    sa.event.listen(engine, "do_connect", _connect)


def _connect(_dialect: Any, _record: Any, given: Sequence[Any], named: dict[str, Any]) -> Driver:
    return Driver.connect(*given, **named)


def _begin(connection: sa.Connection) -> None:
    """Begin the transaction that SQLAlchemy takes for begun, unless the connection was asked for without one."""
    options = connection.get_execution_options()
    if not options.get(READS) and options.get("isolation_level") != "AUTOCOMMIT":
        driver_of(connection).begin()


def _read_plainly(driver: Driver, _: Any) -> None:
    """Let the driver answer ids as text, as they are written everywhere here, and read JSON three times as fast."""
    driver.adapters.register_loader("uuid", TextLoader)
    set_json_loads(orjson.loads, driver)


def _refuse_dead(driver: Driver, record: Any, _: Any) -> None:
    """Have the pool connect anew when the server is gone. Errors: DisconnectionError.

    A server that ended has closed the connection, which looking at the socket tells without a trip: first comes its
    last word, then the end. Only after a long rest the server itself is asked.
    """
    try:
        for _look in range(2):
            driver.pgconn.consume_input()
        if time.monotonic() - record.info.get(USED, 0.0) > REST_SECONDS:
            driver.execute("")
    except psycopg.Error as trouble:
        raise sa.exc.DisconnectionError("the server closed the connection") from trouble


def _put_back(driver: Driver, record: Any, _: Any) -> None:
    """Undo what a use left open, and note when the connection was last used."""
    driver.lower_wall()
    if not driver.is_resting:
        driver.rollback()
    record.info[USED] = time.monotonic()


def sqlstate_of(trouble: sa.exc.DBAPIError) -> str:
    """The SQLSTATE of a driver error; empty when the connection was lost."""
    return getattr(trouble.orig, "sqlstate", None) or ""
