"""The distributed platform for tests: the checkout exported clean, its images built, brought up, all ended after."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_docker.plugin import Services

from branchline.rest import Rest
from tests.compose.platforms import Composed, export_checkout, free_port

IMAGES = ("python:3.13-slim", "postgres:17", "rabbitmq:4-management")
PROJECT = f"branchline-test-{os.getpid()}"
VERSION = "test"
CLEANUP = ("stop --timeout 1 rabbitmq", "down --volumes --remove-orphans --timeout 10")
_running: list[Composed] = []


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """End the containers after the last test of this folder: others follow, and seventeen of them take a core."""
    if nextitem is None or nextitem.path.parent != item.path.parent:
        while _running:
            found = _running.pop()
            for command in CLEANUP:
                found.compose(*command.split())


@pytest.fixture(scope="session")
def engine() -> None:
    """A container engine with the images that ours are made from; skipped without it, in CI failed."""
    try:
        subprocess.run(("docker", "image", "inspect", *IMAGES), capture_output=True, check=True, timeout=60)
        return
    except (OSError, subprocess.CalledProcessError):
        missing = f"no container engine with the images {', '.join(IMAGES)}"
    if os.environ.get("BRANCHLINE_REQUIRE_ALL") == "1":
        pytest.fail(missing)
    pytest.skip(missing)  # skip-ok: this machine has no container engine; CI requires one


@pytest.fixture(scope="session")
def docker_compose_file(engine: None, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The compose file of a clean export."""
    place = tmp_path_factory.mktemp("checkout")
    export_checkout(place)
    os.environ.update(BRANCHLINE_PORT=str(free_port()), BRANCHLINE_VERSION=VERSION)
    return str(place / "docker-compose.yml")


@pytest.fixture(scope="session")
def docker_compose_project_name() -> str:
    """A project of its own, so that a platform that runs here already is left alone."""
    return PROJECT


@pytest.fixture(scope="session")
def docker_setup() -> list[str]:
    """What a person says; images are built as they are then."""
    return ["up --detach"]


@pytest.fixture(scope="session")
def docker_cleanup() -> list[str]:
    """Ended soon: nothing of it is wanted any more. A container that is killed at once may leave its network in use."""
    return list(CLEANUP)


@pytest.fixture(scope="session")
def composed(docker_services: Services, docker_compose_file: str) -> Composed:
    """The platform, once its gateway answers."""
    bare = Composed(Path(docker_compose_file).parent, PROJECT)
    address = bare.compose("port", "gateway", "8480")
    found = Composed(bare.folder, PROJECT, f"http://{address}", bare.read_password())
    _running.append(found)
    found.wait_until_it_answers()
    return found


@pytest.fixture
def rest(composed: Composed) -> Iterator[Rest]:
    """REST as the administrator."""
    with composed.rest() as rest:
        yield rest
