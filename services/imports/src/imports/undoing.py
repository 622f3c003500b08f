"""A run is undone: set by set, each once, going on after any crash where it stopped; what stays is listed.

Who owns the records decides what becomes of each; here it is only known which records the rows became.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from chassis.database import Database, UnitOfWork
from chassis.errors import DomainError
from chassis.jobs import Job, add_job
from crm.contacts.v1 import contacts_pb2 as contacts
from imports.errors import RunNotUndoable
from imports.fates import ACTUAL
from imports.kinds import RECORD_TYPES
from imports.peers import PeerServices
from imports.runs import Pace, change_run, get_own_run, mark_progress
from imports.tables import run, run_fate, run_undo

UNDO_JOB = "undo"
MOST_RECORDS = 500  # a set, as contacts takes it
CHANGING = ("created", "updated", "merged")  # fates of rows that may have changed a record
COUNTED = ("removed", "restored")
Json = dict[str, Any]


def ask_undo(work: UnitOfWork, run_id: str, dry_run: bool) -> sa.Row[Any]:
    """Have a finished run undone, or told what that would do. Errors: RunNotFound, RunNotUndoable, NotPermitted."""
    found = get_own_run(work, run_id)
    if found.kind not in RECORD_TYPES:
        kinds = " and ".join(RECORD_TYPES)
        raise RunNotUndoable(f"a run of {found.kind} cannot be undone; only those of {kinds} can", metadata=_of(found))
    if found.state == "undone":
        raise RunNotUndoable("the run was undone already; import the file again to have it back", metadata=_of(found))
    if found.state != "finished":
        raise RunNotUndoable(f"the run is {found.state}; only a finished one can be undone", metadata=_of(found))
    if found.undo and not found.undo["done"] and not found.undo["message"]:
        raise RunNotUndoable("the records of the run are being counted; wait for the end", metadata=_of(found))
    undo = {
        "dry_run": dry_run, "done": False, "removed": 0, "restored": 0, "kept": 0, "message": "",
        "user_id": work.access.user_id, "create_time": work.now.isoformat(),
    }  # fmt: skip
    job_id = add_job(work, UNDO_JOB, {"run": run_id, "undo": True})
    if dry_run:
        return change_run(work, run_id, undo=undo, job_id=job_id)
    return change_run(
        work, run_id, undo=undo, job_id=job_id, state="undoing", progress=0.0, message="waits to be undone"
    )


def undo_run(database: Database, peers: PeerServices, job: Job) -> None:
    """Undo a run from the job's checkpoint on.

    What became of a set and the checkpoint are stored in one transaction after contacts has taken the set back; a set
    sent twice has the same request id and is answered from what was done the first time.
    """
    run_id = job.payload["run"]
    with database.transaction() as work:
        found = work.execute(sa.select(run).where(run.c.id == run_id)).one()
        if "total" not in job.checkpoint:
            total = _list_records(work, found)
            job.save(work, after=0, total=total, mentioned="", **dict.fromkeys(COUNTED, 0))
    user_id, dry_run, pace = found.undo["user_id"], found.undo["dry_run"], Pace()
    while job.checkpoint["mentioned"] is not None:
        with peers.acting_for(user_id):
            _list_mentioned(database, peers, job)
    while rows := _next_records(database, run_id, job.checkpoint["after"]):
        with peers.acting_for(user_id):
            used = peers.find_used(rows[0].record_type, [row.record_id for row in rows if row.made])
            request = contacts.UndoImportRequest(
                request_id=f"{job.id}-{rows[0].number}", run_id=run_id, record_type=rows[0].record_type,
                record_ids=[row.record_id for row in rows], used_ids=used, dry_run=dry_run,
            )  # fmt: skip
            answer = peers.undo(request)
        _keep(database, job, pace, answer, rows[-1].number)
    _end_undo(database, job, dry_run)


def fail_undo(work: UnitOfWork, run_id: str, trouble: DomainError) -> None:
    """Record that an undoing could not go on; asking again goes on with what is left."""
    undo = work.execute(sa.select(run.c.undo).where(run.c.id == run_id)).scalar_one()
    values: Json = {"undo": {**undo, "message": trouble.message}}
    if not undo["dry_run"]:
        values |= {"state": "finished", "message": f"could not be undone: {trouble.message}"}
    change_run(work, run_id, **values)


def _of(found: sa.Row[Any]) -> dict[str, str]:
    return {"state": found.state, "kind": found.kind}


def _list_records(work: UnitOfWork, found: sa.Row[Any]) -> int:
    """List the records that the run's rows became, each once, the last rows first; answers how many."""
    work.execute(sa.delete(run_undo).where(run_undo.c.run_id == found.id))
    c = run_fate.c
    changed = sa.and_(c.run_id == found.id, c.phase == ACTUAL, c.fate.in_(CHANGING), c.record_id != "")
    last = sa.func.max(c.place)
    listed = (
        sa.select(
            sa.literal(found.id, run.c.id.type),
            sa.func.row_number().over(order_by=last.desc()),
            c.record_id,
            sa.literal(RECORD_TYPES[found.kind]),
            sa.func.bool_or(c.fate == "created"),
        )
        .where(changed)
        .group_by(c.record_id)
    )
    names = ["run_id", "number", "record_id", "record_type", "made"]
    return work.execute(sa.insert(run_undo).from_select(names, listed)).rowcount


