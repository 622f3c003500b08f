"""What a service's database forgets once nobody can ask for it: claims, answers, settled events, ended jobs."""

from __future__ import annotations

import sqlalchemy as sa

from chassis.database import Database

CHUNK = 5_000  # rows a transaction: short locks, little to vacuum at once
REPLAY_DAYS = 30
MARGIN_DAYS = 5  # claims outlive the days that can be replayed; settled events stay as long
# A request id protects 24 hours.
OLD = {
    "inbox": "handle_time < now() - interval '{claims} days'",
    "idempotency": "create_time < now() - interval '24 hours'",
    "parked_event": "state IN ('resolved', 'skipped') AND first_time < now() - interval '{claims} days'",
    "job": "state IN ('done', 'failed', 'cancelled') AND run_time < now() - interval '30 days'",
}


def forget_old(database: Database, chunk: int = CHUNK, replay_days: int = REPLAY_DAYS) -> int:
    """Delete what is too old, `chunk` rows a transaction; answers how many rows. Two at once are in no one's way."""
    claims = replay_days + MARGIN_DAYS
    return sum(_forget(database, table, old.format(claims=claims), chunk) for table, old in OLD.items())


def _forget(database: Database, table: str, condition: str, chunk: int) -> int:
    old = f"SELECT ctid FROM {table} WHERE {condition} LIMIT {chunk} FOR UPDATE SKIP LOCKED"
    statement = sa.text(f"DELETE FROM {table} WHERE ctid = ANY(ARRAY({old}))")
    forgotten = 0
    while True:
        with database.transaction() as work:
            gone = work.execute(statement).rowcount
        forgotten += gone
        if gone < chunk:
            return forgotten
