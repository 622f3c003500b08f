"""Fills the read models of reporting anew from all events, while the platform runs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa

from branchline.exits import Failure
from branchline.platform.folder import DataFolder
from chassis.bus.relay import rewind
from chassis.database import Database
from chassis.schema import event_log
from reporting.freshness import count_records, digest, read_positions
from reporting.rebuilding import forget_everything

REPLAY_SECONDS = 3_600.0  # ten million events at the slowest pace that the budget allows
LOOK_SECONDS = 0.2


def rebuild_reporting(folder: DataFolder) -> tuple[str, dict[str, int]]:
    """Throw reporting's read models away and have every event published again; answers their digest and counts.

    Other consumers get the events again too and pass over them by their inbox. Errors: Failure where the first events
    are kept no longer (nothing was changed then), or the replay does not end.
    """
    reporting = _database(folder, "reporting")
    with reporting.transaction() as work:
        wanted = read_positions(work)
    sources = {name: _database(folder, name.rpartition("/")[2]) for name in wanted}
    for name, source in sources.items():
        _require_whole_log(name, source)
    with reporting.transaction() as work:
        forget_everything(work)
    for source in sources.values():
        rewind(source, 0)
    _wait_for(reporting, wanted)
    with reporting.transaction() as work:
        made = digest(work), count_records(work)
    for database in (reporting, *sources.values()):
        database.close()
    return made


def _database(folder: DataFolder, name: str) -> Database:
    password = _kept(folder.postgres / "password")
    url = f"postgresql+psycopg://postgres:{password}@127.0.0.1:{_kept(folder.postgres / 'port')}/{name}"
    return Database(url, name, pool_size=1, statement_timeout_ms=300_000, lock_timeout_ms=60_000)


def _kept(path: Path) -> str:
    return path.read_text(encoding="ascii").strip()


def _require_whole_log(name: str, source: Database) -> None:
    with source.transaction() as work:
        oldest = work.execute(sa.select(sa.func.min(event_log.c.position))).scalar()
    if oldest != 1:
        raise Failure(
            f"{name} keeps its events from number {oldest or 'none'} on; a rebuild needs them from the first one",
            reason="EVENTS_GONE",
        )


def _wait_for(reporting: Database, wanted: Mapping[str, int]) -> None:
    end = time.monotonic() + REPLAY_SECONDS
    while time.monotonic() < end:
        with reporting.reading() as work:
            reached = read_positions(work)
        if all(reached.get(name, 0) >= position for name, position in wanted.items()):
            return
        time.sleep(LOOK_SECONDS)
    raise Failure(
        "reporting has not taken in all events; `branchline status` tells how far it is", reason="NOT_REBUILT"
    )
