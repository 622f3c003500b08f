"""Saves every database as it stands at one moment, while people go on working.

The moment is one for all: no service numbers an event while the snapshots are opened, so that no consumer is saved with
an event that its source is saved without. Publishing waits for that, some milliseconds; people's changes do not.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from branchline.backup.databases import (
    LEFT_OUT,
    describe_contents,
    has_events,
    open_connection,
    read_revision,
    run_tool,
)
from branchline.exits import Failure
from branchline.platform.folder import write_json

MANIFEST = "backup.json"
FORMAT = 1
LOCK_SECONDS = 10
_PIECE = 1 << 20


def save(urls: Mapping[str, str], folder: Path, extra: Mapping[str, Any], say: Callable[[str], None]) -> dict[str, Any]:
    """Write a backup folder and answer its manifest; `extra` is kept in it.

    Errors: Failure when the folder is there already, or a database cannot be read; then no folder is left behind that
    could be taken for a backup.
    """
    if folder.exists():
        raise Failure(f"{folder} is there already; name a folder that is not", reason="BACKUP_EXISTS")
    draft = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(draft, ignore_errors=True)  # of one that was cut off
    draft.mkdir(mode=0o700, parents=True)
    with ExitStack() as stack:
        snapshots = _open_snapshots(urls, stack)
        made = {"format": FORMAT, "time": datetime.now(UTC).isoformat(timespec="milliseconds"), **extra, "stores": {}}
        for name, (connection, snapshot) in snapshots.items():
            say(f"saving {name}")
            made["stores"][name] = _save_one(name, urls[name], draft, connection, snapshot)
    write_json(draft / MANIFEST, made)
    os.rename(draft, folder)
    return made


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a backup. Errors: Failure when there is none, or a file was changed since."""
    try:
        found: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as trouble:
        raise Failure(f"{folder} is not a backup: {MANIFEST}: {trouble}", reason="NO_BACKUP") from trouble
    if found.get("format") != FORMAT:
        raise Failure(f"{folder} is of another format than {FORMAT}", reason="BACKUP_FORMAT")
    for name, store in found["stores"].items():
        if digest_file(folder / store["file"]) != store["sha256"]:
            raise Failure(f"{store['file']} of {name} is not what was saved", reason="BACKUP_DAMAGED")
    return found


def digest_file(path: Path) -> str:
    """SHA-256 of a file, empty for one that is not there."""
    if not path.exists():
        return ""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _open_snapshots(urls: Mapping[str, str], stack: ExitStack) -> dict[str, tuple[psycopg.Connection[Any], str]]:
    with ExitStack() as holds:
        for name in filter(has_events, urls):
            holding = holds.enter_context(open_connection(urls[name]))
            holding.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
            holding.execute("SELECT 1 FROM relay_state FOR UPDATE")
        found = {}
        for name, url in urls.items():
            connection = stack.enter_context(open_connection(url))
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            row = connection.execute("SELECT pg_export_snapshot()").fetchone()
            found[name] = (connection, str(row[0]) if row else "")
        return found


def _save_one(name: str, url: str, folder: Path, connection: psycopg.Connection[Any], snapshot: str) -> dict[str, Any]:
    file = folder / f"{name}.dump"
    left_out = LEFT_OUT.get(name, ())
    words = ["--format=custom", "--compress=gzip:3", "--no-owner", "--no-privileges"]
    words += [f"--exclude-table-data=public.{table}" for table in left_out]
    run_tool("pg_dump", url, [*words, f"--snapshot={snapshot}", f"--file={file}"])
    file.chmod(0o600)
    return {
        "file": file.name,
        "bytes": file.stat().st_size,
        "sha256": digest_file(file),
        "revision": read_revision(connection),
        "tables": describe_contents(connection, left_out),
    }
