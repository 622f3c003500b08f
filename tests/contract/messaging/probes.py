"""Made-up events and a ledger of effects: what the messaging suite says and what it reads afterwards."""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from chassis.bus.cell_records import create_cell_tables
from chassis.bus.consumer import Consumer
from chassis.bus.events import Delivery
from chassis.database import Database, UnitOfWork
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.ids import new_id
from chassis.logged_event import LoggedEvent
from chassis.naming import binding, routing_key
from chassis.schema import create_chassis_tables
from chassis.testing.postgres import fresh_database
from crm.contacts.events.v1 import contacts_events_pb2 as pb

SOURCE = "crm/hq/contacts"
PATH = "hq.ru.moscow"
LEDGER = """
CREATE TABLE ledger (id bigint GENERATED ALWAYS AS IDENTITY, consumer text, event_id uuid, aggregate_id uuid,
  version bigint, name text, process int);
CREATE TABLE attempt (id bigint GENERATED ALWAYS AS IDENTITY, event_id uuid,
  time timestamptz DEFAULT clock_timestamp());
CREATE TABLE person (id uuid PRIMARY KEY, version bigint NOT NULL)
"""

_READ_LEDGER = """
SELECT event_id::text, aggregate_id::text, version, name, process FROM ledger WHERE consumer = :c ORDER BY id"""
_WRITE_LEDGER = sa.text("""
INSERT INTO ledger (consumer, event_id, aggregate_id, version, name, process)
VALUES (:consumer, :event_id, :aggregate_id, :version, :name, :process)""")


class Effect(NamedTuple):
    """One entry of the ledger."""

    event_id: str
    aggregate_id: str
    version: int
    name: str
    process: int


class ServiceDatabase:
    """A service's database as the tests see it: writing events, reading effects."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.database = Database(url, "contacts", pool_size=8, overflow=8, statement_timeout_ms=30_000)

    def write(self, count: int = 1, name: str = "Ann", aggregate_id: str = "", first_version: int = 1) -> list[str]:
        """Commit events in one transaction, of one aggregate where one is named; answers the aggregates' ids."""
        ids = [aggregate_id or new_id() for _ in range(count)]
        with self.database.transaction() as work:
            for place, person in enumerate(ids):
                version = first_version + place if aggregate_id else first_version
                work.add_event(created(person, name), "person", person, version, PATH, person)
        return ids

    def ledger(self, consumer: str = "probe") -> list[Effect]:
        """What handlers did, in order."""
        rows = self.ask(_READ_LEDGER, c=consumer)
        return [Effect._make(row) for row in rows]

    def ask(self, statement: str, **values: object) -> Sequence[Any]:
        """Read or change something by hand."""
        with self.database.engine.begin() as connection:
            result = connection.execute(sa.text(statement), values)
            return result.all() if result.returns_rows else []


def open_service(postgres: EmbeddedPostgres) -> ServiceDatabase:
    """A fresh service's database."""
    return ServiceDatabase(fresh_database(postgres, "messaging", make_tables))


def make_tables(url: str) -> None:
    """The tables of messaging and the ledger."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        create_chassis_tables(connection, SOURCE)
        create_cell_tables(connection)
        connection.exec_driver_sql(LEDGER)
    engine.dispose()


def created(person_id: str, name: str = "Ann") -> pb.PersonCreated:
    """A fact about a person."""
    message = pb.PersonCreated()
    message.person.id = person_id
    message.person.personal.display_name = name
    return message


def an_event(
    position: int = 1, key: str = "", aggregate_id: str = "", version: int = 1, name: str = "Ann"
) -> LoggedEvent:
    """An event of the log, ready to be published."""
    person = aggregate_id or new_id()
    return LoggedEvent(
        position=position,
        epoch=1,
        event_id=new_id(),
        aggregate="person",
        aggregate_id=person,
        version=version,
        type=pb.PersonCreated.DESCRIPTOR.full_name,
        routing_key=key or routing_key("contacts", "person", "created", 1, person, PATH),
        headers={"crm_actor": str(uuid.uuid4())},
        data=created(person, name).SerializeToString(),
        create_time=datetime.now(UTC),
    )


def write_ledger(work: UnitOfWork, deliveries: Sequence[Delivery], consumer: str = "probe") -> None:
    """A handler that only notes what it was given."""
    rows = [
        {
            "consumer": consumer,
            "event_id": one.event_id,
            "aggregate_id": one.aggregate_id,
            "version": one.version,
            "name": name_in(one),
            "process": os.getpid(),
        }
        for one in deliveries
    ]
    work.execute(_WRITE_LEDGER, rows)


def name_in(delivery: Delivery) -> str:
    """The person's name in an event."""
    message = delivery.message
    assert isinstance(message, (pb.PersonCreated, pb.PersonUpdated))
    return message.person.personal.display_name


def a_consumer(handler: object = write_ledger, name: str = "probe", patterns: tuple[str, ...] = ()) -> Consumer:
    """A consumer of persons' facts."""
    handlers = {pb.PersonCreated: handler, pb.PersonUpdated: handler}
    return Consumer(name, patterns or (binding("contacts"),), handlers)  # type: ignore[arg-type]
