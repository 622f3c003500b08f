"""The distributed platform for tests: the checkout exported clean, its images built, brought up, all ended after."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pytest_docker.plugin import Services

from branchline.rest import Rest
from chassis.testing.eventually import eventually
from tools.protos import ROOT

IMAGES = ("python:3.13-slim", "postgres:17", "rabbitmq:4-management")
PROJECT = f"branchline-test-{os.getpid()}"
START_SECONDS = 120.0


@dataclass(frozen=True)
class Composed:
    """A platform under docker compose: `url` of its gateway, `password` of its administrator."""

    file: Path
    url: str
    password: str

    def compose(self, *words: str) -> str:
        """Run `docker compose` on it and answer what it printed. Errors: CalledProcessError."""
        return run("docker", "compose", "-f", str(self.file), "-p", PROJECT, *words)

    def inside(self, service: str, *words: str, index: int = 1) -> str:
        """Run a command in a container of a service."""
        return self.compose("exec", "-T", "--index", str(index), service, *words)

    def sql(self, database: str, query: str) -> list[list[str]]:
        """Ask a database as its server's superuser; rows of text."""
        words = ("psql", "-U", "postgres", "-h", "/tmp", "-d", database, "-XAtF", "|", "-c", query)
        told = self.inside("postgres", *words)
        return [line.split("|") for line in told.splitlines()]

    def containers(self, *services: str) -> list[dict[str, Any]]:
        """What the engine says of the containers of services, of all without one."""
        ids = self.compose("ps", "--all", "--quiet", *services).split()
        found: list[dict[str, Any]] = json.loads(run("docker", "inspect", *ids))
        return found


def run(*words: str) -> str:
    """Run a command to its end and answer what it printed; what it complained of is shown when it fails."""
    ended = subprocess.run(words, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, f"{' '.join(words)}: {ended.stderr[-2000:]}"
    return ended.stdout.strip()


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
    """The compose file of a clean export: what git knows or would add, and nothing that was installed or made."""
    place = tmp_path_factory.mktemp("checkout")
    known = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    listed = subprocess.run(known, cwd=ROOT, capture_output=True, check=True).stdout
    pack = ("tar", "--null", "--files-from=-", "-cf", "-")
    packed = subprocess.run(pack, cwd=ROOT, input=listed, capture_output=True, check=True).stdout
    subprocess.run(("tar", "-xf", "-"), cwd=place, input=packed, check=True)
    os.environ.update(BRANCHLINE_PORT="0", BRANCHLINE_VERSION="test")
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
def composed(docker_services: Services, docker_compose_file: str) -> Composed:
    """The platform, once its gateway answers."""
    bare = Composed(Path(docker_compose_file), "", "")
    told = bare.compose("run", "--rm", "administrator", "--json", "deployment", "administrator", "/secrets")
    found = Composed(bare.file, f"http://{bare.compose('port', 'gateway', '8480')}", json.loads(told)["password"])
    eventually(lambda: answers(found.url), within=START_SECONDS)
    return found


def answers(url: str) -> bool:
    """Tell whether the gateway answers."""
    try:
        return httpx2.get(f"{url}/api/v1/health").status_code == httpx2.codes.OK
    except httpx2.TransportError:
        return False


@pytest.fixture
def rest(composed: Composed) -> Iterator[Rest]:
    """REST as the administrator."""
    with httpx2.Client(base_url=f"{composed.url}/api/v1", timeout=30) as client:
        yield Rest(client, "admin", composed.password, patience=60, expected=True)
