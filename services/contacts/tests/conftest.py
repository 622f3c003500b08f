"""What every test of contacts starts from: the real service on a real PostgreSQL that knows three units."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from google.protobuf.message import Message

from chassis.access import Access
from chassis.database import Database
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.errors import RemoteError
from chassis.migrate import migrate
from chassis.rpc.client import Client
from chassis.rpc.server import start_server
from chassis.testing.postgres import fresh_database
from chassis.tokens import TokenSigner, TokenVerifier, public_key_of
from contacts.api import servicers
from contacts.settings import MIGRATIONS, Settings
from crm.contacts.v1 import contacts_pb2_grpc as pb_grpc
from services.contacts.tests.world import HQ, KEY, STEWARD, UNITS, Contacts
from units.tables import unit


def _prepare(url: str) -> None:
    migrate(url, MIGRATIONS)
    database = Database(url, "contacts")
    with database.transaction() as work:
        work.execute(
            sa.insert(unit),
            [
                {
                    "id": unit_id, "parent_id": None if path == "hq" else HQ, "kind": kind, "code": path.split(".")[-1],
                    "name": path, "path": path, "country_code": "RU", "area_code": area, "epoch": 1, "version": 1,
                    "time_zone": "Europe/Moscow", "currency_code": "RUB",
                }
                for unit_id, (path, kind, area) in UNITS.items()
            ],
        )  # fmt: skip
    database.close()


@pytest.fixture
def contacts(postgres: EmbeddedPostgres) -> Iterator[Contacts]:
    """The service on a fresh database."""
    url = fresh_database(postgres, "contacts", _prepare)
    doors = servicers(Settings(database_url=url))
    server, port = start_server("127.0.0.1:0", doors, TokenVerifier(public_key_of(KEY)), threads=20)
    client = Client("contacts", f"127.0.0.1:{port}", pb_grpc.ContactsServiceStub)
    database = Database(url, "contacts")
    yield Contacts(client, database, TokenSigner(KEY))
    client.close()
    server.stop(0).wait()
    database.close()
    for door in doors:
        door.implementation.database.close()
        door.implementation.bulk.close()


@pytest.fixture
def refusal(contacts: Contacts) -> Callable[..., Any]:
    """Call a method that must refuse, and give the error."""

    def call(method: str, request: Message, access: Access = STEWARD) -> RemoteError:
        with pytest.raises(RemoteError) as caught:
            contacts.call(method, request, access)
        return caught.value

    return call
