"""Door 3 of imports: long work. Claims checks and loads and runs them to their end."""

from __future__ import annotations

from functools import partial
from typing import Any

from chassis.database import Database, UnitOfWork
from chassis.errors import DomainError, Kind
from chassis.jobs import Job, JobHandler, JobRunner
from imports.checking import check_run
from imports.exporting.requests import EXPORT_JOB
from imports.exporting.running import run_export
from imports.exporting.storing import fail_export
from imports.loads import load_run
from imports.peers import PeerServices
from imports.reading.limits import UnreadableFile
from imports.runs import CHECK_JOB, LOAD_JOB, fail_run
from imports.settings import SERVICE, Settings
from imports.undoing import UNDO_JOB, fail_undo, undo_run
from units.visibility import UnitNotKnown

WORK_TIMEOUT_MS = 120_000  # set statements over a whole run of millions of rows


class FileUnreadable(DomainError):
    """The file cannot be read; the message says why and what can be done."""

    kind = Kind.INVALID
    reason = "FILE_UNREADABLE"


class UnitOnItsWay(DomainError):
    """A unit known here is not known yet to the owner of what is imported; the job is tried again."""

    kind = Kind.UNAVAILABLE
    reason = UnitNotKnown.reason


def job_runner(settings: Settings) -> JobRunner:
    """The runner of this service's jobs."""
    database = Database(settings.database_url, SERVICE, statement_timeout_ms=WORK_TIMEOUT_MS, lock_timeout_ms=10_000)
    peers = PeerServices(settings)
    handlers = {
        CHECK_JOB: partial(wait_for_unit, partial(_check, database, peers, settings)),
        LOAD_JOB: partial(wait_for_unit, partial(load_run, database, peers, settings)),
        UNDO_JOB: partial(wait_for_unit, partial(undo_run, database, peers)),
        EXPORT_JOB: partial(run_export, database, peers, settings),
    }
    return JobRunner(database, handlers, _failed)


def wait_for_unit(work: JobHandler, job: Job) -> None:
    """Do a run's work; a run begins only in a unit known here, so that news of it is on its way to the others too.

    Errors: UnitOnItsWay, which a JobRunner tries again; what `work` raises.
    """
    try:
        work(job)
    except DomainError as trouble:
        if trouble.reason != UnitNotKnown.reason:
            raise
        raise UnitOnItsWay(trouble.message, metadata=trouble.metadata) from trouble


def _check(database: Database, peers: PeerServices, settings: Settings, job: Job) -> None:
    try:
        check_run(database, peers, settings, job)
    except UnreadableFile as trouble:
        raise FileUnreadable(f"{trouble.message}; {trouble.way_out}", metadata={"reason": trouble.reason}) from None


def _failed(work: UnitOfWork, payload: dict[str, Any], trouble: DomainError) -> None:
    if "undo" in payload:
        fail_undo(work, payload["run"], trouble)
    elif "export" in payload:
        fail_export(work, payload["export"], trouble.message)
    else:
        fail_run(work, payload["run"], trouble)
