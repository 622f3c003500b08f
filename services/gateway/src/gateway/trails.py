"""The audit trails of all services as one: asked side by side, told together, youngest first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chassis import paging
from chassis.errors import Kind, RemoteError
from crm.platform.v1 import audit_pb2 as pb
from gateway import own_trail
from gateway.event_content import message_json
from gateway.services import Services

PAGE, MOST = 50, 200
QUESTION = "audit"
SECONDS = 5.0
AWAY = (Kind.UNAVAILABLE, Kind.DEADLINE, Kind.EXHAUSTED, Kind.INTERNAL)
Ask = Callable[[Mapping[str, Callable[[], Any]]], Mapping[str, Any]]  # runs calls, best side by side


@dataclass(frozen=True)
class FieldChange:
    """A field of a record before and after a change; empty where it had no value."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class Line:
    """An entry of a service's trail; `origin` is where its session was signed in, where that is known."""

    service: str
    entry: pb.AuditEntry
    origin: str
    changes: Sequence[FieldChange]


@dataclass(frozen=True)
class Trail:
    """A page of entries, the token of the next one, and the services that could not be asked."""

    lines: Sequence[Line]
    next_token: str
    away: Sequence[str]


def read_trails(services: Services, asked: pb.ListAuditEntriesRequest, token: str, ask: Ask) -> Trail:
    """The page behind a token of every trail, or of that of `asked.service`. Errors: RemoteError, PageTokenInvalid."""
    size = asked.page_size or PAGE
    places = _places(services, asked.service, token)
    calls = {name: _call(services, name, asked, place, size) for name, place in places.items() if place is not None}
    answers = ask(calls)
    away = sorted(name for name, answer in answers.items() if answer is None)
    found = [(name, one) for name, answer in answers.items() if answer is not None for one in answer.entries]
    found.sort(key=lambda line: (line[1].time.seconds, line[1].time.nanos, line[1].number), reverse=True)
    shown = found[:size]
    for name, one in shown:
        places[name] = one.page_token_behind
    for name, answer in answers.items():
        told = sum(other == name for other, _ in shown)
        if answer is None or (told == len(answer.entries) and not answer.next_page_token):
            places[name] = None
    more = any(place is not None for place in places.values())
    origins = _origins(services, [one for _, one in shown], ask)
    lines = [Line(name, one, one.origin or origins.get(one.session_id, ""), changes_of(one)) for name, one in shown]
    return Trail(lines, paging.make_token(QUESTION, [places]) if more and shown else "", away)


def changes_of(entry: pb.AuditEntry) -> list[FieldChange]:
    """What a change made of the record, field by field."""
    before, after = (_flat(message_json(entry.method, data) if data else None) for data in (entry.before, entry.after))
    names = dict.fromkeys([*after, *before])
    return [
        FieldChange(name, before.get(name, ""), after.get(name, ""))
        for name in names
        if before.get(name, "") != after.get(name, "")
    ]


def _flat(state: Any) -> dict[str, str]:
    """The fields of a message's first part, which is the record; inner ones with a dot."""
    record = next((value for value in (state or {}).values() if isinstance(value, dict)), {})
    found: dict[str, str] = {}
    _collect(record, "", found)
    return found


def _collect(value: Any, name: str, found: dict[str, str]) -> None:
    if isinstance(value, dict):
        for part, inner in value.items():
            _collect(inner, f"{name}.{part}" if name else part, found)
    elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
        for place, inner in enumerate(value, 1):
            _collect(inner, f"{name}.{place}", found)
    elif value not in (None, "", [], False):
        found[name] = ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _places(services: Services, service: str, token: str) -> dict[str, str | None]:
    """Where each trail goes on; None at its end. Errors: PageTokenInvalid."""
    every = (*services.trails, *([own_trail.NAME] if services.own_trail else []))
    names = (service,) if service else every
    key = paging.read_token(QUESTION, token)
    told = key[0] if key and isinstance(key[0], dict) else None
    return {name: "" if told is None else told.get(name) for name in names}


def _call(
    services: Services, name: str, asked: pb.ListAuditEntriesRequest, place: str, size: int
) -> Callable[[], pb.ListAuditEntriesResponse | None]:
    request = pb.ListAuditEntriesRequest()
    request.CopyFrom(asked)
    request.service, request.page_token, request.page_size = name, place, size

    def call() -> pb.ListAuditEntriesResponse | None:
        try:
            return _ask(services, name, request)
        except RemoteError as refusal:
            if refusal.kind in AWAY:
                return None
            raise

    return call


def _ask(services: Services, name: str, request: pb.ListAuditEntriesRequest) -> pb.ListAuditEntriesResponse | None:
    if name != own_trail.NAME:
        answer: pb.ListAuditEntriesResponse = services.trails[name].call("ListAuditEntries", request, timeout=SECONDS)
        return answer
    return services.own_trail.search(request) if services.own_trail else None


def _origins(services: Services, entries: Sequence[pb.AuditEntry], ask: Ask) -> dict[str, str]:
    """Where the sessions of entries were signed in, as the directory's trail tells."""
    wanted = sorted({one.session_id for one in entries if one.session_id and not one.origin})
    if not wanted:
        return {}
    asked = pb.ListAuditEntriesRequest(session_ids=wanted)
    answer = ask({"origins": _call(services, "directory", asked, "", MOST)})["origins"]
    return {one.session_id: one.origin for one in answer.entries} if answer else {}
