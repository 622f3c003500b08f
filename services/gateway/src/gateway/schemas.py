"""The shapes of JSON bodies and answers, made from the contract so that no field can be forgotten.

Bodies are strict: unknown and read-only fields, wrong types and impossible days are refused by name.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, create_model

from gateway.json_values import enum_words, is_map, is_optional, is_repeated

# What only the platform sets; a body that names one is refused instead of being half obeyed.
READ_ONLY = {
    "crm.directory.v1.Unit": "id etag path create_time freeze_reason",
    "crm.directory.v1.User": "id etag create_time",
    "crm.directory.v1.Position": "id user_id",
    "crm.contacts.v1.Person": "id etag unit_ids create_time update_time",
    "crm.contacts.v1.Organization": "id etag unit_ids create_time update_time",
    "crm.contacts.v1.CustomerField": "id etag create_time update_time",
    "crm.contacts.v1.Segment": "id etag create_time update_time evaluate_time",
    "crm.contacts.v1.Channel": "verified problem",
    "crm.contacts.v1.Affiliation": "id person_id",
    "crm.contacts.v1.Interaction": "id etag author_name create_time",
    "crm.deals.v1.Deal": "id etag status stage_history create_time update_time",
    "crm.deals.v1.Pipeline": "id etag",
    "crm.deals.v1.Stage": "id",
    "crm.deals.v1.Product": "id etag create_time",
    "crm.deals.v1.Plan": "id etag",
    "crm.scheduling.v1.Activity": "id etag owner_name person_name organization_name deal_title state overdue outcome"
    " summary close_time closer_id series_id occurrence creator_id create_time update_time",
    "crm.scheduling.v1.Waiting": "user_name since_time days",
    "crm.scheduling.v1.Absence": "etag user_name",
    "crm.imports.v1.ColumnMapping": "origin confidence samples cell_kinds",
}
_AMOUNT = re.compile(r"-?[0-9]{1,14}(\.[0-9]{1,9})?")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)")


def _check_day(text: str) -> str:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        raise ValueError("use a day such as 2026-01-31")
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError("is not a day of the calendar") from None
    return text


def _check_time(text: str) -> str:
    if not _TIME.fullmatch(text):
        raise ValueError("use a time with its offset, such as 2026-01-31T09:30:00Z")
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("is not a moment of the calendar") from None
    return text


def _check_amount(text: str) -> str:
    if not _AMOUNT.fullmatch(text):
        raise ValueError('use decimal text such as "1234.50"')
    return text


def _check_text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("holds half a surrogate pair, which is no character") from None
    return text


Text = Annotated[str, AfterValidator(_check_text)]
Day = Annotated[str, AfterValidator(_check_day), WithJsonSchema({"type": "string", "format": "date"})]
Time = Annotated[str, AfterValidator(_check_time), WithJsonSchema({"type": "string", "format": "date-time"})]
Amount = Annotated[
    str, AfterValidator(_check_amount), WithJsonSchema({"type": "string", "pattern": f"^{_AMOUNT.pattern}$"})
]


class Money(BaseModel):
    """An amount in a currency; the amount is decimal text."""

    model_config = ConfigDict(strict=True, extra="forbid")
    amount: Amount
    currency_code: Annotated[str, Field(pattern="^[A-Z]{3}$", description="ISO 4217")]


_WELL_KNOWN: dict[str, Any] = {
    "google.type.Money": Money,
    "google.type.Date": Day,
    "google.protobuf.Timestamp": Time,
    "google.protobuf.Duration": float,
}
_BOUNDS = {
    FieldDescriptor.CPPTYPE_INT32: 2**31 - 1,
    FieldDescriptor.CPPTYPE_INT64: 2**63 - 1,
}


@lru_cache(maxsize=512)
def body_model(
    kind: Descriptor, name: str, fields: tuple[str, ...] = (), extra: tuple[FieldDescriptor, ...] = ()
) -> type[BaseModel]:
    """The body a caller may send for a message, of the named fields only where some are named, and with `extra` ones.

    Every field is optional here: which ones are needed is the service's to say.
    """
    read_only = READ_ONLY.get(kind.full_name, "").split()
    chosen = [field for field in kind.fields if field.name not in read_only and (not fields or field.name in fields)]
    definitions: dict[str, Any] = {field.name: (_type(field, taken=True) | None, None) for field in (*chosen, *extra)}
    return create_model(name, __config__=ConfigDict(strict=True, extra="forbid"), **definitions)


@lru_cache(maxsize=512)
def answer_model(kind: Descriptor) -> type[BaseModel]:
    """What is answered for a message; every field is there."""
    definitions: dict[str, Any] = {}
    for field in kind.fields:
        shape = _type(field, taken=False)
        may_lack = (field.message_type is not None or field.enum_type is not None) and not is_repeated(field)
        may_lack = may_lack or is_optional(field)
        definitions[field.name] = (shape | None if may_lack else shape, ...)
    return create_model(kind.name, **definitions)


def query_type(field: FieldDescriptor) -> Any:
    """The type of a query parameter that sets a field."""
    return list[str] if is_repeated(field) else _scalar(field)


def _type(field: FieldDescriptor, taken: bool) -> Any:
    kind: Any = field.message_type
    if is_map(field):
        return dict.__class_getitem__((Text, _scalar(kind.fields_by_name["value"])))
    one = _scalar(field) if kind is None else _message(kind, taken)
    return list.__class_getitem__(one) if is_repeated(field) else one


def _message(kind: Descriptor, taken: bool) -> Any:
    known = _WELL_KNOWN.get(kind.full_name)
    if known is not None:
        return known
    return body_model(kind, f"{kind.name}Input") if taken else answer_model(kind)


def _scalar(field: FieldDescriptor) -> Any:
    if field.message_type is not None:
        return _WELL_KNOWN[field.message_type.full_name]
    if field.enum_type is not None:
        return Literal[tuple(enum_words(field.enum_type))]
    if field.cpp_type in _BOUNDS:
        most = _BOUNDS[field.cpp_type]
        return Annotated[int, Field(ge=-most - 1, le=most)]
    return {FieldDescriptor.CPPTYPE_BOOL: bool, FieldDescriptor.CPPTYPE_DOUBLE: float}.get(field.cpp_type, Text)
