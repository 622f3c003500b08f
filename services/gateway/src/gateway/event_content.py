"""What an event says, as JSON and back: for people who look at events that wait, or mend one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass
from pydantic import ValidationError

from chassis.errors import FieldInvalid, FieldViolation
from crm.contacts.events.v1 import contacts_events_pb2
from crm.deals.events.v1 import deals_events_pb2
from crm.directory.events.v1 import directory_events_pb2
from crm.imports.events.v1 import imports_events_pb2
from crm.scheduling.events.v1 import scheduling_events_pb2
from gateway.json_values import fill, to_json
from gateway.schemas import body_model

EVENT_FILES = (  # known to the pool now
    contacts_events_pb2,
    deals_events_pb2,
    directory_events_pb2,
    imports_events_pb2,
    scheduling_events_pb2,
)


def message_json(type_name: str, data: bytes) -> dict[str, Any] | None:
    """The content of an event, None where its type is not known or it cannot be read."""
    try:
        kind = descriptor_pool.Default().FindMessageTypeByName(type_name)
        return to_json(GetMessageClass(kind).FromString(data))
    except (KeyError, DecodeError):
        return None


def message_text(type_name: str, data: bytes) -> str:
    """The content as JSON text; empty where it cannot be read."""
    content = message_json(type_name, data)
    return "" if content is None else json.dumps(content, indent=2, ensure_ascii=False)


def read_text(type_name: str, text: str) -> bytes:
    """The bytes of an event whose content is JSON text. Errors: FieldInvalid."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        raise FieldInvalid(FieldViolation("message", "is no JSON")) from None
    return read_message(type_name, values)


def read_message(type_name: str, values: Any) -> bytes:
    """The bytes of an event with this content, every field of it checked against the contract.

    Errors: FieldInvalid with each wrong field, or when the type is not known here.
    """
    try:
        kind = descriptor_pool.Default().FindMessageTypeByName(type_name)
    except KeyError:
        raise FieldInvalid(FieldViolation("message", f"has the type {type_name}, which is not known here")) from None
    try:
        checked = body_model(kind, f"{kind.name}Content").model_validate(values)
    except (ValidationError, RecursionError) as wrong:
        raise FieldInvalid(*_violations(wrong)) from None
    message = GetMessageClass(kind)()
    fill(message, checked.model_dump())
    return message.SerializeToString()


def _violations(wrong: ValidationError | RecursionError) -> Iterable[FieldViolation]:
    if isinstance(wrong, RecursionError):
        return [FieldViolation("message", "is nested too deeply")]
    return [
        FieldViolation(".".join(("message", *map(str, one["loc"]))), one["msg"])
        for one in wrong.errors(include_url=False, include_input=False)
    ]
