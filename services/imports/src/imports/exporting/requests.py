"""An export's life: asked for, decided by a second person where it is large, ended, forgotten. Reads no list itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from chassis import paging
from chassis.access import EXPORT, missing_grant
from chassis.audit.entries import ACT, write_entry
from chassis.database import UnitOfWork
from chassis.errors import FieldInvalid, FieldViolation
from chassis.ids import is_id, new_id
from chassis.jobs import add_job, cancel_job
from imports.errors import ExportEnded, ExportNotAsked, ExportNotFound
from imports.exporting.asking import check_question
from imports.exporting.budget import rows_agreed
from imports.exporting.storing import (
    ASKED,
    CANCELLED,
    DECLINED,
    ENDED,
    QUEUED,
    Row,
    change_export,
    forget_content,
)
from imports.tables import export
from units.records import KINDS
from units.visibility import visible

EXPORT_JOB = "export"
FORMATS = ("xlsx", "csv", "json")
CARDS = "vcf"
WITH_CARDS = ("persons", "organizations")  # what an address book holds
MOST_TEXT = 300


def create_export(
    work: UnitOfWork,
    *,
    list_name: str,
    format_: str,
    columns: Sequence[str],
    filters: Mapping[str, str],
    reason: str,
    budget: int,
) -> Row:
    """Ask for a list or a report as a file; a job goes to work on it. Errors: FieldInvalid, NotPermitted."""
    found = check_question(list_name, columns, filters)
    records = found.records if found else ""
    if not (work.access.grants_for(EXPORT, records) if found else work.access.allows_somewhere(EXPORT)):
        raise missing_grant(EXPORT, records, "")
    formats = (*FORMATS, CARDS) if list_name in WITH_CARDS else FORMATS
    if (format_ or FORMATS[0]) not in formats:
        raise FieldInvalid(FieldViolation("format", f"is {format_[:20]!r}; use {', '.join(formats)}"))
    values: dict[str, Any] = {
        "id": new_id(),
        "list": list_name,
        "records": records,
        "format": format_ or FORMATS[0],
        "columns": list(columns),
        "filters": {name: text for name, text in filters.items() if text},
        "reason": read_text("reason", reason),
        "state": QUEUED,
        "message": "waits to be read",
        "budget_rows": budget,
        "user_id": work.access.user_id,
        "user_name": work.access.user_name,
        "unit_id": work.access.unit_id if is_id(work.access.unit_id) else None,
        "unit_path": work.access.unit_path,
        "create_time": work.now,
    }
    values["job_id"] = add_job(work, EXPORT_JOB, {"export": values["id"]})
    note(work, "CreateExport", values["id"], f"{list_name} {values['format']}")
    return work.execute(sa.insert(export).values(values).returning(export)).one()


def get_export(work: UnitOfWork, export_id: str, lock: bool = False) -> Row:
    """One's own export, or one that the caller may decide or has decided. Errors: ExportNotFound."""
    return _one(work, export_id, may_see(work), lock)


def list_exports(work: UnitOfWork, size: int, token: str, to_decide: bool) -> tuple[list[Row], str]:
    """The page of exports that the caller may see, youngest first. Errors: PageTokenInvalid, FieldInvalid."""
    size = paging.page_size(size, 50, 200)
    question = f"exports {to_decide}"
    after = paging.read_token(question, token)
    asked = sa.select(export).where(may_see(work)).order_by(export.c.id.desc()).limit(size + 1)
    if to_decide:
        asked = asked.where(export.c.state == ASKED, may_decide(work))
    if after is not None:
        asked = asked.where(export.c.id < str(after[0]))
    rows = list(work.execute(asked))
    return rows[:size], paging.make_token(question, [rows[size - 1].id]) if len(rows) > size else ""


def may_decide(work: UnitOfWork) -> sa.ColumnElement[bool]:
    """Predicate: exports of others, from whose unit the caller may export the same kind of records."""
    kinds = [
        sa.and_(export.c.records == kind, visible(work.access, kind, export.c.unit_id, action=EXPORT)) for kind in KINDS
    ]
    every = sa.and_(export.c.records == "", visible(work.access, "", export.c.unit_id, action=EXPORT))
    return sa.and_(export.c.user_id != work.access.user_id, sa.or_(every, *kinds))


def may_see(work: UnitOfWork) -> sa.ColumnElement[bool]:
    """The one filter of exports: the caller's own, and those a second person was or is asked about."""
    asked = sa.or_(export.c.state == ASKED, export.c.decider_id != "")
    return sa.or_(export.c.user_id == work.access.user_id, sa.and_(asked, may_decide(work)))


def decide_export(work: UnitOfWork, export_id: str, approve: bool, answer: str) -> Row:
    """Let an export of more rows than its budget go on, or not.

    Errors: ExportNotFound, ExportNotAsked, FieldInvalid.
    """
    said = read_text("answer", answer)
    found = _one(work, export_id, sa.and_(may_see(work), may_decide(work)), lock=True)
    if found.state != ASKED:
        raise ExportNotAsked(f"the export is {found.state}; nobody is asked about it", metadata={"state": found.state})
    values: dict[str, Any] = {
        "decider_id": work.access.user_id,
        "decider_name": work.access.user_name,
        "decide_time": work.now,
        "answer": said,
    }
    if approve:
        job_id = add_job(work, EXPORT_JOB, {"export": export_id})
        values |= {"state": QUEUED, "job_id": job_id, "allowed_rows": rows_agreed(found.row_count)}
        values |= {"message": "waits to be read"}
    else:
        values |= {"state": DECLINED, "end_time": work.now, "message": "the second person did not agree"}
    note(work, "DecideExport", export_id, "approved" if approve else "declined")
    return change_export(work, export_id, **values)


def cancel_export(work: UnitOfWork, export_id: str) -> Row:
    """End one's own export; its file is deleted. Errors: ExportNotFound, ExportEnded."""
    found = get_own(work, export_id, lock=True)
    if found.state in ENDED:
        raise ExportEnded(f"the export is {found.state} already")
    if found.job_id:
        cancel_job(work, found.job_id)
    forget_content(work, export_id)
    note(work, "CancelExport", export_id, "")
    return change_export(work, export_id, state=CANCELLED, end_time=work.now, message="ended by its owner")


def get_own(work: UnitOfWork, export_id: str, lock: bool = False) -> Row:
    """An export of the caller's own. Errors: ExportNotFound."""
    return _one(work, export_id, export.c.user_id == work.access.user_id, lock)


def note(work: UnitOfWork, method: str, export_id: str, reason: str) -> None:
    """Write into the trail what the caller does with an export, in the transaction of the deed."""
    write_entry(work, ACT, f"imports/{method}", "export", [export_id], reason=reason)


def read_text(field: str, text: str) -> str:
    """A short text without blanks at its ends. Errors: FieldInvalid."""
    if len(text) > MOST_TEXT or "\0" in text:
        raise FieldInvalid(FieldViolation(field, f"has more than {MOST_TEXT} characters, or one that cannot be kept"))
    return text.strip()


def _one(work: UnitOfWork, export_id: str, seen: sa.ColumnElement[bool], lock: bool) -> Row:
    question = sa.select(export).where(export.c.id == export_id, seen)
    row = work.execute(question.with_for_update() if lock else question).one_or_none() if is_id(export_id) else None
    if row is None:
        raise ExportNotFound(export_id[:50])
    return row
