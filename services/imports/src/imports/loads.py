"""The load of a confirmed run: batch by batch, each once, going on after any crash where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from chassis.database import Database
from chassis.jobs import Job
from imports.ahead import one_ahead
from imports.batches import Batch, read_batches
from imports.fates import ACTUAL, RowFate, count_fates, forget_fates, store_fates, store_refused
from imports.loading.context import LoadContext
from imports.loading.customers import build_organizations, build_persons
from imports.making import make_products
from imports.peers import PeerServices
from imports.refusals import tell_refusals
from imports.run_context import LOADERS, load_context
from imports.runs import Pace, change_run, mark_progress
from imports.settings import Settings
from imports.tables import run, run_row
from imports.under_way import UnderWay

# Of which kinds the calls are made while the batch before is being loaded.
BUILDERS: Mapping[str, Callable[[LoadContext, Batch], Any]] = {
    "persons": build_persons,
    "organizations": build_organizations,
}

# Of which kinds the owner prepares a batch while it writes the one before; it takes them in their order all the same.
AT_ONCE = {"persons": 2}


def load_run(database: Database, peers: PeerServices, settings: Settings, job: Job) -> None:
    """Load a run from the job's checkpoint on.

    A batch's fates and the checkpoint are stored in one transaction after the owning service has taken the batch and
    all batches before it; a batch sent twice has the same request id and is answered from what it did the first time.
    """
    run_id = job.payload["run"]
    make_products(database, peers, run_id)
    context = load_context(database, peers, run_id, dry_run=False)
    with database.transaction() as work:
        found = work.execute(sa.select(run).where(run.c.id == run_id)).one()
        total = work.execute(
            sa.select(sa.func.count()).where(run_row.c.run_id == run_id, run_row.c.reason == "")
        ).scalar_one()
        if "after" not in job.checkpoint:
            forget_fates(work, run_id, ACTUAL)
            store_refused(work, run_id, ACTUAL)
            job.save(work, after=0, done=0)
    load = LOADERS[found.kind]
    build = BUILDERS.get(found.kind)
    pace = Pace()

    def hand_over(batch: Batch) -> list[RowFate]:
        with peers.acting_for(found.user_id):
            return load(context, batch)[0]

    def keep(batch: Batch, fates: list[RowFate]) -> None:
        with database.transaction() as work:
            store_fates(work, run_id, ACTUAL, fates)
            done = job.checkpoint["done"] + batch.rows
            job.save(work, after=batch.last, done=done)
            mark_progress(work, run_id, done / max(total, 1), f"{done:,} of {total:,} rows loaded", pace.is_due())

    batches = read_batches(database, run_id, job.checkpoint["after"], settings.batch_rows)
    with UnderWay(hand_over, keep, AT_ONCE.get(found.kind, 1)) as under_way:
        for batch in one_ahead(replace(one, request=build(context, one)) if build else one for one in batches):
            under_way.give(batch)
    _end_load(database, job, run_id, found.unattended)


def _end_load(database: Database, job: Job, run_id: str, unattended: bool) -> None:
    with database.transaction() as work:
        counts = count_fates(work, run_id, ACTUAL)
        warnings = tell_refusals(work, run_id) if unattended else 0
        rows = work.execute(sa.select(run.c.rows_read).where(run.c.id == run_id)).scalar_one()
        if sum(counts.values()) != rows:
            raise AssertionError(f"run {run_id}: {rows} rows read, but {counts}")
        job.save(work)
        change_run(
            work,
            run_id,
            state="finished",
            actual=counts,
            warning_count=run.c.warning_count + warnings,
            progress=1.0,
            end_time=work.now,
            message=f"{rows:,} rows: " + ", ".join(f"{count:,} {fate}" for fate, count in counts.items()),
        )
