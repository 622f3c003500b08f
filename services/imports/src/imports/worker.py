"""Door 2 of imports: the bus. Listens to units, says what became of runs."""

from __future__ import annotations

from chassis.bus.consumer import Consumer
from chassis.bus.service import Timer, WorkerService
from chassis.database import Database
from imports.exporting.storing import forget_expired
from imports.settings import SERVICE, Settings
from units.copying import UNIT_BINDING, UNIT_COPIES, UNIT_EVENTS, copy_units

FORGET_SECONDS = 600.0


def worker_service(settings: Settings) -> WorkerService:
    """What the worker process hosts for this service."""
    database = Database(settings.database_url, SERVICE, statement_timeout_ms=60_000)
    handlers = dict.fromkeys(UNIT_EVENTS, copy_units)
    consumer = Consumer(name=SERVICE, bindings=(UNIT_BINDING,), handlers=handlers, copies=UNIT_COPIES)
    forgetting = Timer("exports", FORGET_SECONDS, lambda: _forget_exports(database))
    return WorkerService(name=SERVICE, database=database, consumers=(consumer,), timers=(forgetting,))


def _forget_exports(database: Database) -> None:
    with database.transaction() as work:
        forget_expired(work)
