"""Both buses for tests, an empty one each: PGMQ in the session's PostgreSQL, RabbitMQ in a container of the session."""

from __future__ import annotations

import base64
import itertools
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest

from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.testing.postgres import fresh_database

IMAGE = "rabbitmq:4-management"
USER, PASSWORD = "crm", "crm"
START_SECONDS = 90.0
KINDS = ("pgmq", "amqp")
_count = itertools.count()


@dataclass(frozen=True)
class BusAddress:
    """One empty bus: `kind` is pgmq or amqp."""

    kind: str
    url: str


class RabbitBroker:
    """A RabbitMQ in a container, spoken to by its management API."""

    def __init__(self) -> None:
        ports = ("-p", "127.0.0.1::5672", "-p", "127.0.0.1::15672")
        user = ("-e", f"RABBITMQ_DEFAULT_USER={USER}", "-e", f"RABBITMQ_DEFAULT_PASS={PASSWORD}")
        self.container = _docker("run", "-d", "--rm", *ports, *user, IMAGE)
        self.port = self._port_of("5672/tcp")
        self._api = f"http://127.0.0.1:{self._port_of('15672/tcp')}/api"

    def wait_ready(self) -> None:
        """Wait until it takes connections. Errors: RuntimeError."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            try:
                self.ask("GET", "/healthchecks/node")
                self.ask("GET", "/overview")
            except (OSError, urllib.error.URLError):
                time.sleep(0.2)
            else:
                return
        raise RuntimeError("RabbitMQ did not start")

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Call the management API; answers its JSON, None when there is none."""
        request = urllib.request.Request(self._api + path, method=method)
        request.add_header("Authorization", "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode())
        data = None
        if body is not None:
            request.add_header("Content-Type", "application/json")
            data = json.dumps(body).encode()
        with urllib.request.urlopen(request, data, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def fresh_vhost(self) -> str:
        """The URL of a new virtual host."""
        name = f"test_{next(_count)}"
        self.ask("PUT", f"/vhosts/{name}", {})
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        self.ask("PUT", f"/permissions/{name}/{quote(USER)}", everything)
        return f"amqp://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{name}"

    def control(self, *words: str) -> str:
        """Run `rabbitmqctl` inside the container."""
        return _docker("exec", self.container, "rabbitmqctl", "-q", *words)

    def stop(self) -> None:
        """End the container; it removes itself."""
        _docker("rm", "-f", self.container)

    def _port_of(self, inner: str) -> int:
        return int(_docker("port", self.container, inner).splitlines()[0].rsplit(":", 1)[1])


@pytest.fixture(scope="session")
def rabbit() -> Iterator[RabbitBroker]:
    """The broker of this test session. Without a container engine its tests are skipped, in CI they fail."""
    missing = _missing()
    if missing and os.environ.get("BRANCHLINE_REQUIRE_ALL") == "1":
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)  # skip-ok: this machine has no container engine; CI requires one
    broker = RabbitBroker()
    try:
        broker.wait_ready()
        yield broker
    finally:
        broker.stop()


@pytest.fixture(params=KINDS)
def bus_address(request: pytest.FixtureRequest, postgres: EmbeddedPostgres) -> BusAddress:
    """An empty bus, once on each transport."""
    return make_bus(request, postgres, request.param)


def make_bus(request: pytest.FixtureRequest, postgres: EmbeddedPostgres, kind: str) -> BusAddress:
    """An empty bus of a kind."""
    if kind == "amqp":
        broker: RabbitBroker = request.getfixturevalue("rabbit")
        return BusAddress("amqp", broker.fresh_vhost())
    from chassis.bus.pgmq import prepare_pgmq

    url = fresh_database(postgres, "bus", prepare_pgmq)
    return BusAddress("pgmq", "pgmq://" + url.split("://", 1)[1])


def _missing() -> str:
    try:
        _docker("image", "inspect", IMAGE)
    except (OSError, subprocess.CalledProcessError):
        return f"no container engine with the image {IMAGE}; tests on RabbitMQ cannot run here"
    return ""


def _docker(*words: str) -> str:
    done = subprocess.run(("docker", *words), capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()
