"""Bring a service's database to its newest schema; safe to run from several processes at once."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from psycopg.errors import LockNotAvailable

from chassis.cells import check_cell
from chassis.database import use_driver
from chassis.naming import NameInvalid
from chassis.settings import SettingsInvalid, load_settings
from chassis.wall import make_reader

LOCK_WAIT, ATTEMPTS, PAUSE = "2s", 100, 1.0
REVISION = re.compile(r"""^revision\b[^=\n]*=\s*["']([^"']+)""", re.MULTILINE)  # as every migration begins
LOCK = 0x6272616E63686C  # one number for "migrating", the same in every process
_RENAME = """
UPDATE relay_state SET source = regexp_replace(source, '^crm/[^/]+/', 'crm/' || :cell || '/')
WHERE last_position = 0 AND source NOT LIKE 'crm/' || :cell || '/%'"""


@dataclass(frozen=True)
class CellSettings:
    """`cell` is the word of this installation among those that are bridged; empty leaves it as it is, first `hq`."""

    cell: str = ""


def migrate(url: str, script_location: Path, revision: str = "head") -> None:
    """Run the migrations under `script_location` against the database at `url`, one process at a time.

    A step that needs a table which others use waits 2 s for it, since whoever comes later waits behind it; then it lets
    them through and tries again. Afterwards the service's events are of the cell that CELL names.
    Errors: sqlalchemy's OperationalError when a table was never free in some minutes; SettingsInvalid.
    """
    engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args={"options": "-c timezone=UTC"})
    use_driver(engine)  # a step may open a unit of work
    with engine.connect() as connection:
        connection.execute(sa.text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        connection.commit()
        try:
            settings = Config()
            settings.set_main_option("script_location", str(script_location))
            settings.attributes["connection"] = connection
            connection.execute(sa.text(f"SET lock_timeout = '{LOCK_WAIT}'"))
            connection.commit()
            _upgrade(settings, connection, revision)
            name_cell(connection, load_settings(CellSettings, "").cell)
            make_reader(connection)
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(sa.text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})
            connection.commit()
    engine.dispose()


def _upgrade(settings: Config, connection: sa.Connection, revision: str) -> None:
    for attempt in range(ATTEMPTS):
        try:
            command.upgrade(settings, revision)
            connection.commit()
            return
        except sa.exc.OperationalError as trouble:
            connection.rollback()
            if not isinstance(trouble.orig, LockNotAvailable) or attempt == ATTEMPTS - 1:
                raise
        time.sleep(PAUSE)


def name_cell(connection: sa.Connection, cell: str) -> None:
    """Have the service's events be of a cell; one that has said something keeps its own. Errors: SettingsInvalid."""
    if not cell or connection.execute(sa.text("SELECT to_regclass('relay_state') IS NULL")).scalar():
        return
    try:
        check_cell(cell)
    except NameInvalid as trouble:
        raise SettingsInvalid(f"settings: CELL: {trouble}") from None
    connection.execute(sa.text(_RENAME), {"cell": cell})
    source = connection.execute(sa.text("SELECT source FROM relay_state")).scalar_one()
    if not source.startswith(f"crm/{cell}/"):
        raise SettingsInvalid(f"settings: CELL is {cell!r}, but events of {source} were told; a cell keeps its word")
    connection.commit()


def has_revision(script_location: Path, revision: str) -> bool:
    """Tell whether a revision is one of the migrations under `script_location`.

    They are read, not run: who asks may lack what they import.
    """
    texts = (step.read_text(encoding="utf-8") for step in (script_location / "versions").glob("*.py"))
    return any((found := REVISION.search(text)) and found.group(1) == revision for text in texts)


def run_environment() -> None:
    """What a service's migrations/env.py calls: run the steps on the connection `migrate` opened."""
    from alembic import context

    connection = context.config.attributes["connection"]
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
