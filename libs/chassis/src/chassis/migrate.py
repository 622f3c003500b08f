"""Bring a service's database to its newest schema; safe to run from several processes at once."""

from __future__ import annotations

import time
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg.errors import LockNotAvailable

LOCK_WAIT, ATTEMPTS, PAUSE = "2s", 100, 1.0
LOCK = 0x6272616E63686C  # one number for "migrating", the same in every process


def migrate(url: str, script_location: Path, revision: str = "head") -> None:
    """Run the migrations under `script_location` against the database at `url`, one process at a time.

    A step that needs a table which others use waits 2 s for it, since whoever comes later waits behind it; then it lets
    them through and tries again. Errors: sqlalchemy's OperationalError when a table was never free in some minutes.
    """
    engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args={"options": "-c timezone=UTC"})
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


def has_revision(script_location: Path, revision: str) -> bool:
    """Tell whether a revision is one of the migrations under `script_location`."""
    settings = Config()
    settings.set_main_option("script_location", str(script_location))
    return any(one.revision == revision for one in ScriptDirectory.from_config(settings).walk_revisions())


def run_environment() -> None:
    """What a service's migrations/env.py calls: run the steps on the connection `migrate` opened."""
    from alembic import context

    connection = context.config.attributes["connection"]
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
