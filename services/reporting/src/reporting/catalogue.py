"""Which reports there are, and how one is run or opened: parameters checked, figures exact, deliveries said with it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import localcontext
from typing import Any, Protocol

import sqlalchemy as sa

from chassis import paging
from chassis.database import UnitOfWork
from chassis.errors import PageTokenInvalid
from chassis.ids import is_id
from chassis.schema import consumer_mark
from crm.reporting.v1 import reporting_pb2 as pb
from reporting.errors import ReportNotFound, invalid
from reporting.reports import activities, customers, cycle, deliveries, funnel, pipeline, plan_fact, win_rate, won
from reporting.reports.answer import Answer
from reporting.reports.deliveries import add_deliveries
from reporting.reports.drilling import Drill, read_key
from reporting.reports.records import Records, read_records
from reporting.reports.scope import Scope, read_scope
from reporting.rules.figures import EXACT
from reporting.settings import CONSUMER

# Rows an answer may have: with four figures and their keys this stays below the 8 MiB of one message.
MAX_ROWS = 8_000
MAX_RECORDS, DEFAULT_RECORDS = 1_000, 100


class Report(Protocol):
    """What each module of `reports` offers."""

    NAME: str
    DESCRIPTION: str
    GROUP_BY: tuple[str, ...]
    MEASURES: tuple[str, ...]

    def run(self, work: UnitOfWork, scope: Scope, /) -> Answer: ...
    def records(self, work: UnitOfWork, scope: Scope, drill: Drill, /) -> Records: ...


ALL: tuple[Any, ...] = (funnel, won, win_rate, cycle, plan_fact, pipeline, customers, activities, deliveries)
REPORTS: dict[str, Report] = {report.NAME: report for report in ALL}


@dataclass(frozen=True)
class RecordPage:
    """One page of records: rows in the order of `asked.columns`."""

    asked: Records
    rows: Sequence[sa.Row[Any]]
    total: int
    next_token: str


def run_report(work: UnitOfWork, name: str, parameters: pb.ReportParameters) -> Answer:
    """Run a report within what the caller may see. Errors: ReportNotFound, FieldInvalid, UnitNotKnown."""
    report = _find(name)
    scope = _scope(work, report, parameters)
    with localcontext(EXACT):
        answer = report.run(work, scope)
    if len(answer.rows) > MAX_ROWS:
        raise invalid("parameters.group_by", f"gives more than {MAX_ROWS} rows; narrow the unit, period or groups")
    add_deliveries(work, scope, answer)
    return answer


def list_records(work: UnitOfWork, request: pb.ListReportRecordsRequest) -> RecordPage:
    """One page of the records behind a figure. Errors: ReportNotFound, FieldInvalid, UnitNotKnown, PageTokenInvalid."""
    report = _find(request.name)
    size = paging.page_size(request.page_size, DEFAULT_RECORDS, MAX_RECORDS)
    scope = _scope(work, report, request.parameters)
    drill = read_key(scope, request.drill_key, report.MEASURES)
    question = (
        "records"
        + hashlib.sha256(
            request.name.encode()
            + request.parameters.SerializeToString(deterministic=True)
            + request.drill_key.encode()
        ).hexdigest()
    )
    with localcontext(EXACT):
        asked = report.records(work, scope, drill)
        found, total = read_records(work, asked, size, _after(asked, paging.read_token(question, request.page_token)))
    last = list(found[size - 1][-len(asked.key) :]) if len(found) > size else None
    return RecordPage(asked, found[:size], total, paging.make_token(question, last) if last else "")


def newest_event_time(work: UnitOfWork) -> Any:
    """When the newest event that is in the read models happened; None before the first."""
    newest = sa.select(sa.func.max(consumer_mark.c.event_time)).where(consumer_mark.c.consumer == CONSUMER)
    return work.execute(newest).scalar_one()


def _find(name: str) -> Report:
    found = REPORTS.get(name)
    if found is None:
        raise ReportNotFound(name)
    return found


def _scope(work: UnitOfWork, report: Report, parameters: pb.ReportParameters) -> Scope:
    default = getattr(report, "DEFAULT", ())
    if default and not parameters.group_by:
        chosen = pb.ReportParameters()
        chosen.CopyFrom(parameters)
        chosen.group_by.extend(default)
        parameters = chosen
    return read_scope(work, parameters, report.GROUP_BY)


def _after(asked: Records, key: list[Any] | None) -> list[Any] | None:
    """The key of the last record seen. Errors: PageTokenInvalid where it is none of this question's."""
    if key is None:
        return None
    fits = len(key) == len(asked.key) and isinstance(key[0], str) and is_id(key[0])
    if not fits or not all(isinstance(one, int) for one in key[1:]):
        raise PageTokenInvalid("the page token is not one of ours; ask for the first page again")
    return key
