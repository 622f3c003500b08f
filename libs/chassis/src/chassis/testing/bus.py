"""Both buses for tests, an empty one each: PGMQ in the session's PostgreSQL, RabbitMQ 4 in a container, 3.10 beside."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.testing.postgres import fresh_database
from chassis.testing.rabbit import (
    IMAGE,
    OLD_FOLDER,
    PASSWORD,
    USER,
    ContainerRabbit,
    OldRabbit,
    RabbitBroker,
    docker,
)

__all__ = ["KINDS", "OLD", "PASSWORD", "USER", "BusAddress", "RabbitBroker", "make_bus", "rabbit", "rabbit_3_10"]
B = TypeVar("B", bound=RabbitBroker)
KINDS = ("pgmq", "amqp")
OLD = "amqp-3.10"


@dataclass(frozen=True)
class BusAddress:
    """One empty bus: `kind` is pgmq or amqp."""

    kind: str
    url: str


@pytest.fixture(scope="session")
def rabbit() -> Iterator[ContainerRabbit]:
    """The broker of this test session. Without a container engine its tests are skipped, in CI they fail."""
    require(missing_engine())
    yield from running(ContainerRabbit())


@pytest.fixture(scope="session")
def rabbit_3_10() -> Iterator[RabbitBroker]:
    """The oldest broker we take. Where `.ci/rabbitmq_3_10` was not run its tests are skipped, in CI they fail."""
    folder = os.environ.get(OLD_FOLDER, "")
    require("" if folder else f"{OLD_FOLDER} does not name a folder made by .ci/rabbitmq_3_10")
    yield from running(OldRabbit(Path(folder)))


@pytest.fixture(params=KINDS)
def bus_address(request: pytest.FixtureRequest, postgres: EmbeddedPostgres) -> BusAddress:
    """An empty bus, once on each transport."""
    return make_bus(request, postgres, request.param)


def make_bus(request: pytest.FixtureRequest, postgres: EmbeddedPostgres, kind: str) -> BusAddress:
    """An empty bus of a kind."""
    if kind != "pgmq":
        broker: RabbitBroker = request.getfixturevalue("rabbit_3_10" if kind == OLD else "rabbit")
        return BusAddress("amqp", broker.fresh_vhost())
    from chassis.bus.pgmq import prepare_pgmq

    url = fresh_database(postgres, "bus", prepare_pgmq)
    return BusAddress("pgmq", "pgmq://" + url.split("://", 1)[1])


def running(broker: B) -> Iterator[B]:
    """A broker from its readiness to the end of the session."""
    try:
        broker.wait_ready()
        yield broker
    finally:
        broker.stop()


def require(missing: str) -> None:
    """Skip when something is missing; where everything is required, fail."""
    if missing and os.environ.get("BRANCHLINE_REQUIRE_ALL") == "1":
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)  # skip-ok: this machine has not got it; CI requires it


def missing_engine() -> str:
    """Why no broker can run in a container here; empty where one can."""
    try:
        docker("image", "inspect", IMAGE)
    except (OSError, subprocess.CalledProcessError):
        return f"no container engine with the image {IMAGE}; tests on RabbitMQ cannot run here"
    return ""
