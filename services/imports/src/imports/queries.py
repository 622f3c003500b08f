"""Reads of runs, findings, rows and templates for people to look at."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from chassis.errors import FieldInvalid, FieldViolation
from chassis.paging import make_token, page_size, read_token
from imports.fates import ACTUAL, EXPECTED, FATES
from imports.findings import SEVERITIES
from imports.runs import get_run, may_see
from imports.tables import file, finding, run, run_fate, run_row, run_undo, template
from units.visibility import get_unit, unit_ids_below

Page = tuple[list[sa.Row[Any]], str]


def file_of(work: UnitOfWork, file_id: str) -> sa.Row[Any]:
    """The file of a run the caller may see."""
    return work.execute(sa.select(file).where(file.c.id == file_id)).one()


def files_of(work: UnitOfWork, runs: list[sa.Row[Any]]) -> dict[str, sa.Row[Any]]:
    """The files of several runs by id."""
    rows = work.execute(sa.select(file).where(file.c.id.in_({one.file_id for one in runs})))
    return {row.id: row for row in rows}


def list_runs(work: UnitOfWork, size: int, token: str, unit_id: str) -> Page:
    """Visible runs, youngest first. Errors: PageTokenInvalid, FieldInvalid, UnitNotKnown."""
    question = sa.select(run).where(may_see(work))
    if unit_id:
        question = question.where(run.c.unit_id.in_(unit_ids_below(get_unit(work, unit_id).path)))
    size = page_size(size, 50, 200)
    key = read_token(f"runs {unit_id}", token)
    if key:
        question = question.where(run.c.id < key[0])
    rows = list(work.execute(question.order_by(run.c.id.desc()).limit(size + 1)))
    return _page(rows, size, f"runs {unit_id}", lambda row: [row.id])


def list_findings(work: UnitOfWork, run_id: str, size: int, token: str, severity: str = "") -> Page:
    """Findings of a run, worst first. Errors: RunNotFound, FieldInvalid, PageTokenInvalid."""
    if severity and severity not in SEVERITIES:
        raise FieldInvalid(FieldViolation("severity", f"is {severity!r}; use one of {', '.join(SEVERITIES)}"))
    get_run(work, run_id)
    size = page_size(size, 100, 500)
    asked = f"findings {run_id} {severity}"
    key = read_token(asked, token)
    question = sa.select(finding).where(finding.c.run_id == run_id, finding.c.number > (key[0] if key else 0))
    if severity:
        question = question.where(finding.c.severity == severity)
    rows = list(work.execute(question.order_by(finding.c.number).limit(size + 1)))
    return _page(rows, size, asked, lambda row: [row.number])


def list_kept(work: UnitOfWork, run_id: str, size: int, token: str) -> Page:
    """What stays of a run that is undone, in the order in which it is done. Errors: RunNotFound, PageTokenInvalid."""
    get_run(work, run_id)
    size = page_size(size, 100, 500)
    key = read_token(f"kept {run_id}", token)
    c = run_undo.c
    question = sa.select(run_undo).where(c.run_id == run_id, c.reason != "", c.number > (key[0] if key else 0))
    rows = list(work.execute(question.order_by(c.number).limit(size + 1)))
    return _page(rows, size, f"kept {run_id}", lambda row: [row.number])


def list_rows(
    work: UnitOfWork, run_id: str, size: int, token: str, fate: str
) -> tuple[list[sa.Row[Any]], str, list[str]]:
    """Rows with their fates in file order, and the headers. Errors: RunNotFound, FieldInvalid, PageTokenInvalid."""
    if fate and fate not in FATES:
        raise FieldInvalid(FieldViolation("fate", f"is {fate!r}; use one of {', '.join(FATES)}"))
    found = get_run(work, run_id)
    size = page_size(size, 100, 1000)
    key = read_token(f"rows {run_id} {fate}", token)
    question = rows_with_fates(found).where(run_row.c.place > (key[0] if key else 0))
    if fate:
        question = question.where(run_fate.c.fate == fate)
    rows = list(work.execute(question.order_by(run_row.c.place).limit(size + 1)))
    page, more = _page(rows, size, f"rows {run_id} {fate}", lambda row: [row.place])
    return page, more, [one["column"] for one in found.mapping]


def rows_with_fates(found: sa.Row[Any]) -> sa.Select[Any]:
    """Every staged row of a run with its fate: the real one once loading began, before that the foretold one."""
    phase = ACTUAL if found.state in ("loading", "finished", "cancelled", "undoing", "undone") else EXPECTED
    same = sa.and_(
        run_fate.c.run_id == run_row.c.run_id, run_fate.c.place == run_row.c.place, run_fate.c.phase == phase
    )
    reason = sa.func.coalesce(run_fate.c.reason, run_row.c.reason)
    message = sa.func.coalesce(run_fate.c.message, run_row.c.message)
    return (
        sa.select(
            run_row.c.place,
            run_row.c.sheet,
            run_row.c.row,
            run_row.c.cells,
            sa.func.coalesce(run_fate.c.fate, "").label("fate"),
            reason.label("reason"),
            message.label("message"),
            sa.func.coalesce(run_fate.c.record_id, "").label("record_id"),
        )
        .outerjoin(run_fate, same)
        .where(run_row.c.run_id == found.id)
    )


def list_templates(work: UnitOfWork, size: int, token: str, kind: str) -> Page:
    """The newest version of each template. Errors: PageTokenInvalid."""
    size = page_size(size, 100, 200)
    key = read_token(f"templates {kind}", token)
    newest = sa.select(template).distinct(template.c.kind, template.c.name)
    newest = newest.order_by(template.c.kind, template.c.name, template.c.version.desc())
    if kind:
        newest = newest.where(template.c.kind == kind)
    if key:
        newest = newest.where(sa.tuple_(template.c.kind, template.c.name) > sa.tuple_(*map(sa.literal, key)))
    rows = list(work.execute(newest.limit(size + 1)))
    return _page(rows, size, f"templates {kind}", lambda row: [row.kind, row.name])


def list_template_versions(work: UnitOfWork, size: int, token: str, kind: str, name: str) -> Page:
    """All versions of one template, newest first. Errors: PageTokenInvalid, FieldInvalid."""
    if not kind:
        raise FieldInvalid(FieldViolation("kind", "is missing; two kinds may have a template of the same name"))
    size = page_size(size, 100, 200)
    question = f"versions {kind} {name}"
    key = read_token(question, token)
    same = sa.select(template).where(template.c.kind == kind, template.c.name == name)
    if key:
        same = same.where(template.c.version < key[0])
    rows = list(work.execute(same.order_by(template.c.version.desc()).limit(size + 1)))
    return _page(rows, size, question, lambda row: [row.version])


def _page(rows: list[sa.Row[Any]], size: int, question: str, key: Any) -> Page:
    page = rows[:size]
    return page, make_token(question, key(page[-1])) if len(rows) > size else ""
