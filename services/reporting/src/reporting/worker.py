"""Reporting's second door: events in. It says nothing itself, so it has no relay."""

from __future__ import annotations

from chassis.bus.consumer import Consumer
from chassis.bus.service import WorkerService
from chassis.database import Database
from reporting.rebuilding import READ_MODEL_COPIES
from reporting.settings import CONSUMER, SERVICE, Settings
from reporting.subscriptions import BINDINGS, FORMER_BINDINGS, HANDLERS


def worker_service(settings: Settings) -> WorkerService:
    """The consumer of every service's facts."""
    consumer = Consumer(
        name=CONSUMER,
        bindings=BINDINGS,
        handlers=HANDLERS,
        copies=READ_MODEL_COPIES,
        former=FORMER_BINDINGS,
        from_cells=frozenset(HANDLERS),  # reports are where cells are added up
    )
    return WorkerService(
        name=SERVICE,
        database=Database(settings.database_url, SERVICE, statement_timeout_ms=settings.statement_timeout_ms),
        consumers=(consumer,),
        relay=False,
    )
