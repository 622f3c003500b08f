"""Door 2: the worker of deals. It copies units, notes contacts' customers and publishes what deals did."""

from __future__ import annotations

from chassis.bus.consumer import Consumer
from chassis.bus.service import WorkerService
from chassis.copies import copies_in_place
from chassis.database import Database
from crm.directory.events.v1 import directory_events_pb2 as directory
from deals.customers import CONSUMER, CUSTOMER_BINDINGS, HANDLERS
from deals.merged_customers import HANDLERS as MERGE_HANDLERS
from deals.merged_customers import MERGE_BINDINGS
from deals.settings import Settings
from deals.tables import customer
from deals.taking_over import take_over_deals
from units.copying import UNIT_BINDING, UNIT_EVENTS, copy_units
from units.tables import unit


def worker_service(settings: Settings) -> WorkerService:
    """The subscriptions of deals."""
    news = Consumer(
        name=CONSUMER,
        bindings=(UNIT_BINDING, *CUSTOMER_BINDINGS, *MERGE_BINDINGS),
        handlers={
            **dict.fromkeys(UNIT_EVENTS, copy_units),
            directory.UnitUserMoved: take_over_deals,
            **HANDLERS,
            **MERGE_HANDLERS,
        },
        copies=copies_in_place(unit, customer),
        from_cells=frozenset(UNIT_EVENTS),  # headquarters plans for units of branches that are cells
        divisible=False,  # customers.py takes an id that is not there, and older than the mark, for one that never was
    )
    return WorkerService(
        name="deals", database=Database(settings.database_url, "deals"), consumers=(news,), relay=True, timers=()
    )