def _list_mentioned(database: Database, peers: PeerServices, job: Job) -> None:
    """List a page of the organizations that rows only mentioned: they go last, when their members are gone."""
    run_id, total = job.payload["run"], job.checkpoint["total"]
    asked = contacts.UndoImportRequest(
        run_id=run_id, record_type="organization", after_id=job.checkpoint["mentioned"], dry_run=True
    )
    page = peers.undo(asked)
    rows = [
        {"run_id": run_id, "number": number, "record_id": one, "record_type": "organization", "made": True}
        for number, one in enumerate(page.asked_ids, start=total + 1)
    ]
    with database.transaction() as work:
        if rows:
            work.execute(sa.insert(run_undo), rows)
        job.save(work, total=total + len(rows), mentioned=page.next_after_id or None)


def _next_records(database: Database, run_id: str, after: int) -> list[Any]:
    """The next set, of one record type."""
    c = run_undo.c
    with database.transaction() as work:
        left = sa.select(run_undo).where(c.run_id == run_id, c.number > after)
        rows = work.execute(left.order_by(c.number).limit(MOST_RECORDS)).all()
    return [row for row in rows if row.record_type == rows[0].record_type]


def _keep(database: Database, job: Job, pace: Pace, answer: contacts.UndoImportResponse, after: int) -> None:
    """Store what became of a set, with the checkpoint."""
    run_id, total = job.payload["run"], job.checkpoint["total"]
    with database.transaction() as work:
        found = work.execute(sa.select(run).where(run.c.id == run_id).with_for_update()).one()
        counts = {name: job.checkpoint[name] + getattr(answer, name) for name in COUNTED}
        job.save(work, after=after, **counts)
        _note_kept(work, run_id, answer.kept)
        counts["kept"] = found.undo["kept"] + len(answer.kept)
        work.execute(sa.update(run).where(run.c.id == run_id).values(undo={**found.undo, **counts}))
        if not found.undo["dry_run"]:
            mark_progress(work, run_id, after / max(total, 1), f"{after:,} of {total:,} records", pace.is_due())


def _note_kept(work: UnitOfWork, run_id: str, kept: Sequence[contacts.KeptRecord]) -> None:
    names = ("display_name", "reason", "fields")
    values = {name: sa.bindparam(f"new_{name}", type_=run_undo.c[name].type) for name in names}
    same = sa.and_(run_undo.c.run_id == run_id, run_undo.c.record_id == sa.bindparam("record"))
    if kept:
        work.execute(
            sa.update(run_undo).where(same).values(values),
            [
                {"record": one.record_id, "new_display_name": one.display_name, "new_reason": one.reason,
                 "new_fields": list(one.fields)}
                for one in kept
            ],
        )  # fmt: skip


def _end_undo(database: Database, job: Job, dry_run: bool) -> None:
    run_id = job.payload["run"]
    with database.transaction() as work:
        found = work.execute(sa.select(run).where(run.c.id == run_id).with_for_update()).one()
        job.save(work)
        work.execute(sa.delete(run_undo).where(run_undo.c.run_id == run_id, run_undo.c.reason == ""))
        undo = {**found.undo, "done": True}
        if dry_run:
            change_run(work, run_id, undo=undo)
            mark_progress(work, run_id, found.progress, found.message, told=True)
            return
        counts = ", ".join(f"{undo[name]:,} {name}" for name in (*COUNTED, "kept"))
        change_run(work, run_id, undo=undo, state="undone")
        mark_progress(work, run_id, 1.0, counts, told=True)
