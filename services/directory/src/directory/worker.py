"""The directory's worker door: its events go out, and what ended is forgotten."""

from __future__ import annotations

from chassis.bus.service import Timer, WorkerService
from chassis.database import Database
from directory.settings import Settings
from directory.signing_in import forget_ended

HOUR = 3600.0


def worker_service(settings: Settings) -> WorkerService:
    """The directory's table of subscriptions (none) and timers."""
    database = Database(settings.database_url, "directory")
    timer = Timer("forget_ended", HOUR, lambda: forget_ended(database))
    return WorkerService(name="directory", database=database, consumers=(), relay=True, timers=(timer,))
