"""Contacts and scheduling work where deals was never deployed; deals deployed later catches up, and its deals show."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg
import pytest

from chassis.access import ALL, READ, WRITE, Access, Grant
from chassis.bus.catching_up import catch_up
from chassis.bus.sources import DatabaseSource
from chassis.database import Database
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.errors import RemoteError
from chassis.migrate import migrate
from chassis.rpc.client import Client, calling_as
from chassis.rpc.server import start_server
from chassis.testing.bus import make_bus
from chassis.testing.eventually import eventually
from chassis.testing.postgres import fresh_database
from chassis.tokens import TokenSigner, TokenVerifier, generate_key, public_key_of
from crm.contacts.v1 import contacts_pb2, contacts_pb2_grpc
from crm.deals.v1 import deals_pb2, deals_pb2_grpc
from crm.scheduling.v1 import scheduling_pb2, scheduling_pb2_grpc
from deals.settings import Settings
from deals.worker import worker_service
from directory.bootstrap import FirstFacts, bootstrap

pytestmark = pytest.mark.timeout(300)

ROOT = Path(__file__).resolve().parents[2]
KEY = generate_key()
STUBS = {
    "contacts": contacts_pb2_grpc.ContactsServiceStub,
    "scheduling": scheduling_pb2_grpc.SchedulingServiceStub,
    "deals": deals_pb2_grpc.DealsServiceStub,
}
PATIENCE = 60.0


@dataclass
class Installation:
    """Services of which each has its database, its worker process, and its door in this process."""

    postgres: EmbeddedPostgres
    bus_url: str
    folder: Path
    urls: dict[str, str] = field(default_factory=dict)
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    closing: list[Any] = field(default_factory=list)
    clients: dict[str, Client] = field(default_factory=dict)
    token: str = ""

    def deploy(self, name: str) -> Database:
        """Make a service's database and open its door."""
        self.urls[name] = fresh_database(self.postgres, f"apart_{name}")
        migrate(self.urls[name], import_module(f"{name}.settings").MIGRATIONS)
        if name in STUBS:
            doors = import_module(f"{name}.api").servicers(
                import_module(f"{name}.settings").Settings(database_url=self.urls[name])
            )
            server, port = start_server("127.0.0.1:0", doors, TokenVerifier(public_key_of(KEY)))
            self.clients[name] = Client(name, f"127.0.0.1:{port}", STUBS[name])
            self.closing += [self.clients[name].close, lambda: server.stop(None).wait()]
            self.closing.append(doors[0].implementation.database.close)
        database = Database(self.urls[name], name)
        self.closing.append(database.close)
        return database

    def work(self, name: str) -> None:
        """Start a service's worker process."""
        told = {f"{name.upper()}_DATABASE_URL": self.urls[name], "BUS_URL": self.bus_url}
        with (self.folder / f"{name}.log").open("ab") as log:
            self.workers.append(
                subprocess.Popen(
                    [sys.executable, "-m", name, "work"], cwd=ROOT, env={**os.environ, **told}, stdout=log, stderr=log
                )
            )

    def call(self, name: str, method: str, request: Any) -> Any:
        """Call a service."""
        with calling_as(self.token):
            return self.clients[name].call(method, request, timeout=30, retry=False)

    def end(self) -> None:
        """End every worker and close every door."""
        for worker in self.workers:
            worker.send_signal(signal.SIGKILL)
            worker.wait()
        for close in self.closing:
            close()


@contextmanager
def installed(postgres: EmbeddedPostgres, bus_url: str, folder: Path) -> Iterator[Installation]:
    found = Installation(postgres, bus_url, folder)
    try:
        yield found
    finally:
        found.end()


@pytest.fixture
def apart(request: pytest.FixtureRequest, postgres: EmbeddedPostgres, tmp_path: Path) -> Iterator[Installation]:
    """Directory, contacts and scheduling at work; deals was never there."""
    with installed(postgres, make_bus(request, postgres, "pgmq").url, tmp_path) as found:
        directory = found.deploy("directory")
        company, _ = bootstrap(
            directory, FirstFacts("Acme", "hq", "DE", "EUR", "Europe/Berlin", "admin", "a-password-1")
        )
        access = Access(company, "Admin", company, (Grant(READ, ALL), Grant(WRITE, ALL)))
        found.token = TokenSigner(KEY).sign(access, 3_600)
        for name in ("contacts", "scheduling"):
            found.deploy(name)
            found.work(name)
        eventually(lambda: _queues(found) >= {"crm_contacts_in", "crm_scheduling_in"}, within=PATIENCE)
        found.work("directory")
        yield found


def _queues(found: Installation) -> set[str]:
    with psycopg.connect("postgresql://" + found.bus_url.split("://", 1)[1]) as connection:
        return {str(row[0]) for row in connection.execute("SELECT queue_name FROM pgmq.meta")}


def plan(found: Installation, **fields: Any) -> scheduling_pb2.Activity:
    activity = scheduling_pb2.Activity(kind=scheduling_pb2.ACTIVITY_KIND_CALL, **fields)
    request = scheduling_pb2.CreateActivityRequest(activity=activity)
    return found.call("scheduling", "CreateActivity", request).activity  # type: ignore[no-any-return]


def title_of(found: Installation, activity_id: str) -> str:
    request = scheduling_pb2.GetActivityRequest(activity_id=activity_id)
    return str(found.call("scheduling", "GetActivity", request).activity.deal_title)


def test_nothing_fails_without_deals_and_deals_deployed_later_catches_up(apart: Installation) -> None:
    def make_person() -> Any:
        person = contacts_pb2.Person(display_name="Granin")
        return apart.call("contacts", "CreatePerson", contacts_pb2.CreatePersonRequest(person=person)).person

    eventually(lambda: _knows_its_unit(make_person), within=PATIENCE)
    person = make_person()
    eventually(lambda: _knows_its_unit(lambda: plan(apart)), within=PATIENCE)
    call = plan(apart, person_id=person.id)
    done = scheduling_pb2.CompleteActivityRequest(activity_id=call.id, outcome="busy")
    apart.call("scheduling", "CompleteActivity", done)

    def timeline() -> list[str]:
        request = contacts_pb2.ListInteractionsRequest(person_id=person.id)
        return [one.outcome for one in apart.call("contacts", "ListInteractions", request).interactions]

    eventually(lambda: timeline() == ["busy"], within=PATIENCE)

    deals = apart.deploy("deals")
    (consumer,) = worker_service(Settings(database_url=apart.urls["deals"])).consumers
    directory = Database(apart.urls["directory"], "directory")
    assert catch_up(consumer, deals, [DatabaseSource(directory)]) == 1
    assert catch_up(consumer, deals, [DatabaseSource(directory)]) == 0
    directory.close()
    opened = apart.call(
        "deals", "CreateDeal", deals_pb2.CreateDealRequest(deal=deals_pb2.Deal(title="Roof", person_id=person.id))
    ).deal
    linked = plan(apart, person_id=person.id, deal_id=opened.id)
    assert linked.deal_title == ""
    apart.work("deals")
    eventually(lambda: title_of(apart, linked.id) == "Roof", within=PATIENCE)


def _knows_its_unit(act: Callable[[], Any]) -> bool:
    try:
        act()
    except RemoteError as refused:
        if refused.reason != "UNIT_NOT_KNOWN":
            raise
        return False
    return True
