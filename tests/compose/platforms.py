"""A platform under docker compose, as tests drive it: of which checkout, under which name, and what it is asked."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from branchline.exits import Failure
from branchline.rest import Rest
from chassis.testing.eventually import eventually
from tools.protos import ROOT

START_SECONDS = 240.0  # of a machine that does much else; alone it needs a tenth
SPLIT = "infra/compose/split.yml"


@dataclass(frozen=True)
class Composed:
    """A platform of the checkout in `folder`: `url` of its gateway, `password` of its administrator.

    `overlays` are compose files beside the first one, `variables` what its files are told.
    """

    folder: Path
    project: str
    url: str = ""
    password: str = ""
    overlays: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)

    def compose(self, *words: str, timeout: float = 300) -> str:
        """Run `docker compose` on it and answer what it printed. Errors: AssertionError."""
        files = [word for name in ("docker-compose.yml", *self.overlays) for word in ("-f", str(self.folder / name))]
        return run("docker", "compose", *files, "-p", self.project, *words, timeout=timeout, told=self.variables)

    def shell(self, line: str, timeout: float = 300) -> str:
        """Run a line of shell in its folder, as its operator does; answers what it printed. Errors: AssertionError."""
        files = ":".join(("docker-compose.yml", *self.overlays))
        named = {**self.variables, "COMPOSE_PROJECT_NAME": self.project, "COMPOSE_FILE": files}
        return run("sh", "-euc", line, timeout=timeout, folder=self.folder, told=named)

    def inside(self, service: str, *words: str, index: int = 1) -> str:
        """Run a command in a container of a service."""
        return self.compose("exec", "-T", "--index", str(index), service, *words)

    def server_of(self, database: str) -> str:
        """The compose service that is the server of a database."""
        return f"{database}-postgres" if SPLIT in self.overlays and database != "directory" else "postgres"

    def sql(self, database: str, query: str) -> list[list[str]]:
        """Ask a database as its server's superuser; rows of text."""
        words = ("psql", "-U", "postgres", "-h", "/tmp", "-d", database, "-XAtF", "|", "-c", query)
        told = self.inside(self.server_of(database), *words)
        return [line.split("|") for line in told.splitlines()]

    def containers(self, *services: str) -> list[dict[str, Any]]:
        """What the engine says of the containers of services, of all without one."""
        ids = self.compose("ps", "--all", "--quiet", *services).split()
        found: list[dict[str, Any]] = json.loads(run("docker", "inspect", *ids))
        return found

    def wait_until_it_answers(self, within: float = START_SECONDS) -> None:
        """Wait for the gateway, and for what it needs to let somebody in."""
        eventually(lambda: answers(self.url), within=within, every=0.3)
        if self.password:
            eventually(self._lets_in, within=within, every=0.3)

    def _lets_in(self) -> bool:
        with self.rest(0) as rest:
            try:
                return bool(rest.get("/units")["units"])
            except Failure:
                return False

    def read_password(self) -> str:
        """The first administrator's password."""
        told = self.compose("run", "--rm", "administrator", "--json", "deployment", "administrator", "/secrets")
        return str(json.loads(told)["password"])

    @contextmanager
    def rest(self, patience: float = 60) -> Iterator[Rest]:
        """REST as the administrator; `patience` in seconds for a gateway that is away."""
        with httpx2.Client(base_url=f"{self.url}/api/v1", timeout=30) as client:
            yield Rest(client, "admin", self.password, patience, expected=True)


def run(*words: str, timeout: float = 300, folder: Path | None = None, told: Mapping[str, str] | None = None) -> str:
    """Run a command to its end and answer what it printed; what it complained of is shown when it fails."""
    variables = {**os.environ, **(told or {})}
    ended = subprocess.run(words, capture_output=True, text=True, timeout=timeout, env=variables, cwd=folder)
    assert ended.returncode == 0, f"{' '.join(words)}: {ended.stdout[-1000:]} {ended.stderr[-2000:]}"
    return ended.stdout.strip()


def export_checkout(place: Path) -> None:
    """Write a clean export into a folder: what git knows or would add, and nothing that was installed or made."""
    known = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    listed = subprocess.run(known, cwd=ROOT, capture_output=True, check=True).stdout
    there = b"\0".join(name for name in listed.split(b"\0") if name and (ROOT / os.fsdecode(name)).exists())
    pack = ("tar", "--null", "--files-from=-", "-cf", "-")
    packed = subprocess.run(pack, cwd=ROOT, input=there, capture_output=True, check=True).stdout
    subprocess.run(("tar", "-xf", "-"), cwd=place, input=packed, check=True)


def answers(url: str) -> bool:
    """Tell whether the gateway answers."""
    try:
        return httpx2.get(f"{url}/api/v1/health").status_code == httpx2.codes.OK
    except httpx2.TransportError:
        return False


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
