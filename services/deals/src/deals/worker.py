"""Door 2: the worker of deals. It copies units, notes contacts' customers and publishes what deals did."""

from __future__ import annotations

from chassis.bus.consumer import Consumer
from chassis.bus.service import WorkerService
from chassis.copies import copies_in_place
from chassis.database import Database
from deals.customers import CONSUMER, CUSTOMER_BINDINGS, HANDLERS
from deals.settings import Settings
from deals.tables import customer
from units.copying import UNIT_BINDING, UNIT_EVENTS, copy_units
from units.tables import unit


def worker_service(settings: Settings) -> WorkerService:
    """The subscriptions of deals."""
    news = Consumer(
        name=CONSUMER,
        bindings=(UNIT_BINDING, *CUSTOMER_BINDINGS),
        handlers={**dict.fromkeys(UNIT_EVENTS, copy_units), **HANDLERS},
        copies=copies_in_place(unit, customer),
    )
    return WorkerService(
        name="deals", database=Database(settings.database_url, "deals"), consumers=(news,), relay=True, timers=()
    )
