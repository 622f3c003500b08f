"""The databases of an embedded platform for a backup: of the running one, or of a server that this process starts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from branchline.exits import Failure
from branchline.platform.claim import AlreadyRunning, claim_folder, find_holder
from branchline.platform.environment import STORES
from branchline.platform.folder import DataFolder, read_json, write_json
from branchline.platform.preparation import MARK
from chassis.embedded_postgres_server import EmbeddedPostgres

BUS = "bus"


@contextmanager
def urls_to_save(folder: DataFolder) -> Iterator[dict[str, str]]:
    """The databases of a folder, whether its platform runs or not. Errors: Failure when there is no platform."""
    if not folder.credentials.exists():
        raise Failure(f"there is no platform in {folder.path}", reason="NO_PLATFORM")
    if find_holder(folder):
        yield {name: folder.server_url.format(name) for name in STORES}
        return
    with _server_of(folder) as server:
        yield {name: server.url(name, "postgresql") for name in STORES}


@contextmanager
def urls_to_fill(folder: DataFolder, check: Callable[[dict[str, str]], None]) -> Iterator[dict[str, str]]:
    """The databases of a folder whose platform does not run, once `check` allows them to be filled.

    The bus inside PostgreSQL is thrown away: what it held is in the services' logs, and the next start has it read from
    there. Errors: Failure when the platform runs, or what `check` raises; then only missing databases were made.
    """
    with _server_of(folder) as server:
        for name in STORES:
            server.create_database(name)
        urls = {name: server.url(name, "postgresql") for name in STORES}
        check(urls)
        (folder.postgres / MARK).unlink(missing_ok=True)  # the next start brings the schemas up to date
        with psycopg.connect(server.conninfo("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(BUS)))
        yield urls


def facts_of(folder: DataFolder) -> dict[str, Any]:
    """What a backup keeps beside the databases: the company as it was begun, and how its administrator signs in."""
    found = read_json(folder.credentials)
    return {
        "company": read_json(folder.company),
        "administrator": {name: found.get(name, "") for name in ("login", "password", "company_id")},
    }


def take_facts(folder: DataFolder, manifest: dict[str, Any]) -> None:
    """Keep in a restored folder what its backup says of company and administrator."""
    if manifest.get("administrator"):
        write_json(folder.credentials, read_json(folder.credentials) | manifest["administrator"])
        write_json(folder.company, manifest["company"])


@contextmanager
def _server_of(folder: DataFolder) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(folder.postgres, end_with_parent=True)
    try:
        with claim_folder(folder):
            server.stop_leftover()
            server.start()
            try:
                yield server
            finally:
                server.stop()
    except AlreadyRunning as running:
        raise Failure("the platform runs; stop it first with `branchline down`", reason="RUNNING") from running
