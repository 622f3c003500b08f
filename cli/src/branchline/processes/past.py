"""What a running platform's consumers are told of the past: everything anew, what lies behind a position, a new epoch.

Works on the services' databases directly, whatever the bus: nothing of it goes over the bus.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import sqlalchemy as sa

from branchline.exits import Exit, Failure
from branchline.platform.environment import SERVICES, database_url
from branchline.platform.folder import DataFolder
from branchline.platform.launch import is_running
from chassis.bus.catching_up import Rebuilt, rebuild, replay
from chassis.bus.consumer import Consumer
from chassis.bus.relay import begin_epoch, rewind
from chassis.bus.sources import DatabaseSource
from chassis.database import Database
from chassis.errors import DomainError
from chassis.schema import consumer_mark, relay_state

Tell = Callable[[str, int], None]
STATEMENT_MS, LOCK_MS = 600_000, 60_000  # whole tables are emptied and marked
# Marks tell the furthest event of a source, and those of other queues may be this far behind; repetitions do no harm.
BEFORE_MARK = 10_000


@dataclass(frozen=True)
class Listener:
    """A consumer with the database of its service."""

    service: str
    consumer: Consumer
    database: Database


@dataclass(frozen=True)
class Past:
    """Every service's past and every consumer of a platform."""

    databases: dict[str, Database]
    sources: dict[str, DatabaseSource]
    listeners: dict[str, Listener]

    def rebuild(self, service: str, tell: Tell) -> Rebuilt:
        """Make a service's copies of what others own anew. Errors: Failure, NothingToRebuild."""
        found = next((one for one in self.listeners.values() if one.service == service), None)
        if found is None:
            raise Failure(f"{service} listens to nobody", Exit.USAGE, "NOTHING_TO_REBUILD")
        with _as_failures():
            return rebuild(found.consumer, found.database, self.sources.values(), tell)

    def replay(self, consumer: str, source: str, from_position: int, again: bool, tell: Tell) -> int:
        """Tell one consumer the events of a source from a position on. Errors: Failure, EventsGone."""
        if consumer not in self.listeners:
            raise Failure(
                f"there is no consumer {consumer!r}; use {', '.join(self.listeners)}", Exit.USAGE, "NO_CONSUMER"
            )
        if source not in self.sources:
            raise Failure(f"there is no service {source!r}; use {', '.join(SERVICES)}", Exit.USAGE, "SERVICE_NOT_HERE")
        found = self.listeners[consumer]
        with _as_failures():
            return replay(found.consumer, found.database, self.sources[source], from_position, again, tell)

    def begin_epoch(self, service: str, tell: Tell) -> tuple[int, dict[str, Rebuilt]]:
        """Begin a new epoch of a service and make its listeners' copies anew; answers the epoch and what was made."""
        if service not in self.sources:
            raise Failure(f"there is no service {service!r}; use {', '.join(SERVICES)}", Exit.USAGE, "SERVICE_NOT_HERE")
        epoch = begin_epoch(self.databases[service])
        made = {one.service: self.rebuild(one.service, tell) for one in self.listeners_of(service)}
        return epoch, made

    def republish(self, service: str, from_position: int = 0) -> int:
        """Put a service's events on the bus again, by default from before what its listeners have seen; answers where.

        Errors: Failure.
        """
        if service not in self.sources:
            raise Failure(f"there is no service {service!r}; use {', '.join(SERVICES)}", Exit.USAGE, "SERVICE_NOT_HERE")
        database = self.databases[service]
        with database.reading() as work:
            state = work.execute(sa.select(relay_state.c.source, relay_state.c.published_position)).one()
        seen = [_mark_of(one, state.source) for one in self.listeners_of(service)]
        wanted = from_position or max(min(seen, default=0) - BEFORE_MARK, 0) + 1
        first = min(wanted, state.published_position + 1)  # never past what waits to be published
        rewind(database, first - 1)
        return int(first)

    def listeners_of(self, service: str) -> list[Listener]:
        """Those who listen to a service."""
        return [one for one in self.listeners.values() if service in one.consumer.sources]


@contextmanager
def open_past(folder: DataFolder) -> Iterator[Past]:
    """The past of the platform over a data folder. Errors: Failure when it does not run."""
    if not is_running(folder):
        raise Failure("the platform is not running; start it with `branchline up`", Exit.UNREACHABLE, "NOT_RUNNING")
    databases = {name: _database(folder, name) for name in SERVICES}
    listeners = {}
    for name in SERVICES:
        settings = import_module(f"{name}.settings").Settings(database_url=databases[name].url)
        made = import_module(f"{name}.worker").worker_service(settings)
        made.database.close()
        listeners.update({one.name: Listener(name, one, databases[name]) for one in made.consumers})
    try:
        yield Past(databases, {name: DatabaseSource(one) for name, one in databases.items()}, listeners)
    finally:
        for database in databases.values():
            database.close()


def _mark_of(listener: Listener, source: str) -> int:
    """The furthest position of a source that a consumer has seen; 0 before the first."""
    mine = (consumer_mark.c.consumer == listener.consumer.name) & (consumer_mark.c.source == source)
    with listener.database.reading() as work:
        return int(work.execute(sa.select(consumer_mark.c.position).where(mine)).scalar() or 0)


@contextmanager
def _as_failures() -> Iterator[None]:
    try:
        yield
    except DomainError as refused:
        details: dict[str, Any] = dict(refused.metadata)
        raise Failure(refused.message, Exit.FAILED, refused.reason, **details) from refused


def _database(folder: DataFolder, name: str) -> Database:
    url = database_url(folder.server_url, name)
    return Database(url, name, pool_size=1, statement_timeout_ms=STATEMENT_MS, lock_timeout_ms=LOCK_MS)
