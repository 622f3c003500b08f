"""The worker door of contacts: its events go out; the directory's units and the activities done elsewhere come in."""

from __future__ import annotations

from chassis.bus.consumer import Consumer
from chassis.bus.service import WorkerService
from chassis.database import Database
from contacts.done_activities import ACTIVITY_BINDING, log_done_activities
from contacts.settings import SERVICE, Settings
from crm.scheduling.events.v1 import scheduling_events_pb2 as scheduling
from units.copying import UNIT_BINDING, UNIT_COPIES, UNIT_EVENTS, copy_units


def worker_service(settings: Settings) -> WorkerService:
    """The table of subscriptions of contacts."""
    heard = Consumer(
        name=SERVICE,
        bindings=(UNIT_BINDING, ACTIVITY_BINDING),
        handlers={**dict.fromkeys(UNIT_EVENTS, copy_units), scheduling.ActivityCompleted: log_done_activities},
        copies=UNIT_COPIES,
    )
    return WorkerService(
        name=SERVICE, database=Database(settings.database_url, SERVICE), consumers=(heard,), relay=True, timers=()
    )
