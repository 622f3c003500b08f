"""Door 2: the worker of scheduling. It copies what others own, tells what is due, and publishes what was done."""

from __future__ import annotations

from chassis.bus.consumer import Consumer
from chassis.bus.service import Timer, WorkerService
from chassis.database import Database
from scheduling.copying import BINDINGS, COPIES, HANDLERS
from scheduling.customer_news import tell_customer_news
from scheduling.reminding import remind_due
from scheduling.settings import SERVICE, Settings


def worker_service(settings: Settings) -> WorkerService:
    """The subscriptions and the timer of scheduling."""
    database = Database(settings.database_url, SERVICE)
    return WorkerService(
        name=SERVICE,
        database=database,
        consumers=(Consumer(name=SERVICE, bindings=BINDINGS, handlers=HANDLERS, copies=COPIES),),
        relay=True,
        timers=(
            Timer("reminders", settings.reminder_seconds, lambda: _remind(database)),
            Timer("customer_news", settings.reminder_seconds, lambda: _tell_news(database)),
        ),
    )


def _tell_news(database: Database) -> None:
    tell_customer_news(database)


def _remind(database: Database) -> None:
    remind_due(database)
