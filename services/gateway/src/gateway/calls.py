"""One REST route per call of a service: a table entry says which, and the route, its checks and its schema follow.

A route takes path and query parameters and a JSON body into the request message, calls, and answers the message or
one field of it. Nothing here decides anything about the business.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Path, Query, Request
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from pydantic import BaseModel

from chassis.errors import FieldInvalid, FieldViolation
from chassis.rpc.client import calling_as
from gateway.json_values import fill, is_repeated, to_json
from gateway.schemas import answer_model, body_model, query_type
from gateway.services import CONTRACTS, Services
from gateway.signed_in import SignedIn
from gateway.units import await_unit, name_units

bearer = HTTPBearer(auto_error=False, description="Access token of POST /api/v1/sessions")
PAGE = ("page_size", "page_token")


@dataclass(frozen=True)
class Call:
    """A route: `POST /persons` calls `contacts.CreatePerson` with the body as `person` and answers its `person`.

    `body`: field of the request the JSON body is, with `extra` fields of the request beside its own; `*`: the request's
    own fields; empty: no body. `answer`: field of the response that is answered; empty: all of it. `query`: request
    fields that are query parameters, `name=field` where the names differ. `path_fields`: request field of a path
    parameter where the names differ.
    """

    method: str
    path: str
    service: str
    rpc: str
    summary: str
    body: str = ""
    answer: str = ""
    extra: tuple[str, ...] = ()
    query: tuple[str, ...] = ()
    path_fields: dict[str, str] = field(default_factory=dict)
    status: int = 200
    timeout: float = 10.0

    @property
    def request_type(self) -> type[Message]:
        """The request message."""
        return getattr(CONTRACTS[self.service][0], f"{self.rpc}Request")  # type: ignore[no-any-return]

    @property
    def response_kind(self) -> Descriptor:
        """The response message."""
        kind: Descriptor = getattr(CONTRACTS[self.service][0], f"{self.rpc}Response").DESCRIPTOR
        return kind


def add_calls(router: APIRouter, services: Services, signed_in: SignedIn, calls: Sequence[Call]) -> None:
    """Add the routes of a table."""
    for call in calls:
        router.add_api_route(
            call.path,
            _Endpoint(call, services, signed_in).build(),
            methods=[call.method],
            summary=call.summary,
            operation_id=call.rpc[0].lower() + call.rpc[1:],
            status_code=call.status,
            response_model=_answer_of(call),
            dependencies=[Depends(bearer)],
        )


class _Endpoint:
    """Makes the function FastAPI calls: its signature says what is taken, its body fills the request and calls."""

    def __init__(self, call: Call, services: Services, signed_in: SignedIn) -> None:
        self.call, self.services, self.signed_in = call, services, signed_in
        self.kind: Any = call.request_type.DESCRIPTOR
        self.in_path, self.in_query = _path_names(call), _pairs(call.query)
        self.body = _body_of(call, self.kind)
        self.has_key = "request_id" in self.kind.fields_by_name
        self.has_etag = "etag" in self.kind.fields_by_name

    def build(self) -> Callable[..., Any]:
        """The function, with the signature FastAPI reads."""

        def endpoint(request: Request, **given: Any) -> Any:
            return self.answer(request, given)

        endpoint.__name__ = self.call.rpc
        endpoint.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [
                inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=default)
                for name, kind, default in (
                    ("request", Request, inspect.Parameter.empty),
                    *self._parameters(),
                )
            ]
        )
        return endpoint

    def answer(self, request: Request, given: dict[str, Any]) -> JSONResponse:
        """Fill the request, call, answer. Errors: DomainError."""
        refuse_unknown_parameters(request, {name for name, _ in self.in_query})
        message = self._message(given)
        with calling_as(self.signed_in.token_of(request)):
            name_units(self.services, message)
            act = self._act(message)
            patient = self.call.method == "GET" or bool(getattr(message, "request_id", ""))
            found = await_unit(self.services, act) if patient else act()
        shown = getattr(found, self.call.answer) if self.call.answer else found
        etag = getattr(shown, "etag", "")
        status = 200 if getattr(found, "existed", False) else self.call.status
        return JSONResponse(to_json(shown), status, {"ETag": f'"{etag}"'} if etag else None)

    def _act(self, message: Message) -> Callable[[], Any]:
        return lambda: self.services.call(self.call.service, self.call.rpc, message, self.call.timeout)

    def _message(self, given: dict[str, Any]) -> Message:
        message = self.call.request_type()
        body: BaseModel | None = given.get("body")
        if body is not None:
            _fill_body(message, self.call, body)
        for name in self.in_path:
            _set_at(message, self.call.path_fields.get(name, name), given[name])
        for name, target in self.in_query:
            _set_at(message, target or name, given[_python(name)])
        if self.has_key and given.get("idempotency_key"):
            message.request_id = given["idempotency_key"]  # type: ignore[attr-defined]
        if self.has_etag and given.get("if_match"):
            message.etag = given["if_match"].removeprefix("W/").strip('"').removeprefix("*")  # type: ignore[attr-defined]
        return message

    def _parameters(self) -> list[tuple[str, Any, Any]]:
        empty = inspect.Parameter.empty
        found: list[tuple[str, Any, Any]] = [
            (name, Annotated[str, Path(max_length=200)], empty) for name in self.in_path
        ]
        for name, target in self.in_query:
            kind = query_type(_field_at(self.kind, target or name)) | None
            found.append((_python(name), Annotated[kind, Query(alias=name)], None))
        if self.has_key:
            found.append(("idempotency_key", Annotated[str | None, Header(max_length=255)], None))
        if self.has_etag:
            found.append(("if_match", Annotated[str | None, Header(max_length=100)], None))
        if self.body is not None:
            found.append(("body", Annotated[self.body, Body()], empty))
        return found


def refuse_unknown_parameters(request: Request, known: set[str]) -> None:
    """Errors: FieldInvalid for query parameters nobody reads, which are mostly misspelt ones."""
    strange = sorted(set(request.query_params) - known)
    if strange:
        what = f"is not a parameter of this path; it takes {', '.join(sorted(known)) or 'none'}"
        raise FieldInvalid(*(FieldViolation(name[:100], what) for name in strange[:5]))


def _answer_of(call: Call) -> type[BaseModel] | None:
    kind: Any = call.response_kind
    if call.answer:
        kind = kind.fields_by_name[call.answer].message_type
    return answer_model(kind) if call.status != 204 else None


def _body_of(call: Call, kind: Any) -> type[BaseModel] | None:
    if not call.body:
        return None
    if call.body != "*":
        name = {"POST": "New", "PATCH": "Changed", "PUT": "Set"}[call.method]
        inner = kind.fields_by_name[call.body].message_type
        return body_model(inner, f"{name}{inner.name}", extra=tuple(kind.fields_by_name[one] for one in call.extra))
    elsewhere = {"request_id", "etag", "update_mask"} | {target or name for name, target in _pairs(call.query)}
    elsewhere |= {call.path_fields.get(name, name) for name in _path_names(call)}
    return body_model(kind, call.rpc, tuple(name for name in kind.fields_by_name if name not in elsewhere))


def _fill_body(message: Message, call: Call, body: BaseModel) -> None:
    values = body.model_dump(exclude_unset=True)
    if call.body == "*":
        fill(message, values)
        if "update_mask" in message.DESCRIPTOR.fields_by_name:
            message.update_mask.extend(sorted(values))  # type: ignore[attr-defined]
        return
    target = getattr(message, call.body)
    target.SetInParent()
    fill(target, {name: value for name, value in values.items() if name not in call.extra})
    fill(message, {name: value for name, value in values.items() if name in call.extra})
    if "update_mask" in message.DESCRIPTOR.fields_by_name:
        message.update_mask.paths.extend(sorted(values))  # type: ignore[attr-defined]


def _path_names(call: Call) -> list[str]:
    return [part[1:-1] for part in call.path.split("/") if part.startswith("{")]


def _pairs(entries: Sequence[str]) -> list[tuple[str, str]]:
    parted = (entry.partition("=") for entry in entries)
    return [(name, target) for name, _, target in parted]


def _field_at(kind: Any, path: str) -> FieldDescriptor:
    *outer, last = path.split(".")
    for name in outer:
        kind = kind.fields_by_name[name].message_type
    found: FieldDescriptor = kind.fields_by_name[last]
    return found


def _set_at(message: Any, path: str, value: Any) -> None:
    """Set a field from a parameter; a list may also come as one text with commas."""
    if value is None:
        return
    *outer, last = path.split(".")
    for name in outer:
        message = getattr(message, name)
    if is_repeated(message.DESCRIPTOR.fields_by_name[last]):
        value = [part.strip() for text in value for part in text.split(",") if part.strip()]
    fill(message, {last: value})


def _python(name: str) -> str:
    return f"{name}_" if name in ("from", "to") else name
