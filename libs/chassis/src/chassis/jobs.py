"""Long work: jobs of a service's own database, leased, resumable from checkpoints, safe against kill -9."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from chassis import telemetry
from chassis.backing_off import longest_wait
from chassis.database import Database, UnitOfWork
from chassis.errors import DomainError, Kind
from chassis.ids import new_id
from chassis.prepared import Prepared
from chassis.schema import job

log = logging.getLogger(__name__)
LEASE = timedelta(seconds=20)
RENEW_SECONDS = 5.0
POLL_SECONDS = 0.2
# Asked before a job is claimed: five times a second there is none.
_ANY_DUE = Prepared(
    sa.text("""
SELECT EXISTS (
  SELECT FROM job WHERE kind = ANY(CAST(:kinds AS text[])) AND run_time <= clock_timestamp()
    AND (state = 'waiting' OR state = 'running' AND lease_end < clock_timestamp())) AS is_due""")
)
MAX_TRIES = 8  # a job that falls eight times without moving its checkpoint is failed and shown


class LeaseLost(Exception):
    """Another process has taken the job over; stop at once."""


class JobCancelled(Exception):
    """A user ended the job; stop at the next checkpoint."""


class JobInterrupted(Exception):
    """This process is to end; another one goes on from the last checkpoint."""


class JobFellOver(DomainError):
    """Whoever ran the job fell, again and again; the trace id leads to the log."""

    reason = "INTERNAL"


def add_job(work: UnitOfWork, kind: str, payload: Mapping[str, Any]) -> str:
    """Add a job in the caller's transaction; it runs once that commits. Returns its id."""
    found = new_id()
    origin = telemetry.current_trace()
    work.execute(sa.insert(job).values(id=found, kind=kind, payload={**payload, "trace": origin}))
    return found


def cancel_job(work: UnitOfWork, job_id: str) -> None:
    """End a job that waits or runs; one that runs notices at its next checkpoint."""
    open_states = ("waiting", "running")
    work.execute(sa.update(job).where(job.c.id == job_id, job.c.state.in_(open_states)).values(state="cancelled"))


@dataclass
class Job:
    """A claimed job. `checkpoint` is what the last `save` stored; a repeated run goes on from there."""

    id: str
    kind: str
    payload: dict[str, Any]
    checkpoint: dict[str, Any]
    tries: int
    holder: str
    stopping: threading.Event = field(default_factory=threading.Event)

    def save(self, work: UnitOfWork, **checkpoint: Any) -> None:
        """Store progress in the caller's transaction, so that progress and effect are one.

        Errors: LeaseLost, JobCancelled, JobInterrupted; let them pass, so that the transaction changes nothing.
        """
        if self.stopping.is_set():
            raise JobInterrupted(self.id)
        self.checkpoint.update(checkpoint)
        tries = 0 if checkpoint else self.tries  # only progress forgives earlier falls
        done = work.execute(
            sa.update(job)
            .where(job.c.id == self.id, job.c.lease_holder == self.holder, job.c.state == "running")
            .values(checkpoint=self.checkpoint, lease_end=sa.func.clock_timestamp() + LEASE, tries=tries)
        )
        if done.rowcount == 0:
            state = work.execute(sa.select(job.c.state).where(job.c.id == self.id)).scalar()
            raise JobCancelled(self.id) if state == "cancelled" else LeaseLost(self.id)
        self.tries = tries


JobHandler = Callable[[Job], None]
JobFailed = Callable[[UnitOfWork, dict[str, Any], DomainError], None]


