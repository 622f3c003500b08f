"""The worker door of contacts: its events go out, and the directory's units come in."""

from __future__ import annotations

from chassis.bus.consumer import Consumer
from chassis.bus.worker import WorkerService
from chassis.database import Database
from contacts.settings import SERVICE, Settings
from units.copying import UNIT_BINDING, UNIT_EVENTS, copy_units


def worker_service(settings: Settings) -> WorkerService:
    """The table of subscriptions of contacts."""
    units = Consumer(name=SERVICE, bindings=(UNIT_BINDING,), handlers=dict.fromkeys(UNIT_EVENTS, copy_units))
    return WorkerService(
        name=SERVICE, database=Database(settings.database_url, SERVICE), consumers=(units,), relay=True, timers=()
    )
