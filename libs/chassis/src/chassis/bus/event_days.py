"""Day partitions of the event log: made ahead, dropped when no promise needs them any more.

Before a day goes, the last event of each type of each record in it is put into `event_snapshot`: with whole states in
every event, that is all that a reader who comes later can learn from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import sqlalchemy as sa

from chassis.database import Database
from chassis.schema import event_snapshot

KEEP_DAYS = 30  # replay and webhooks are promised 30 days, where the operator says nothing else
AHEAD_DAYS = 3
FOLD_MS = 600_000  # a day of ten million events
PREFIX = "event_log_day_"
_PARTITIONS = sa.text(
    "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
    "WHERE i.inhparent = 'event_log'::regclass"
)
_UNPUBLISHED = sa.text("SELECT published_position FROM relay_state")


_COLUMNS = ", ".join(column.name for column in event_snapshot.c)
_FOLD = f"""
INSERT INTO event_snapshot AS known ({_COLUMNS})
SELECT DISTINCT ON (aggregate_id, type) {_COLUMNS} FROM {{rows}} ORDER BY aggregate_id, type, position DESC
ON CONFLICT (aggregate_id, type) DO UPDATE
SET ({_COLUMNS}) = ({", ".join(f"excluded.{column.name}" for column in event_snapshot.c)})
WHERE known.position < excluded.position"""
_DROP_REST = f"""
WITH old AS (DELETE FROM event_log_rest WHERE day < :oldest AND position <= :published RETURNING *)
{_FOLD.format(rows="old")}"""


def keep_event_days(database: Database, today: date, keep_days: int = KEEP_DAYS) -> None:
    """Make the partitions of the coming days and drop those older than `keep_days` whose events are all published.

    Rows of a day without a partition go to `event_log_rest`; a day that has rows there gets none any more.
    """
    oldest = today - timedelta(days=keep_days)
    with database.engine.begin() as connection:
        present = set(connection.execute(_PARTITIONS).scalars())
        for ahead in range(1, AHEAD_DAYS + 1):  # never today's: its rows may be in the rest already
            _make_day(connection, today + timedelta(days=ahead), present)
    for name in sorted(present):
        if name.startswith(PREFIX) and _day_of(name) < oldest:
            with _folding(database) as (connection, published):
                _drop_day(connection, name, published)
    with _folding(database) as (connection, published):
        connection.execute(sa.text(_DROP_REST), {"oldest": oldest, "published": published})


@contextmanager
def _folding(database: Database) -> Iterator[tuple[sa.Connection, int]]:
    """A transaction of one process at a time, with time enough for a day, and the position that is published."""
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {FOLD_MS}")
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtextextended('event days', 0))")
        yield connection, connection.execute(_UNPUBLISHED).scalar() or 0


def _make_day(connection: sa.Connection, day: date, present: set[str]) -> None:
    name = f"{PREFIX}{day:%Y%m%d}"
    if (
        name in present
        or connection.execute(sa.text("SELECT 1 FROM event_log_rest WHERE day = :day LIMIT 1"), {"day": day}).first()
    ):
        return
    connection.exec_driver_sql(
        f"CREATE TABLE {name} PARTITION OF event_log FOR VALUES FROM ('{day}') TO ('{day + timedelta(days=1)}')"
    )


def _drop_day(connection: sa.Connection, name: str, published: int) -> None:
    if name not in set(connection.execute(_PARTITIONS).scalars()):
        return  # another process was first
    last = connection.exec_driver_sql(f"SELECT max(position) FROM {name}").scalar()
    if last is None or last <= published:
        connection.exec_driver_sql(_FOLD.format(rows=name))
        connection.exec_driver_sql(f"DROP TABLE {name}")  # the log is closed for this statement only


def _day_of(name: str) -> date:
    text = name.removeprefix(PREFIX)
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
