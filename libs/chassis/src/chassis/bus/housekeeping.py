"""What a service's database forgets when nobody can ask for it any more: claims, answers, settled events, old days."""

from __future__ import annotations

import sqlalchemy as sa

from chassis import clock
from chassis.bus.event_days import keep_event_days
from chassis.database import Database

CHUNK = 5_000  # rows a transaction: short locks, little to vacuum at once
# The inbox outlives the 30 days of replay. A request id protects 24 hours; settled events stay as long as claims.
_FORGET = (
    ("inbox", "handle_time < now() - interval '35 days'"),
    ("idempotency", "create_time < now() - interval '24 hours'"),
    ("parked_event", "state IN ('resolved', 'skipped') AND first_time < now() - interval '35 days'"),
)


def keep_house(database: Database) -> None:
    """Delete what is too old, in chunks, and keep the days of the event log."""
    for table, condition in _FORGET:
        statement = sa.text(
            f"DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE {condition} LIMIT {CHUNK}))"
        )
        while True:
            with database.transaction() as work:
                if work.execute(statement).rowcount < CHUNK:
                    break
    keep_event_days(database, clock.now().date())
