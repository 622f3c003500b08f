"""What a written unit means, and patience while news of a new unit is still on its way to the other services."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from google.protobuf.message import Message

from chassis.errors import FieldViolation, Kind, RemoteError
from chassis.ids import is_id
from crm.directory.v1 import directory_pb2
from gateway.json_values import is_map, is_repeated
from gateway.services import Services

T = TypeVar("T")
PATIENCE = 3.0  # seconds; news takes tens of milliseconds when all is well
PAUSES = (0.05, 0.1, 0.2, 0.3)


def name_units(services: Services, message: Message) -> None:
    """Put the id in place of every path, code or name of a unit in a request. Errors: RemoteError naming the field."""
    for field, value in message.ListFields():
        if field.name == "unit_id" or (message.DESCRIPTOR.name == "Unit" and field.name in ("id", "parent_id")):
            setattr(message, field.name, find_unit_id(services, value, field.name))
        elif field.message_type is not None and not is_map(field):
            for one in value if is_repeated(field) else (value,):
                name_units(services, one)


def find_unit_id(services: Services, text: str, field: str = "unit") -> str:
    """The id of the unit a text means. Errors: RemoteError naming `field`."""
    if is_id(text):
        return text
    try:
        unit = services.call("directory", "GetUnit", directory_pb2.GetUnitRequest(unit=text)).unit
    except RemoteError as refusal:
        if refusal.kind in (Kind.NOT_FOUND, Kind.PRECONDITION) and not refusal.violations:
            refusal.violations = (FieldViolation(field, refusal.message),)
        raise
    return str(unit.id)


def await_unit(services: Services, act: Callable[[], T]) -> T:
    """Do `act`, again for up to 3 s while the service does not yet know a unit that the directory knows."""
    end = time.monotonic() + PATIENCE
    for pause in _pauses():
        try:
            return act()
        except RemoteError as refusal:
            if refusal.reason != "UNIT_NOT_KNOWN" or time.monotonic() + pause > end:
                raise
            if not _is_unit(services, refusal.metadata.get("unit", "")):
                raise
        time.sleep(pause)
    raise AssertionError("unreachable")


def _pauses() -> Any:
    yield from PAUSES
    while True:
        yield PAUSES[-1]


def _is_unit(services: Services, unit_id: str) -> bool:
    try:
        return bool(services.call("directory", "GetUnit", directory_pb2.GetUnitRequest(unit=unit_id)).unit.id)
    except RemoteError:
        return False
