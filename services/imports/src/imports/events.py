"""Run rows to event messages."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from crm.imports.events.v1 import imports_events_pb2 as messages
from imports.tables import file

ROUTE_WORD = "run"


def add_run_event(work: UnitOfWork, run: sa.Row[Any], unit_path: str) -> None:
    """Tell where a run stands now, where others care: checked, finished, failed or cancelled."""
    kinds = {
        "waiting": messages.RunChecked,
        "finished": messages.RunFinished,
        "failed": messages.RunFailed,
        "cancelled": messages.RunFailed,
    }
    message = kinds.get(run.state)
    if message is not None:
        work.add_event(message(run=_run_state(work, run)), ROUTE_WORD, run.id, run.version, unit_path)


def add_progress_event(work: UnitOfWork, run: sa.Row[Any], unit_path: str) -> None:
    """Tell how far a run is that is still being checked or loaded."""
    message = messages.RunProgressed(run=_run_state(work, run), progress=run.progress)
    work.add_event(message, ROUTE_WORD, run.id, run.version, unit_path)


def _run_state(work: UnitOfWork, run: sa.Row[Any]) -> messages.RunState:
    counts = run.actual if run.state in ("finished", "failed", "cancelled", "undoing", "undone") else run.expected
    name = work.execute(sa.select(file.c.name).where(file.c.id == run.file_id)).scalar_one()
    state = messages.RunState(
        id=run.id,
        kind=run.kind,
        unit_id=run.unit_id,
        user_id=run.user_id,
        file_name=name,
        state="blocked" if run.state == "waiting" and run.blocked else run.state,
        first_date=_day(run.first_date),
        last_date=_day(run.last_date),
        rows_read=run.rows_read,
        created=counts.get("created", 0),
        updated=counts.get("updated", 0),
        unchanged=counts.get("unchanged", 0),
        merged=counts.get("merged", 0),
        refused=counts.get("refused", 0),
    )
    state.create_time.FromDatetime(run.create_time)
    if run.end_time:
        state.end_time.FromDatetime(run.end_time)
    return state


def _day(value: date | None) -> str:
    return value.isoformat() if value else ""
