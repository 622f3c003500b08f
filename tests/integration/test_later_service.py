"""A service deployed apart reads, by a command and behind the others' doors, what was said before it came."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import directory.api
from chassis.bus.relay import number_waiting
from chassis.database import Database
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.migrate import migrate
from chassis.rpc.events_door import events_servicer
from chassis.rpc.server import start_server
from chassis.testing.postgres import fresh_database
from chassis.tokens import TokenVerifier, generate_key, public_key_of
from directory.bootstrap import FirstFacts, bootstrap
from directory.settings import MIGRATIONS as DIRECTORY_MIGRATIONS
from directory.settings import Settings as DirectorySettings
from reporting.settings import MIGRATIONS as REPORTING_MIGRATIONS

pytestmark = pytest.mark.timeout(300)
ROOT = Path(__file__).resolve().parents[2]
SECRET = "a-long-secret-of-reporting"


@dataclass
class Later:
    """Reporting as an operator sees it: a database, addresses, a secret, a command."""

    database: Database
    environment: dict[str, str]

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the service."""
        told = {**os.environ, **self.environment, **environment}
        command = [sys.executable, "-m", "reporting", *words]
        return subprocess.run(command, cwd=ROOT, env=told, capture_output=True, text=True, timeout=120)

    def tell(self, *words: str) -> dict[str, Any]:
        """What a command that must do well prints last."""
        ended = self.run(*words)
        assert ended.returncode == 0, ended.stderr + ended.stdout
        found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
        return found

    def users(self) -> int:
        """How many users the copy has."""
        with self.database.transaction() as work:
            return int(work.execute(sa.text('SELECT count(*) FROM "user"')).scalar_one())


@pytest.fixture
def later(postgres: EmbeddedPostgres) -> Iterator[Later]:
    """A directory with a company, doors of the others without any events, and reporting that nobody told anything."""
    url = fresh_database(postgres, "later_directory", lambda url: migrate(url, DIRECTORY_MIGRATIONS))
    source, key = Database(url, "directory"), generate_key()
    bootstrap(source, FirstFacts("Acme", "hq", "DE", "EUR", "Europe/Berlin", "admin", "a-password-1"))
    number_waiting(source)
    settings = DirectorySettings(url, key, follower_secrets=f"reporting={SECRET}")
    quiet = {name: silent(postgres, name) for name in ("contacts", "deals", "imports")}
    doors = (*directory.api.servicers(settings), events_servicer({"directory": source, **quiet}))
    server, port = start_server("127.0.0.1:0", doors, TokenVerifier(public_key_of(key)))
    mine = fresh_database(postgres, "later_reporting", lambda url: migrate(url, REPORTING_MIGRATIONS))
    database = Database(mine, "reporting")
    addresses = {f"{name.upper()}_ADDRESS": f"127.0.0.1:{port}" for name in ("directory", *quiet)}
    yield Later(database, {"REPORTING_DATABASE_URL": mine, "REPORTING_FOLLOWER_SECRET": SECRET, **addresses})
    server.stop(None).wait()
    for one in (source, database, *quiet.values()):
        one.close()


def silent(postgres: EmbeddedPostgres, name: str) -> Database:
    """A service that never said anything; its tables of messaging are those of any other."""
    url = fresh_database(postgres, "later_directory")
    migrate(url, DIRECTORY_MIGRATIONS)
    return Database(url, name)


def test_it_reads_what_was_said_before_it_and_no_event_twice(later: Later) -> None:
    told = later.tell("catch-up")
    assert (told["consumer"], told["events"] > 0, later.users()) == ("reporting", True, 1)
    assert later.tell("catch-up")["events"] == 0
    assert later.tell("replay", "--source", "directory", "--from", "1")["events"] == told["events"]


def test_its_copies_are_made_anew_to_the_same_digest(later: Later) -> None:
    later.tell("catch-up", "--all")
    first = later.tell("rebuild")
    with later.database.transaction() as work:
        work.execute(sa.text('DELETE FROM "user"'))
    again = later.tell("rebuild")
    assert (again["digest"], again["records"]["user"]) == (first["digest"], 1)


def test_what_is_missing_or_wrong_is_named(later: Later) -> None:
    unset = later.run("catch-up", DIRECTORY_ADDRESS="")
    assert (unset.returncode, "DIRECTORY_ADDRESS" in unset.stderr) == (2, True)
    stranger = later.run("catch-up", REPORTING_FOLLOWER_SECRET="wrong")
    assert (stranger.returncode, "NOT_PERMITTED" in stranger.stderr or "REFUSED" in stranger.stderr) == (1, True)
    assert later.users() == 0
