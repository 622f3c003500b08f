"""Day partitions of the event log: made ahead, dropped when no promise needs them any more."""

from __future__ import annotations

from datetime import date, timedelta

import sqlalchemy as sa

from chassis.database import Database

KEEP_DAYS = 30  # replay, webhooks and late joiners are promised 30 days
AHEAD_DAYS = 3
PREFIX = "event_log_day_"
_PARTITIONS = sa.text(
    "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
    "WHERE i.inhparent = 'event_log'::regclass"
)
_UNPUBLISHED = sa.text("SELECT published_position FROM relay_state")


def keep_event_days(database: Database, today: date) -> None:
    """Make the partitions of the coming days and drop those older than KEEP_DAYS whose events are all published.

    Rows of a day without a partition go to `event_log_rest`; a day that has rows there gets none any more.
    """
    with database.engine.begin() as connection:
        present = set(connection.execute(_PARTITIONS).scalars())
        for ahead in range(1, AHEAD_DAYS + 1):  # never today's: its rows may be in the rest already
            _make_day(connection, today + timedelta(days=ahead), present)
        published = connection.execute(_UNPUBLISHED).scalar() or 0
        for name in sorted(present):
            if name.startswith(PREFIX) and _day_of(name) < today - timedelta(days=KEEP_DAYS):
                _drop_day(connection, name, published)
        connection.execute(
            sa.text("DELETE FROM event_log_rest WHERE day < :oldest AND position <= :published"),
            {"oldest": today - timedelta(days=KEEP_DAYS), "published": published},
        )


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
    last = connection.exec_driver_sql(f"SELECT max(position) FROM {name}").scalar()
    if last is None or last <= published:
        connection.exec_driver_sql(f"DROP TABLE {name}")


def _day_of(name: str) -> date:
    text = name.removeprefix(PREFIX)
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
