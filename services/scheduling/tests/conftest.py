"""Every test of scheduling starts with the real service on a fresh database of a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chassis.database import Database
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.migrate import migrate
from chassis.rpc.client import Client
from chassis.rpc.server import start_server
from chassis.testing.postgres import fresh_database
from chassis.tokens import TokenVerifier, public_key_of
from crm.scheduling.v1 import scheduling_pb2_grpc as pb_grpc
from scheduling.api import servicers
from scheduling.settings import MIGRATIONS, Settings
from services.scheduling.tests.desk import KEY, Desk, fill_units


@pytest.fixture
def desk(postgres: EmbeddedPostgres) -> Iterator[Desk]:
    """The service, called as its administrator."""
    url = fresh_database(postgres, "scheduling", lambda template: migrate(template, MIGRATIONS))
    database = Database(url, "scheduling")
    doors = servicers(Settings(database_url=url))
    server, port = start_server("127.0.0.1:0", doors, TokenVerifier(public_key_of(KEY)))
    client = Client("scheduling", f"127.0.0.1:{port}", pb_grpc.SchedulingServiceStub)
    found = Desk(client, database)
    found.work(fill_units)
    yield found
    client.close()
    server.stop(None).wait()
    doors[0].implementation.database.close()
    database.close()
