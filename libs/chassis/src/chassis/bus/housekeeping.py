"""What a worker does every hour for its service's database: forget what is old, keep the days of the event log."""

from __future__ import annotations

from chassis import clock
from chassis.bus.event_days import keep_event_days
from chassis.cleanup import forget_old
from chassis.database import Database


def keep_house(database: Database) -> None:
    """Delete what is too old, in chunks, and keep the days of the event log."""
    forget_old(database)
    keep_event_days(database, clock.now().date())
