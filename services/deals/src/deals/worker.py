"""Door 2: the worker of deals. It takes over units from the directory and publishes what deals did."""

from __future__ import annotations

from chassis.bus.consumer import Consumer
from chassis.bus.worker import WorkerService
from chassis.database import Database
from deals.settings import Settings
from units.copying import UNIT_BINDING, UNIT_EVENTS, copy_units


def worker_service(settings: Settings) -> WorkerService:
    """The subscriptions of deals."""
    units = Consumer(name="deals", bindings=(UNIT_BINDING,), handlers=dict.fromkeys(UNIT_EVENTS, copy_units))
    return WorkerService(
        name="deals", database=Database(settings.database_url, "deals"), consumers=(units,), relay=True, timers=()
    )
