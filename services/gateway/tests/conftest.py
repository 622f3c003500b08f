"""The gateway over real services: PostgreSQL, one gRPC server with every servicer, and real HTTP; no bus.

News of units is carried from the directory's outbox to the other services by hand, so that tests decide when it comes.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
import uvicorn

from chassis.database import Database
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.migrate import migrate
from chassis.rpc.doors import with_platform
from chassis.rpc.server import start_server
from chassis.schema import outbox
from chassis.telemetry import start_telemetry
from chassis.testing.eventually import eventually
from chassis.testing.postgres import fresh_database, postgres
from chassis.tokens import TokenVerifier, generate_key, public_key_of
from crm.directory.events.v1 import directory_events_pb2 as events_pb
from directory.bootstrap import FirstFacts, bootstrap
from gateway.app import create_app
from gateway.settings import MIGRATIONS, Settings
from imports import settings as import_settings
from imports.jobs import job_runner
from units.copying import copy_units

__all__ = ["postgres"]

PASSWORD = "correct horse battery"
KEY = generate_key()
SECRET = "a-long-secret-of-imports"
FOLLOWER_SECRET = "a-long-secret-of-the-gateway"
WEBHOOK_SECRET = "a-long-secret-of-webhooks"
SERVICES = ("directory", "contacts", "deals", "scheduling", "imports", "reporting")
KEPT_SECONDS = 120  # of the 300 a token lives
_count = itertools.count(1)


@dataclass(frozen=True)
class News:
    """A unit's news as a service's handler gets it."""

    message: Any
    version: int
    epoch: int = 1


@dataclass
class Rest:
    """REST as one signed-in user."""

    client: httpx2.Client
    token: str = ""

    def ask(self, method: str, path: str, **more: Any) -> httpx2.Response:
        """One request below /api/v1."""
        headers = {**({"Authorization": f"Bearer {self.token}"} if self.token else {}), **more.pop("headers", {})}
        return self.client.request(method, f"/api/v1{path}", headers=headers, **more)

    def get(self, path: str, **params: Any) -> Any:
        """GET that must succeed."""
        return _good(self.ask("GET", path, params=params))

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        """POST that must succeed."""
        return _good(self.ask("POST", path, json=body if body is not None else {}, **more))

    def patch(self, path: str, body: Any, **more: Any) -> Any:
        """PATCH that must succeed."""
        return _good(self.ask("PATCH", path, json=body, **more))


def _good(answer: httpx2.Response) -> Any:
    assert answer.status_code < 300, answer.text
    return answer.json() if answer.content else None


@dataclass
class Platform:
    """All services behind one gateway; `admin` is signed in."""

    url: str
    databases: dict[str, Database]
    company_id: str
    settings: Settings
    doors: dict[str, Any]  # what answers the calls of each service
    clients: list[httpx2.Client] = field(default_factory=list)
    kept: tuple[float, str] = (-1000.0, "")

    def admin(self) -> Rest:
        """REST as the administrator; signs in again before the token ends."""
        if time.monotonic() - self.kept[0] > KEPT_SECONDS:
            self.kept = (time.monotonic(), self.rest().token)
        rest = self.guest()
        rest.token = self.kept[1]
        return rest

    def rest(self, login: str = "admin", password: str = PASSWORD) -> Rest:
        """REST as a user."""
        rest = self.guest()
        rest.token = rest.post("/sessions", {"login": login, "password": password})["access_token"]
        return rest

    def guest(self) -> Rest:
        """REST without a token."""
        self.clients.append(httpx2.Client(base_url=self.url, timeout=30))
        return Rest(self.clients[-1])

    def job_settings(self, **more: Any) -> import_settings.Settings:
        """The settings of the jobs process."""
        names = ("directory", "contacts", "deals", "scheduling", "reporting")
        addresses: dict[str, Any] = {f"{name}_address": self.settings.imports_address for name in names}
        url = self.databases["imports"].url
        return import_settings.Settings(url, **addresses, service_secret=SECRET, **more)

    def run_jobs(self, **more: Any) -> None:
        """Do the jobs of imports that wait, as the jobs process would."""
        runner = job_runner(self.job_settings(**more))
        while (job := runner.claim()) is not None:
            runner.work(job)

    def spread_units(self) -> None:
        """Carry the news of units to the services that copy them."""
        with self.databases["directory"].transaction() as work:
            rows = work.execute(sa.select(outbox).where(outbox.c.aggregate == "unit").order_by(outbox.c.id)).all()
        kinds: dict[str, Any] = {"UnitCreated": events_pb.UnitCreated, "UnitUpdated": events_pb.UnitUpdated}
        told = [(kinds.get(row.type.rpartition(".")[2]), row) for row in rows]
        news = [News(kind.FromString(row.data), row.version) for kind, row in told if kind is not None]
        for name in SERVICES[1:]:
            with self.databases[name].transaction() as work:
                copy_units(work, news)


def a_code(stem: str = "u") -> str:
    """A unit code nobody used before."""
    return f"{stem}{next(_count)}"


@pytest.fixture(scope="session")
def platform(postgres: EmbeddedPostgres) -> Iterator[Platform]:
    """One platform for all tests of the session; tests make their own units and people."""
    urls = {name: fresh_database(postgres, f"gateway_{name}") for name in SERVICES}
    for name, url in urls.items():
        migrate(url, import_module(f"{name}.settings").MIGRATIONS)
    directory = Database(urls["directory"], "directory")
    company_id, _ = bootstrap(directory, FirstFacts("Acme", "hq", "DE", "EUR", "Europe/Berlin", "admin", PASSWORD))
    directory.close()
    doors = []
    for name in SERVICES:
        secrets = {
            "service_secrets": f"imports={SECRET},gateway={WEBHOOK_SECRET}",
            "follower_secrets": f"gateway={FOLLOWER_SECRET}",
        }
        more = {"token_private_key": KEY, **secrets} if name == "directory" else {}
        settings = import_module(f"{name}.settings").Settings(urls[name], **more)
        doors += import_module(f"{name}.api").servicers(settings)
    databases = {one.service: one.implementation.database for one in doors}
    implementations = {one.service: one.implementation for one in doors}
    start_telemetry("gateway-tests", ratio=1.0)
    verifier = TokenVerifier(public_key_of(KEY))
    server, port = start_server("127.0.0.1:0", with_platform(doors), verifier)
    address = f"127.0.0.1:{port}"
    public = public_key_of(KEY)
    sessions = fresh_database(postgres, "gateway_gateway")
    migrate(sessions, MIGRATIONS)
    settings = Settings(
        address,
        address,
        address,
        address,
        address,
        address,
        public,
        sign_ins_per_minute=10_000,
        requests_per_minute=1_000_000,
        unit_requests_per_minute=1_000_000,
        database_url=sessions,
        follower_secret=FOLLOWER_SECRET,
        webhook_secret=WEBHOOK_SECRET,
        webhook_key="a key with which the tests seal their secrets",
        webhook_networks="127.0.0.0/8",
    )
    with serving(settings) as url:
        found = Platform(url, databases, company_id, settings, implementations)
        found.spread_units()
        yield found
        for client in found.clients:
            client.close()
    server.stop(None).wait()
    for database in databases.values():
        database.close()


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """A gateway on a free port; gives its URL."""
    config = uvicorn.Config(
        create_app(settings), port=0, log_config=None, access_log=False, proxy_headers=False, server_header=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    eventually(lambda: server.started)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def admin(platform: Platform) -> Rest:
    """REST as the administrator."""
    return platform.admin()


@pytest.fixture
def a_branch(platform: Platform, admin: Rest) -> Callable[..., dict[str, Any]]:
    """Make a branch that every service knows."""

    def make(**values: Any) -> dict[str, Any]:
        code = a_code()
        body = {"kind": "branch", "code": code, "name": code.title(), "parent_id": "hq", **values}
        unit: dict[str, Any] = admin.post("/units", body)
        platform.spread_units()
        return unit

    return make


@pytest.fixture
def a_user(platform: Platform, admin: Rest) -> Callable[..., Rest]:
    """Make a user with a role in a unit, signed in."""

    def make(unit: dict[str, Any], role: str = "seller") -> Rest:
        login = a_code("login")
        positions = [{"unit_id": unit["id"], "title": role, "role": role}]
        body = {"display_name": login, "login": login, "password": PASSWORD, "positions": positions}
        admin.post("/users", body)
        return platform.rest(login)

    return make
