"""Fields of a company's own as the messages and the events that tell of them."""

from __future__ import annotations

from typing import Any

from chassis.dates import to_time
from crm.contacts.events.v1 import contacts_events_pb2 as events_pb
from crm.contacts.v1 import contacts_pb2 as pb
from values.own_fields import FieldType

TYPES = {number: FieldType(name.removeprefix("CUSTOMER_FIELD_TYPE_").lower())
         for name, number in pb.CustomerFieldType.items() if number}  # fmt: skip
NUMBERS = {field_type: number for number, field_type in TYPES.items()}


def field_message(row: Any) -> pb.CustomerField:
    """A stored field on the wire."""
    return pb.CustomerField(
        id=row.id,
        etag=str(row.version),
        record_type=row.record_type,
        key=row.key,
        label=row.label,
        labels=row.labels,
        type=NUMBERS[FieldType(row.type)],
        required=row.required,
        choices=row.choices,
        default_value=row.default_value,
        unit_id=row.unit_id,
        section=row.section,
        position=row.position,
        retired=row.retired,
        create_time=to_time(row.create_time),
        update_time=to_time(row.update_time),
    )


def field_state(row: Any) -> events_pb.CustomerFieldState:
    """A stored field as others learn of it."""
    return events_pb.CustomerFieldState(
        id=row.id,
        record_type=row.record_type,
        key=row.key,
        label=row.label,
        labels=row.labels,
        type=row.type,
        required=row.required,
        choices=row.choices,
        default_value=row.default_value,
        unit_id=row.unit_id,
        retired=row.retired,
    )
