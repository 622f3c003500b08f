"""Messages as JSON and back: names as in the contract, money and decimals as text, days and times in ISO 8601.

An absent message, an absent optional value or an unstated enum is null; enum values are their last words in lower case.
Knows no service.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money

from chassis.errors import FieldInvalid, FieldViolation

NANOS = 1_000_000_000
Read = Callable[[Any], Any]


def to_json(message: Message) -> dict[str, Any]:
    """A message as JSON values; every field is there."""
    return {name: read(message) for name, read in _readers(message.DESCRIPTOR)}


@lru_cache(maxsize=512)
def _readers(kind: Descriptor) -> tuple[tuple[str, Read], ...]:
    return tuple((field.name, _reader(field)) for field in kind.fields)


def _reader(field: FieldDescriptor) -> Read:
    name = field.name
    if is_map(field):
        return lambda message: dict(sorted(getattr(message, name).items()))
    one = _value_reader(field)
    if is_repeated(field):
        if one is None:
            return lambda message: list(getattr(message, name))
        return lambda message: [one(value) for value in getattr(message, name)]
    if field.message_type is not None:
        assert one is not None
        return lambda message: one(getattr(message, name)) if message.HasField(name) else None
    if is_optional(field):
        return lambda message: getattr(message, name) if message.HasField(name) else None
    return (lambda message: getattr(message, name)) if one is None else (lambda message: one(getattr(message, name)))


def _value_reader(field: FieldDescriptor) -> Read | None:
    """How one value becomes JSON; None where it is JSON already."""
    if field.enum_type is not None:
        words = {number: word for word, number in enum_words(field.enum_type).items()}
        return lambda number: words.get(number)
    if field.message_type is not None:
        return _WELL_KNOWN.get(field.message_type.full_name, (to_json, None))[0]
    if field.type == FieldDescriptor.TYPE_BYTES:
        return lambda data: base64.b64encode(data).decode()
    return None


@lru_cache(maxsize=128)
def enum_words(kind: EnumDescriptor) -> dict[str, int]:
    """`STAGE_KIND_WON` of enum `StageKind` is the word `won`; the unstated value has no word."""
    prefix = "".join("_" + sign if sign.isupper() else sign for sign in kind.name).strip("_").upper() + "_"
    return {value.name.removeprefix(prefix).lower(): value.number for value in kind.values if value.number}


def fill(message: Message, values: Mapping[str, Any]) -> None:
    """Set fields of a message from checked JSON values; null leaves a field empty."""
    for name, value in values.items():
        if value is not None:
            _set(message, _field_of(message, name), value)


def _field_of(message: Message, name: str) -> FieldDescriptor:
    found: Any = message.DESCRIPTOR.fields_by_name[name]
    return found  # type: ignore[no-any-return]


def _set(message: Message, field: FieldDescriptor, value: Any) -> None:
    target = getattr(message, field.name)
    if is_map(field):
        target.update(value)
    elif field.message_type is not None:
        write = _WELL_KNOWN.get(field.message_type.full_name, (None, fill))[1]
        assert write is not None
        for one in value if is_repeated(field) else ():
            write(target.add(), one)
        if not is_repeated(field):
            target.SetInParent()
            write(target, value)
    elif is_repeated(field):
        target.extend(_plain(field, one) for one in value)
    else:
        setattr(message, field.name, _plain(field, value))


def _plain(field: FieldDescriptor, value: Any) -> Any:
    if field.enum_type is None:
        return value
    words = enum_words(field.enum_type)
    if value not in words:
        raise FieldInvalid(FieldViolation(field.name, f"is {str(value)[:50]!r}; use {', '.join(words)}"))
    return words[value]


def is_repeated(field: FieldDescriptor) -> bool:
    """Tell whether a field holds many values."""
    return bool(field.is_repeated)


def is_optional(field: FieldDescriptor) -> bool:
    """Tell whether a plain value may be absent, which is not the same as zero."""
    return field.message_type is None and field.containing_oneof is not None and not is_repeated(field)


def is_map(field: FieldDescriptor) -> bool:
    """Tell whether a field is a map of names to plain values."""
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _money_to_json(money: Money) -> dict[str, str]:
    amount = Decimal(money.units) + Decimal(money.nanos).scaleb(-9)
    text = f"{amount:f}"
    whole, _, places = text.partition(".")
    return {"amount": f"{whole}.{places.rstrip('0').ljust(2, '0')}", "currency_code": money.currency_code}


def _money_from_json(money: Money, value: Mapping[str, str]) -> None:
    nanos = int(Decimal(value["amount"]).scaleb(9))
    units = abs(nanos) // NANOS * (1 if nanos >= 0 else -1)
    money.currency_code, money.units, money.nanos = value["currency_code"], units, nanos - units * NANOS


def _day_to_json(day: Date) -> str | None:
    return f"{day.year:04d}-{day.month:02d}-{day.day:02d}" if day.year else None


def _day_from_json(day: Date, text: str) -> None:
    found = date.fromisoformat(text)
    day.year, day.month, day.day = found.year, found.month, found.day


def _time_to_json(stamp: Any) -> str:
    return str(stamp.ToJsonString())


def _time_from_json(stamp: Any, text: str) -> None:
    stamp.FromDatetime(datetime.fromisoformat(text).astimezone(UTC))


def _seconds_to_json(length: Any) -> float:
    return float(length.ToMilliseconds() / 1000)


def _seconds_from_json(length: Any, seconds: float) -> None:
    length.FromMilliseconds(round(seconds * 1000))


_WELL_KNOWN: dict[str, tuple[Read, Callable[[Any, Any], None]]] = {
    "google.type.Money": (_money_to_json, _money_from_json),
    "google.type.Date": (_day_to_json, _day_from_json),
    "google.protobuf.Timestamp": (_time_to_json, _time_from_json),
    "google.protobuf.Duration": (_seconds_to_json, _seconds_from_json),
}
