"""The worker door of contacts: its events go out; the directory's units and the activities done elsewhere come in."""

from __future__ import annotations

from functools import partial

from chassis.bus.consumer import Consumer
from chassis.bus.service import Timer, WorkerService
from chassis.database import Database
from chassis.jobs import JobRunner
from contacts.done_activities import ACTIVITY_BINDING, log_done_activities
from contacts.import_changes import forget_imports
from contacts.searching_duplicates import JOB, fail_search, run_search, search_changed
from contacts.segments.keeping import keep_segments
from contacts.settings import SERVICE, Settings
from contacts.taking_over import take_over_customers
from crm.directory.events.v1 import directory_events_pb2 as directory
from crm.scheduling.events.v1 import scheduling_events_pb2 as scheduling
from units.copying import UNIT_BINDING, UNIT_COPIES, UNIT_EVENTS, copy_units

LOOK_SECONDS, CHANGED_SECONDS = 2.0, 3_600.0
SEGMENT_SECONDS = 5.0  # members follow within a minute
SEARCH_MS = 120_000  # one statement over the keys of a whole base


def worker_service(settings: Settings) -> WorkerService:
    """The table of subscriptions of contacts."""
    heard = Consumer(
        name=SERVICE,
        bindings=(UNIT_BINDING, ACTIVITY_BINDING),
        handlers={
            **dict.fromkeys(UNIT_EVENTS, copy_units),
            directory.UnitUserMoved: take_over_customers,
            scheduling.ActivityCompleted: log_done_activities,
        },
        copies=UNIT_COPIES,
    )
    database = Database(settings.database_url, SERVICE)
    return WorkerService(name=SERVICE, database=database, consumers=(heard,), relay=True, timers=_timers(settings))


def _timers(settings: Settings) -> tuple[Timer, ...]:
    """What takes long: searches for duplicates, jobs that another worker takes over should this one fall; segments."""
    database = Database(settings.database_url, SERVICE, statement_timeout_ms=SEARCH_MS, pool_size=2)
    runner = JobRunner(database, {JOB: partial(run_search, database)}, fail_search)

    def work_off() -> None:
        claimed = runner.claim()
        if claimed is not None:
            runner.work(claimed)

    return (
        Timer("duplicates", LOOK_SECONDS, work_off),
        Timer("changed_cards", CHANGED_SECONDS, lambda: search_changed(database)),
        Timer("old_imports", CHANGED_SECONDS, lambda: forget_imports(database, settings.undo_days)),
        Timer("segments", SEGMENT_SECONDS, lambda: keep_segments(database)),
    )
