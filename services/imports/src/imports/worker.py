"""Door 2 of imports: the bus. Listens to units, says what became of runs."""

from __future__ import annotations

from chassis.bus.consumer import Consumer
from chassis.bus.worker import WorkerService
from chassis.database import Database
from imports.settings import SERVICE, Settings
from units.copying import UNIT_BINDING, UNIT_EVENTS, copy_units


def worker_service(settings: Settings) -> WorkerService:
    """What the worker process hosts for this service."""
    database = Database(settings.database_url, SERVICE, statement_timeout_ms=60_000)
    consumer = Consumer(name=SERVICE, bindings=(UNIT_BINDING,), handlers=dict.fromkeys(UNIT_EVENTS, copy_units))
    return WorkerService(name=SERVICE, database=database, consumers=(consumer,))
