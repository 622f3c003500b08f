"""What the chassis' own tests share: a database with its tables, keys, and a server with one made-up servicer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
import sqlalchemy as sa

from chassis.access import ALL, READ, Access, Grant
from chassis.database import Database
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.rpc.client import Client
from chassis.rpc.server import Servicer, start_server
from chassis.schema import create_chassis_tables
from chassis.testing.postgres import fresh_database
from chassis.tokens import TokenSigner, TokenVerifier, generate_key, public_key_of
from crm.directory.v1 import directory_pb2_grpc

USER = Access("0198c0de-0000-7000-8000-000000000001", "Ada", "", (Grant(READ, ALL),))


def make_tables(url: str) -> None:
    """The chassis' tables and one table of things."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        create_chassis_tables(connection, "crm/hq/directory")
        connection.exec_driver_sql("CREATE TABLE thing (name text PRIMARY KEY, amount bigint NOT NULL DEFAULT 0)")
    engine.dispose()


@pytest.fixture
def database(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """A fresh database with the chassis' tables and `thing(name, amount)`; twenty connections at most."""
    made = Database(fresh_database(postgres, "chassis", make_tables), "directory", pool_size=10, overflow=10)
    yield made
    made.close()


@pytest.fixture(scope="session")
def private_key() -> str:
    """The key that signs tokens, PEM."""
    return generate_key()


@pytest.fixture(scope="session")
def signer(private_key: str) -> TokenSigner:
    """Signs tokens that the served probe takes."""
    return TokenSigner(private_key)


@dataclass
class Probe:
    """A running server whose unit calls do what the test says."""

    address: str
    client: Client
    token: str
    server: grpc.Server


class ProbeServicer(directory_pb2_grpc.DirectoryServiceServicer):
    """Answers GetUnit, CreateUnit and SignIn by one function."""

    def __init__(self, act: Callable[[Any], Any], database: Database | None) -> None:
        self.act, self.database = act, database

    def GetUnit(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """A call that reads."""
        return self.act(request)

    def CreateUnit(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """A call with a request id."""
        return self.act(request)

    def SignIn(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """A call that needs no token."""
        return self.act(request)


@pytest.fixture
def serve(private_key: str, signer: TokenSigner) -> Iterator[Callable[..., Probe]]:
    """Start a server whose calls run `act(request)`, on a port when one is given; all end with the test."""
    running: list[Probe] = []

    def start(act: Callable[[Any], Any], database: Database | None = None, port: int = 0) -> Probe:
        add = directory_pb2_grpc.add_DirectoryServiceServicer_to_server
        probed = ProbeServicer(act, database)  # type: ignore[abstract]  # its other methods are not called
        servicer = Servicer("directory", probed, add, frozenset({"SignIn"}))
        verifier = TokenVerifier(public_key_of(private_key))
        server, found = start_server(f"127.0.0.1:{port}", (servicer,), verifier, threads=4)
        address = f"127.0.0.1:{found}"
        client = Client("directory", address, directory_pb2_grpc.DirectoryServiceStub)
        running.append(Probe(address, client, signer.sign(USER), server))
        return running[-1]

    yield start
    for probe in running:
        probe.client.close()
        probe.server.stop(0).wait()
