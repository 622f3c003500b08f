"""A real PostgreSQL for tests: one server a test session, a fresh database a test (copied from a template)."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from chassis.embedded_postgres_server import EmbeddedPostgres

_count = itertools.count()
# Tests end with the folder thrown away: no need to wait for the disk. Commit order and locks are untouched.
FAST = {"fsync": "off", "full_page_writes": "off"}


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """The server of this test session."""
    folder = Path(tempfile.mkdtemp(prefix="branchline-test-"))
    server = EmbeddedPostgres(folder, settings=FAST, end_with_parent=True)  # killed tests leave no server
    server.start()
    yield server
    server.stop(immediate=True)
    shutil.rmtree(folder, ignore_errors=True)


def fresh_database(server: EmbeddedPostgres, name: str, prepare: Callable[[str], None] | None = None) -> str:
    """The URL of a new database; `prepare(url)` fills a template once a session and the copies are made from it."""
    copy = f"{name}_{os.getpid()}_{next(_count)}"
    if prepare is None:
        server.create_database(copy)
        return server.url(copy)
    template = f"template_{name}"
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (template,)).fetchone()
    if not known:
        server.create_database(template)
        prepare(server.url(template))
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(
            psycopg.sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                psycopg.sql.Identifier(copy), psycopg.sql.Identifier(template)
            )
        )
    return server.url(copy)
