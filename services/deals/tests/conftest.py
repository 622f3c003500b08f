"""Every test of deals starts with the real service on a fresh database of a real PostgreSQL."""

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
from crm.deals.v1 import deals_pb2 as pb
from crm.deals.v1 import deals_pb2_grpc as pb_grpc
from deals.api import servicers
from deals.settings import MIGRATIONS, Settings
from services.deals.tests.desk import KEY, Desk, fill_units


@pytest.fixture
def desk(postgres: EmbeddedPostgres) -> Iterator[Desk]:
    """The service, called as its administrator."""
    url = fresh_database(postgres, "deals", lambda template: migrate(template, MIGRATIONS))
    database = Database(url, "deals")
    doors = servicers(Settings(database_url=url))
    server, port = start_server("127.0.0.1:0", doors, TokenVerifier(public_key_of(KEY)))
    client = Client("deals", f"127.0.0.1:{port}", pb_grpc.DealsServiceStub)
    found = Desk(client, database)
    found.work(fill_units)
    pipelines = found.call("ListPipelines", pb.ListPipelinesRequest()).pipelines
    found.stages = {stage.name: stage.id for stage in pipelines[0].stages}
    yield found
    client.close()
    server.stop(None).wait()
    doors[0].implementation.database.close()
    database.close()
