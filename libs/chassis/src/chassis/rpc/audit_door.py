"""The gRPC door to services' audit trails: translate, search, translate. Whoever looks leaves an entry there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import paging
from chassis.access import Access
from chassis.audit.entries import ACT, ACTIONS, ALARM, write_entry
from chassis.audit.searching import Asked, Found, Place, search_entries
from chassis.database import Database
from chassis.dates import to_time
from chassis.errors import FieldInvalid, FieldViolation, PageTokenInvalid
from chassis.ids import is_id
from chassis.rpc.server import Servicer, current_access, database_named
from crm.platform.v1 import audit_pb2 as pb
from crm.platform.v1 import audit_pb2_grpc as pb_grpc

PAGE, MOST = 100, 500
MOST_ACTIONS, MOST_SESSIONS, MOST_TEXT = 20, 500, 200
FIELDS = (
    "time", "actor_id", "actor_path", "session_id", "origin", "action", "method", "records", "record_ids", "unit_path",
    "reason",
)  # fmt: skip


def audit_servicer(databases: Mapping[str, Database]) -> Servicer:
    """The servicer over the databases of the services in this process, by their names."""
    return Servicer("platform", AuditServicer(databases), pb_grpc.add_AuditServiceServicer_to_server)


class AuditServicer(pb_grpc.AuditServiceServicer):
    """Answers the calls of crm.platform.v1.AuditService."""

    def __init__(self, databases: Mapping[str, Database]) -> None:
        self._databases = dict(databases)

    def ListAuditEntries(
        self,
        request: pb.ListAuditEntriesRequest,
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> pb.ListAuditEntriesResponse:
        """Search a trail."""
        return search_trail(database_named(self._databases, request.service), current_access(), request)


def search_trail(
    database: Database, access: Access, request: pb.ListAuditEntriesRequest
) -> pb.ListAuditEntriesResponse:
    """What somebody may see of the trail in one database. Errors: FieldInvalid, NotPermitted, PageTokenInvalid."""
    size = paging.page_size(request.page_size, PAGE, MOST)
    question = _question(request)
    behind = _place(paging.read_token(question, request.page_token))
    asked = _asked(request)
    with database.transaction(access) as work:
        found = search_entries(work, asked, behind, size + 1)
        about = [one for one in (asked.record_id, asked.actor_id) if one]
        # One entry a search, not one a page of it, and none where nothing but alarms was looked for.
        if behind is None and not asked.session_ids and asked.actions != (ALARM,):
            write_entry(work, ACT, "platform/ListAuditEntries", "audit", about)
    entries = [_message(one, question) for one in found[:size]]
    token = entries[-1].page_token_behind if len(found) > size else ""
    return pb.ListAuditEntriesResponse(entries=entries, next_page_token=token)


def _question(request: pb.ListAuditEntriesRequest) -> str:
    asked = pb.ListAuditEntriesRequest()
    asked.CopyFrom(request)
    asked.ClearField("page_size")
    asked.ClearField("page_token")
    return f"audit|{asked.SerializeToString(deterministic=True).hex()}"


def _asked(request: pb.ListAuditEntriesRequest) -> Asked:
    """Errors: FieldInvalid."""
    for field in ("actor_id", "record_id"):
        if getattr(request, field) and not is_id(getattr(request, field)):
            raise FieldInvalid(FieldViolation(field, "is no id"))
    strange = [one for one in request.actions if one not in ACTIONS]
    if strange or len(request.actions) > MOST_ACTIONS:
        raise FieldInvalid(FieldViolation("actions", f"may be some of {', '.join(ACTIONS)}"))
    if len(request.session_ids) > MOST_SESSIONS or not all(map(is_id, request.session_ids)):
        raise FieldInvalid(FieldViolation("session_ids", f"may be at most {MOST_SESSIONS} ids"))
    if len(request.text) > MOST_TEXT:
        raise FieldInvalid(FieldViolation("text", f"is longer than {MOST_TEXT} characters"))
    return Asked(
        actor_id=request.actor_id,
        record_id=request.record_id,
        actions=tuple(request.actions),
        session_ids=tuple(request.session_ids),
        start=_moment(request, "start_time"),
        end=_moment(request, "end_time"),
        text=request.text,
    )


def _moment(request: pb.ListAuditEntriesRequest, field: str) -> datetime | None:
    """Errors: FieldInvalid for a time outside the calendar."""
    if not request.HasField(field):  # type: ignore[arg-type]
        return None
    told: Timestamp = getattr(request, field)
    try:
        return told.ToDatetime(UTC)
    except (ValueError, OverflowError):
        raise FieldInvalid(FieldViolation(field, "is no time of the calendar")) from None


def _place(key: list[Any] | None) -> Place | None:
    if key is None:
        return None
    try:
        moment, number = key
        return datetime.fromisoformat(moment), int(number)
    except (ValueError, TypeError):
        raise PageTokenInvalid("the page token is not one of ours; ask for the first page again") from None


def _message(found: Found, question: str) -> pb.AuditEntry:
    row = found.row
    values = {name: getattr(row, name) for name in FIELDS}
    return pb.AuditEntry(
        **{**values, "time": to_time(row.time)},
        number=row.id,
        via_service=row.service,
        count=row.record_count,
        before=found.before,
        after=found.after,
        page_token_behind=paging.make_token(question, [row.time.isoformat(), row.id]),
    )
