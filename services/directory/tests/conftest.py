"""A directory to test against: real PostgreSQL, the real gRPC server, an administrator, and a few factories."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from google.protobuf import descriptor_pool
from google.protobuf.message_factory import GetMessageClass

from chassis.database import Database
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.errors import RemoteError
from chassis.migrate import migrate
from chassis.rpc.client import Client, calling_as
from chassis.rpc.server import start_server
from chassis.schema import outbox
from chassis.testing.postgres import fresh_database, postgres
from chassis.tokens import TokenVerifier, generate_key, public_key_of
from crm.directory.v1 import directory_pb2 as pb
from crm.directory.v1 import directory_pb2_grpc as pb_grpc
from directory.api import servicers
from directory.bootstrap import FirstFacts, bootstrap
from directory.settings import MIGRATIONS, Settings

__all__ = ["postgres"]

PASSWORD = "correct horse battery"
KEY = generate_key()
SECRET = "a-long-secret-of-imports"
FOLLOWER_SECRET = "a-long-secret-of-the-gateway"


@dataclass
class Directory:
    """A running directory, called as one user at a time; at first as its administrator."""

    client: Client
    database: Database
    company_id: str
    admin_id: str
    verifier: TokenVerifier
    servicer: Any
    tokens: dict[str, str] = field(default_factory=dict)
    caller: str = "admin"

    def call(self, method: str, request: Any) -> Any:
        """Call as the present caller."""
        with calling_as(self.tokens[self.caller]):
            return self.client.call(method, request, timeout=20, retry=False)

    def open_call(self, method: str, request: Any) -> Any:
        """Call without a token."""
        return self.client.call(method, request, timeout=20, retry=False)

    def sign_in(self, login: str, password: str = PASSWORD) -> pb.SignInResponse:
        """Sign in and remember the token under the login."""
        answer: pb.SignInResponse = self.open_call("SignIn", pb.SignInRequest(login=login, password=password))
        self.tokens[login] = answer.access_token
        return answer

    @contextmanager
    def acting_as(self, login: str) -> Iterator[None]:
        """Call as another user inside."""
        if login not in self.tokens:
            self.sign_in(login)
        before, self.caller = self.caller, login
        try:
            yield
        finally:
            self.caller = before

    def a_unit(self, code: str, parent_id: str = "", **more: Any) -> pb.Unit:
        """Make a unit, a branch below the company unless told otherwise."""
        values = {"kind": pb.UNIT_KIND_BRANCH, "name": code.title(), **more}
        unit = pb.Unit(code=code, parent_id=parent_id or self.company_id, **values)
        return self.call("CreateUnit", pb.CreateUnitRequest(unit=unit)).unit  # type: ignore[no-any-return]

    def a_user(self, name: str, unit_id: str = "", role: pb.Role.ValueType = pb.ROLE_SELLER, **more: Any) -> pb.User:
        """Make a user with one position; with `login=…` one who can sign in."""
        positions = [pb.Position(unit_id=unit_id, title="Seller", role=role)] if unit_id else []
        user = pb.User(display_name=name, positions=more.pop("positions", positions), **more)
        request = pb.CreateUserRequest(user=user, password=PASSWORD if user.login else "")
        return self.call("CreateUser", request).user  # type: ignore[no-any-return]

    def events(self) -> list[Any]:
        """Every event told since the last call, decoded, in order."""
        with self.database.transaction() as work:
            rows = work.execute(sa.select(outbox).order_by(outbox.c.id)).all()
            work.execute(sa.delete(outbox))
        return [_decoded(row) for row in rows]


def _decoded(row: Any) -> Any:
    return GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(row.type)).FromString(row.data)


@pytest.fixture
def directory(postgres: EmbeddedPostgres) -> Iterator[Directory]:
    """A directory of its own for a test, with the company `hq` and the administrator `admin` signed in."""
    url = fresh_database(postgres, "directory", _prepare)
    followers = f"gateway={FOLLOWER_SECRET}"
    doors = servicers(
        Settings(url, token_private_key=KEY, service_secrets=f"imports={SECRET}", follower_secrets=followers)
    )
    verifier = TokenVerifier(public_key_of(KEY))
    server, port = start_server("127.0.0.1:0", doors, verifier)
    database = Database(url, "directory")
    client = Client("directory", f"127.0.0.1:{port}", pb_grpc.DirectoryServiceStub)
    company_id, admin_id = bootstrap(database, FACTS)
    found = Directory(client, database, company_id, admin_id, verifier, doors[0].implementation)
    found.sign_in("admin")
    found.events()
    yield found
    client.close()
    server.stop(None).wait()
    doors[0].implementation.database.close()
    database.close()


FACTS = FirstFacts("Acme", "hq", "DE", "EUR", "Europe/Berlin", "admin", PASSWORD)


def _prepare(url: str) -> None:
    migrate(url, MIGRATIONS)
    database = Database(url, "directory")
    bootstrap(database, FACTS)
    database.close()


@pytest.fixture
def refused() -> Callable[..., Any]:
    """Assert that a call is refused with a reason; answers the error."""

    def check(reason: str, act: Callable[[], Any], field: str = "") -> RemoteError:
        with pytest.raises(RemoteError) as caught:
            act()
        assert caught.value.reason == reason, caught.value.message
        if field:
            assert field in [one.field for one in caught.value.violations]
        return caught.value

    return check


@pytest.fixture(scope="session")
def hostile_texts(shared_data: Callable[[str], Path]) -> list[str]:
    """Strings that have broken other systems, those that can be a name."""
    texts = json.loads((shared_data("strings-hostile") / "blns.json").read_text(encoding="utf-8"))
    return [text for text in texts if text.strip() and "\0" not in text and len(text) <= 200]
