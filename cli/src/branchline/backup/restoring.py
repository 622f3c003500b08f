"""Puts a backup back: every database as it was saved, counted and compared, and a new epoch for its events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from branchline.backup.databases import (
    LEFT_OUT,
    describe_contents,
    has_events,
    open_connection,
    read_revision,
    run_tool,
)
from branchline.exits import Failure
from branchline.platform.folder import ROOT
from chassis.bus.relay import begin_epoch
from chassis.database import Database
from chassis.migrate import has_revision


def require_fillable(urls: Mapping[str, str], manifest: Mapping[str, Any], replace: bool) -> None:
    """Errors: Failure when the backup is of a newer program, or the databases are not empty and not to be replaced."""
    for name, store in manifest["stores"].items():
        _require_known(name, store["revision"])
        if not replace:
            _require_empty(name, urls[name])


def restore(
    urls: Mapping[str, str], folder: Path, manifest: Mapping[str, Any], say: Callable[[str], None]
) -> dict[str, int]:
    """Fill the databases from a backup, throwing away what they hold, and answer the new epoch of each service.

    Nothing may run on them. Cut off in the middle, the same command puts all of it back. Errors: Failure naming what
    could not be put back as it was.
    """
    stores = manifest["stores"]
    for name, store in stores.items():
        say(f"restoring {name}")
        _restore_one(name, urls[name], folder, store)
    return {name: _begin_epoch(name, urls[name]) for name in stores if has_events(name)}


def _require_known(name: str, revision: str) -> None:
    if not has_revision(ROOT / "services" / name / "migrations", revision):
        raise Failure(
            f"{name} was saved with schema {revision}, which this program does not know; use the newer one",
            reason="BACKUP_TOO_NEW",
        )


def _require_empty(name: str, url: str) -> None:
    with open_connection(url) as connection:
        if read_revision(connection):
            raise Failure(
                f"the database of {name} is not empty; --replace throws away what is in it", reason="NOT_EMPTY"
            )


def _restore_one(name: str, url: str, folder: Path, store: Mapping[str, Any]) -> None:
    with open_connection(url) as connection:
        connection.execute("DROP SCHEMA IF EXISTS public CASCADE")
        connection.execute("CREATE SCHEMA public AUTHORIZATION pg_database_owner")  # as a new database has it
    words = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]
    dbname = conninfo_to_dict(url)["dbname"]
    run_tool("pg_restore", url, [*words, f"--dbname={dbname}", str(folder / store["file"])])
    with open_connection(url) as connection:
        found = describe_contents(connection, LEFT_OUT.get(name, ()))
    differing = sorted(table for table in {*found, *store["tables"]} if found.get(table) != store["tables"].get(table))
    if differing:
        raise Failure(f"{name} is not as it was saved: {', '.join(differing)}", reason="RESTORE_DIFFERS")


def _begin_epoch(name: str, url: str) -> int:
    database = Database(url.replace("postgresql://", "postgresql+psycopg://", 1), name, pool_size=1)
    try:
        return begin_epoch(database)
    finally:
        database.close()
