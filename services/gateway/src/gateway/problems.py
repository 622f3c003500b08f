"""Every refusal as one kind of answer: RFC 9457 problem details, with the service's reason and each wrong field."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from opentelemetry import trace
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from chassis.errors import DomainError, Kind, RemoteError

MEDIA_TYPE = "application/problem+json"
STATUSES = {
    Kind.INVALID: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.ALREADY_EXISTS: 409,
    Kind.PRECONDITION: 409,
    Kind.CONFLICT: 409,
    Kind.EXHAUSTED: 429,
    Kind.INTERNAL: 500,
    Kind.UNAVAILABLE: 503,
    Kind.DEADLINE: 504,
}
# If-Match failed is 412 (RFC 9110 section 15.5.13); a key used for other content is 422 (draft Idempotency-Key header).
REASONS = {"STALE_ETAG": 412, "REQUEST_ID_REUSED": 422}
# A body is the resource itself, so that the service's `person.channels[0].value` is `channels[0].value` to its sender.
RESOURCES = frozenset(
    ("unit", "user", "position", "person", "organization", "interaction", "deal", "pipeline", "product", "plan", "rate")
    + ("parameters",)
)


class FieldProblem(BaseModel):
    """One field that cannot have its value."""

    field: str
    detail: str


class Problem(BaseModel):
    """Why a request was refused (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    reason: str
    errors: list[FieldProblem] = []
    trace_id: str = ""
    service: str = ""
    metadata: dict[str, str] = {}


def install(app: FastAPI) -> None:
    """Make every refusal of the app a problem answer."""
    app.add_exception_handler(DomainError, _of_domain)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, _of_validation)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _of_http)  # type: ignore[arg-type]
    app.add_exception_handler(Exception, _of_fault)


def problem_of(error: DomainError) -> JSONResponse:
    """The answer for a refusal; a service that is away is named."""
    status = REASONS.get(error.reason, STATUSES[error.kind])
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_seconds)))
    errors = [FieldProblem(field=own_name(one.field), detail=one.description) for one in error.violations]
    service = error.service if isinstance(error, RemoteError) and status >= 500 else ""
    return problem(status, error.reason, error.message, errors, headers, service, error.metadata)


def problem(
    status: int,
    reason: str,
    detail: str,
    errors: Sequence[FieldProblem] = (),
    headers: Mapping[str, str] | None = None,
    service: str = "",
    metadata: Mapping[str, str] | None = None,
) -> JSONResponse:
    """One problem answer."""
    body = Problem(
        type=f"urn:branchline:problem:{reason.lower().replace('_', '-')}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        reason=reason,
        errors=list(errors),
        trace_id=current_trace_id(),
        service=service,
        metadata=dict(metadata or {}),
    )
    return JSONResponse(_filled(body), status, dict(headers or {}), MEDIA_TYPE)


def own_name(field: str) -> str:
    """A field as the sender knows it."""
    first, dot, rest = field.partition(".")
    return {"request_id": "Idempotency-Key", "etag": "If-Match"}.get(field) or (
        rest if dot and first in RESOURCES else field
    )


def current_trace_id() -> str:
    """The id under which this request stands in traces and logs; empty when none is kept."""
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else ""


def _filled(body: Problem) -> dict[str, Any]:
    return {name: value for name, value in body.model_dump().items() if value not in ("", [], {})}


def _of_domain(_: Request, error: DomainError) -> JSONResponse:
    return problem_of(error)


def _of_validation(_: Request, error: RequestValidationError) -> JSONResponse:
    errors = [FieldProblem(field=_place(one["loc"]), detail=_sentence(one)) for one in error.errors()[:20]]
    if not all(one.field for one in errors):
        return problem(400, "BODY_INVALID", "; ".join(f"the body: {one.detail}" for one in errors if not one.field))
    detail = "; ".join(f"{one.field}: {one.detail}" for one in errors)
    return problem(400, "FIELD_INVALID", detail, errors)


def _place(location: Sequence[str | int]) -> str:
    """`("body", "channels", 0, "value")` is `channels[0].value`; a position in the text is left out."""
    text = ""
    for part in location[1:]:
        if isinstance(part, int):
            text += f"[{part}]" if text else ""
        else:
            text += f".{part}" if text else part
    return text


def _sentence(error: Mapping[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        return "is not a field that can be set here; leave it out"
    if error["type"] == "json_invalid":
        return f"it is not JSON: {error.get('ctx', {}).get('error', 'it cannot be read')}"
    return str(error["msg"]).removeprefix("Value error, ")[:300]


def _of_http(_: Request, error: HTTPException) -> JSONResponse:
    known = {404: "NO_SUCH_PATH", 405: "METHOD_NOT_ALLOWED", 400: "BODY_INVALID", 413: "BODY_TOO_LARGE"}
    reason = known.get(error.status_code, f"HTTP_{error.status_code}")
    return problem(error.status_code, reason, str(error.detail), headers=error.headers)


def _of_fault(_: Request, __: Exception) -> JSONResponse:
    return problem(500, "INTERNAL", "something went wrong on our side; it has been recorded")
