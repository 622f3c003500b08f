"""The audit trails of all services by REST, for those who may audit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, BaseModel

from chassis.rpc.client import calling_as
from crm.platform.v1 import audit_pb2 as pb
from gateway import trails
from gateway.calls import bearer, refuse_unknown_parameters
from gateway.routes.events import PageToken
from gateway.services import Services
from gateway.signed_in import SignedIn

Id = Annotated[str, Query(max_length=36)]
TrailName = Annotated[str, Query(pattern="^(directory|contacts|deals|scheduling|imports|reporting|gateway)?$")]
KNOWN = {
    "service", "actor_id", "record_id", "actions", "start_time", "end_time", "text", "page_size", "page_token",
}  # fmt: skip


class AuditChange(BaseModel):
    """A field of a record before and after."""

    field: str
    before: str
    after: str


class AuditLine(BaseModel):
    """One act: `method` is a call or the name of an event, `origin` where the session was signed in."""

    service: str
    number: int
    time: datetime
    actor_id: str
    actor_path: str
    via_service: str
    origin: str
    action: str
    method: str
    records: str
    record_ids: list[str]
    unit_path: str
    count: int
    reason: str
    changes: list[AuditChange]


class AuditPage(BaseModel):
    """Entries, youngest first; `away` names services that could not be asked."""

    entries: list[AuditLine]
    next_page_token: str
    away: list[str]


def add_audit_routes(router: APIRouter, services: Services, signed_in: SignedIn) -> None:
    """Add the route."""
    pool = ThreadPoolExecutor(len(services.trails) + 1, thread_name_prefix="trails")

    def ask(calls: Mapping[str, Callable[[], Any]]) -> Mapping[str, Any]:
        waiting = {name: pool.submit(copy_context().run, call) for name, call in calls.items()}
        return {name: one.result() for name, one in waiting.items()}

    @router.get(
        "/audit",
        operation_id="listAuditEntries",
        summary="Search the audit trails of all services: who did or saw what, when and from where",
        response_model=AuditPage,
        dependencies=[Depends(bearer)],
    )
    def list_entries(
        request: Request,
        service: TrailName = "",
        actor_id: Id = "",
        record_id: Id = "",
        actions: Annotated[list[str] | None, Query(max_length=20)] = None,
        start_time: AwareDatetime | None = None,
        end_time: AwareDatetime | None = None,
        text: Annotated[str, Query(max_length=200, description="what was searched for")] = "",
        page_size: Annotated[int, Query(ge=0, le=trails.MOST)] = 0,
        page_token: PageToken = "",
    ) -> Any:
        refuse_unknown_parameters(request, KNOWN)
        asked = pb.ListAuditEntriesRequest(
            service=service, actor_id=actor_id, record_id=record_id, actions=actions or (), text=text,
            page_size=page_size,
        )  # fmt: skip
        for name, moment in (("start_time", start_time), ("end_time", end_time)):
            if moment is not None:
                getattr(asked, name).FromDatetime(moment)
        with calling_as(signed_in.token_of(request)):
            found = trails.read_trails(services, asked, page_token, ask)
        lines = [_line(one) for one in found.lines]
        return AuditPage(entries=lines, next_page_token=found.next_token, away=list(found.away))


def _line(line: trails.Line) -> AuditLine:
    entry = line.entry
    told = {
        name: getattr(entry, name)
        for name in AuditLine.model_fields
        if name not in ("service", "time", "origin", "changes", "record_ids")
    }
    changes = [AuditChange(field=one.field, before=one.before, after=one.after) for one in line.changes]
    moment = entry.time.ToDatetime(UTC)
    return AuditLine(
        service=line.service,
        origin=line.origin,
        record_ids=list(entry.record_ids),
        changes=changes,
        time=moment,
        **told,
    )
