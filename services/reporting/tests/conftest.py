"""Reporting to test against: real PostgreSQL, the real gRPC server, and a world that tells its facts as events."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from chassis.access import ADMINISTER, ALL, READ, Access, Grant
from chassis.database import Database
from chassis.dates import to_date
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.ids import new_id
from chassis.migrate import migrate
from chassis.rpc.client import Client, calling_as
from chassis.rpc.server import start_server
from chassis.testing.postgres import fresh_database, postgres
from chassis.tokens import TokenSigner, TokenVerifier, generate_key, public_key_of
from crm.reporting.v1 import reporting_pb2 as pb
from crm.reporting.v1 import reporting_pb2_grpc as rpc
from reporting.api import servicers
from reporting.settings import MIGRATIONS, Settings
from services.reporting.tests.world import World, parameters_of

__all__ = ["postgres"]

KEY = generate_key()
EVERYTHING = Access(new_id(), "Head", grants=(Grant(READ, ALL), Grant(ADMINISTER, ALL)))


class Reporting:
    """A running reporting service, called by gRPC as some user; a head who sees everything unless told otherwise."""

    def __init__(self, database: Database, client: Client) -> None:
        self.database, self.client = database, client
        self.world = World(database)

    def call(self, method: str, request: Any, access: Access = EVERYTHING) -> Any:
        """Call a method of the service."""
        with calling_as(TokenSigner(KEY).sign(access)):
            return self.client.call(method, request, timeout=30, retry=False)

    def run(self, name: str, access: Access = EVERYTHING, **parameters: Any) -> pb.RunReportResponse:
        """Run a report."""
        request = pb.RunReportRequest(name=name, parameters=parameters_of(**parameters))
        return self.call("RunReport", request, access)  # type: ignore[no-any-return]

    def records(
        self, name: str, drill_key: str, access: Access = EVERYTHING, page_size: int = 1_000, **parameters: Any
    ) -> list[dict[str, str]]:
        """All records behind a figure, page by page, as text by column; their number is the one stated."""
        found: list[dict[str, str]] = []
        token = ""
        while True:
            request = pb.ListReportRecordsRequest(
                name=name,
                parameters=parameters_of(**parameters),
                drill_key=drill_key,
                page_size=page_size,
                page_token=token,
            )
            page = self.call("ListReportRecords", request, access)
            names = [column.name for column in page.columns]
            found += [dict(zip(names, (cell.value for cell in row.cells), strict=True)) for row in page.rows]
            token = page.next_page_token
            if not token:
                assert len(found) == page.total_size
                return found

    def page(self, name: str, drill_key: str, page_token: str) -> pb.ListReportRecordsResponse:
        """One page of records by its token."""
        request = pb.ListReportRecordsRequest(name=name, drill_key=drill_key, page_token=page_token)
        return self.call("ListReportRecords", request)  # type: ignore[no-any-return]

    def set_rate(
        self, sold: str, bought: str, rate: str, day: str, source: str = "", access: Access = EVERYTHING
    ) -> Any:
        """Set an exchange rate from a day on."""
        start = to_date(date.fromisoformat(day))
        given = pb.ExchangeRate(from_currency=sold, to_currency=bought, rate=rate, source=source, start_date=start)
        return self.call("SetExchangeRate", pb.SetExchangeRateRequest(rate=given), access)


def prepare(url: str) -> None:
    """Make the tables."""
    migrate(url, MIGRATIONS)


@pytest.fixture
def reporting(postgres: EmbeddedPostgres) -> Iterator[Reporting]:
    """An empty reporting service for one test."""
    url = fresh_database(postgres, "reporting", prepare)
    doors = servicers(Settings(url))
    server, port = start_server("127.0.0.1:0", doors, TokenVerifier(public_key_of(KEY)))
    client = Client("reporting", f"127.0.0.1:{port}", rpc.ReportingServiceStub)
    database = Database(url, "reporting")
    yield Reporting(database, client)
    client.close()
    server.stop(None).wait()
    doors[0].implementation.database.close()
    database.close()
