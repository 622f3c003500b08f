"""A service's processes start from one table of doors, each without what belongs to the others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from chassis.database import Database
from chassis.testing.eventually import eventually
from chassis.tokens import public_key_of

SERVICE = '''
"""A made-up service."""
import dataclasses, pathlib, sys
from chassis.entry import Doors, run

@dataclasses.dataclass(frozen=True)
class Settings:
    database_url: str
    token_public_key: str = ""
    grpc_listen: str = "127.0.0.1:0"
    bus_url: str = ""

def servicers(settings):
    print("serving", "kombu" in sys.modules, flush=True)
    return ()

def worker(settings):
    print("working", "grpc" in sys.modules, flush=True)
    raise SystemExit(7)

def jobs(settings):
    from chassis.database import Database
    from chassis.jobs import JobRunner
    print("jobs", "kombu" in sys.modules, flush=True)
    return JobRunner(Database(settings.database_url, "made"), {"k": lambda job: None}, lambda *_: None)

doors = Doors("made", Settings, "MADE_", pathlib.Path("nowhere"), servicers, worker, jobs)
sys.exit(run(doors))
'''


@pytest.fixture
def service(tmp_path: Path) -> Path:
    made = tmp_path / "made.py"
    made.write_text(SERVICE)
    return made


def start(service: Path, action: str, cwd: str | None = None, **environ: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(service), action],
        cwd=cwd,
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_jobs_run_until_asked_to_stop(service: Path, database: Database) -> None:
    insert = "INSERT INTO job (id, kind, payload) VALUES (gen_random_uuid(), 'k', '{}')"
    with database.transaction() as work:
        work.execute(sa.text(insert))

    def is_done() -> bool:
        with database.transaction() as work:
            return bool(work.execute(sa.text("SELECT state = 'done' FROM job")).scalar_one())

    with start(service, "jobs", MADE_DATABASE_URL=database.url) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "jobs False\n"
        eventually(is_done, within=60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def test_an_api_process_knows_no_bus_and_a_worker_no_grpc(service: Path, private_key: str) -> None:
    environ = {"DATABASE_URL": "postgresql+psycopg://nowhere", "TOKEN_PUBLIC_KEY": public_key_of(private_key)}
    with start(service, "serve", **environ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "serving False\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    with start(service, "work", **environ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "working False\n"
        assert process.wait(60) == 7


def test_a_service_is_prepared_without_its_bus_where_none_is_named(service: Path, database: Database) -> None:
    migrations = service.parent / "nowhere"
    (migrations / "versions").mkdir(parents=True)
    (migrations / "env.py").write_text("from chassis.migrate import run_environment\n\nrun_environment()\n")
    with start(service, "prepare", cwd=str(service.parent), MADE_DATABASE_URL=database.url) as process:
        assert process.wait(60) == 0


def test_what_is_missing_is_told_in_one_line(service: Path) -> None:
    with start(service, "serve", DATABASE_URL="") as process:
        _, told = process.communicate(timeout=60)
    assert (process.returncode, told) == (2, "made: settings: MADE_DATABASE_URL is not set (required)\n")
