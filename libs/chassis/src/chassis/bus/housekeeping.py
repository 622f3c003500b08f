"""What a worker does every hour for its service's database: forget what is old, keep the days of the event log."""

from __future__ import annotations

from dataclasses import dataclass

from chassis import clock
from chassis.bus.event_days import KEEP_DAYS, keep_event_days
from chassis.cleanup import forget_old
from chassis.database import Database
from chassis.settings import SettingsInvalid, load_settings


@dataclass(frozen=True)
class HousekeepingSettings:
    """`event_log_days`: how many days of events stay readable one by one; `CONTACTS_EVENT_LOG_DAYS` for one service."""

    event_log_days: int = KEEP_DAYS


def read_event_days(service: str) -> int:
    """How many days of events a service keeps. Errors: SettingsInvalid."""
    days = load_settings(HousekeepingSettings, f"{service.upper()}_").event_log_days
    if days < 1:
        raise SettingsInvalid(f"settings: EVENT_LOG_DAYS is {days}; 1 is the least")
    return days


def keep_house(database: Database, event_log_days: int = KEEP_DAYS) -> None:
    """Delete what is too old, in chunks, and keep the days of the event log."""
    forget_old(database, replay_days=event_log_days)
    keep_event_days(database, clock.now().date(), event_log_days)