class JobRunner:
    """Claims jobs of its kinds one after another and runs their handlers until `stop`.

    `failed` is called in one transaction with the job's end when a handler raises a DomainError that trying again
    cannot mend, or when it fell MAX_TRIES times without a new checkpoint, its process killed included.
    """

    def __init__(self, database: Database, handlers: Mapping[str, JobHandler], failed: JobFailed) -> None:
        self.database, self.handlers, self.failed = database, dict(handlers), failed
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{new_id()}"
        self.stopping = threading.Event()

    def run(self) -> None:
        """Work until `stop` is called. A lost database is waited for."""
        while not self.stopping.is_set():
            try:
                claimed = self.claim()
            except sa.exc.SQLAlchemyError:
                log.warning("jobs: database not available")
                self.stopping.wait(1.0)
                continue
            if claimed is None:
                self.stopping.wait(POLL_SECONDS)
            else:
                self.work(claimed)

    def stop(self) -> None:
        """Give the present job back at its next checkpoint, and end `run`."""
        self.stopping.set()

    def claim(self) -> Job | None:
        """Take the oldest due job, one whose holder's lease has ended included."""
        with self.database.reading() as work:
            if not work.fetch(_ANY_DUE, {"kinds": list(self.handlers)})[0].is_due:
                return None
        now = sa.func.clock_timestamp()
        due = sa.and_(
            job.c.kind.in_(self.handlers),
            job.c.run_time <= now,
            sa.or_(job.c.state == "waiting", sa.and_(job.c.state == "running", job.c.lease_end < now)),
        )
        oldest = sa.select(job.c.id).where(due).order_by(job.c.run_time).limit(1).with_for_update(skip_locked=True)
        with self.database.transaction() as work:
            row = work.execute(
                sa.update(job)
                .where(job.c.id == oldest.scalar_subquery())
                .values(state="running", lease_holder=self.holder, lease_end=now + LEASE, tries=job.c.tries + 1)
                .returning(job.c.id, job.c.kind, job.c.payload, job.c.checkpoint, job.c.tries)
            ).one_or_none()
        return (
            Job(row.id, row.kind, row.payload, row.checkpoint, row.tries, self.holder, self.stopping) if row else None
        )

    def work(self, claimed: Job) -> None:
        """Run one claimed job to its end, its next try, or its failure."""
        with self._lease_kept(claimed):
            try:
                self._attempt(claimed)
            except Exception as trouble:  # one of the three places: no job may end the process that runs the others
                self._fall(claimed, trouble)

    def _attempt(self, claimed: Job) -> None:
        if claimed.tries > MAX_TRIES:
            fallen = JobFellOver("something went wrong on our side; it has been recorded")
            self._finish(claimed, "failed", error=fallen)
            return
        try:
            with telemetry.span(f"job {claimed.kind}", claimed.payload.get("trace")):
                self.handlers[claimed.kind](claimed)
        except (LeaseLost, JobCancelled):
            log.info("job given up", extra={"job": claimed.id})
        except JobInterrupted:
            log.info("job given back", extra={"job": claimed.id})
            self._finish(claimed, "waiting", tries=sa.func.greatest(job.c.tries - 1, 0))
        except DomainError as trouble:
            self._settle(claimed, trouble)
        else:
            self._finish(claimed, "done")

    def _settle(self, claimed: Job, trouble: DomainError) -> None:
        passing = trouble.kind in (Kind.UNAVAILABLE, Kind.DEADLINE, Kind.CONFLICT, Kind.EXHAUSTED)
        if passing and claimed.tries < MAX_TRIES:
            log.info("job waits", extra={"job": claimed.id, "reason": trouble.reason, "tries": claimed.tries})
            self._finish(claimed, "waiting", delay=_pause_after(claimed.tries))
            return
        self._finish(claimed, "failed", error=trouble)

    def _fall(self, claimed: Job, trouble: Exception) -> None:
        """Have the job tried again later; without a database its lease ends by itself."""
        log.error("job fell", extra={"job": claimed.id, "tries": claimed.tries}, exc_info=trouble)
        try:
            self._finish(claimed, "waiting", delay=_pause_after(claimed.tries))
        except sa.exc.SQLAlchemyError:
            log.warning("jobs: database not available", extra={"job": claimed.id})
            self.stopping.wait(1.0)

    def _finish(
        self,
        claimed: Job,
        state: str,
        delay: float = 0.0,
        error: DomainError | None = None,
        tries: sa.ColumnElement[int] = job.c.tries,
    ) -> None:
        with self.database.transaction() as work:
            ours = work.execute(
                sa.update(job)
                .where(job.c.id == claimed.id, job.c.lease_holder == self.holder, job.c.state == "running")
                .values(
                    state=state,
                    tries=tries,
                    lease_holder=None,
                    run_time=sa.func.clock_timestamp() + timedelta(seconds=delay),
                    error=error.message if error else None,
                )
            )
            if error and ours.rowcount:
                self.failed(work, claimed.payload, error)

    @contextmanager
    def _lease_kept(self, claimed: Job) -> Iterator[None]:
        ended = threading.Event()
        keeper = threading.Thread(target=self._keep_lease, args=(claimed, ended), daemon=True)
        keeper.start()
        try:
            yield
        finally:
            ended.set()
            keeper.join(timeout=RENEW_SECONDS)

    def _keep_lease(self, claimed: Job, ended: threading.Event) -> None:
        while not ended.wait(RENEW_SECONDS):
            try:
                with self.database.transaction() as work:
                    work.execute(
                        sa.update(job)
                        .where(job.c.id == claimed.id, job.c.lease_holder == self.holder, job.c.state == "running")
                        .values(lease_end=sa.func.clock_timestamp() + LEASE)
                    )
            except sa.exc.SQLAlchemyError:
                log.warning("lease not renewed", extra={"job": claimed.id})


def _pause_after(tries: int) -> float:
    """Seconds before the next try: 0.5 doubled each time, at most 30."""
    return longest_wait(tries, 0.5, 30.0)
