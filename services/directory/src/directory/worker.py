"""The directory's worker door: its events go out, what has ended is forgotten, what was planned is done."""

from __future__ import annotations

from chassis.bus.service import Timer, WorkerService
from chassis.database import Database
from directory.passkeys import forget_challenges
from directory.reorganizing import carry_out_planned
from directory.settings import Settings
from directory.signing_in import forget_ended

MINUTE, HOUR = 60.0, 3600.0
BROKER_SECONDS = 15.0  # so that a leaver's broker user ends well within a minute


def worker_service(settings: Settings) -> WorkerService:
    """The directory's table of subscriptions (none) and timers."""
    database = Database(settings.database_url, "directory")
    timers: tuple[Timer, ...] = (
        Timer("forget_ended", HOUR, lambda: forget_ended(database)),
        Timer("forget_challenges", HOUR, lambda: forget_challenges(database)),
        Timer("carry_out_planned", MINUTE, lambda: carry_out_planned(database)),
    )
    if settings.broker_management_url:
        timers += (Timer("end_broker_users", BROKER_SECONDS, lambda: _end_broker_users(settings, database)),)
    return WorkerService(name="directory", database=database, consumers=(), relay=True, timers=timers)


def _end_broker_users(settings: Settings, database: Database) -> None:
    from directory.broker_users import end_users_of_closed_accounts

    end_users_of_closed_accounts(database, settings.broker_management_url)
