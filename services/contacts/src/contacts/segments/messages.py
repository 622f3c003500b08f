"""Segments as the messages and the events that tell of them."""

from __future__ import annotations

from typing import Any

from chassis.dates import to_time
from contacts.segments.conditions import NUMBERS
from contacts.segments.seeing import conditions_of
from crm.contacts.events.v1 import contacts_events_pb2 as events_pb
from crm.contacts.v1 import contacts_pb2 as pb


def segment_message(row: Any) -> pb.Segment:
    """A stored segment on the wire."""
    return pb.Segment(
        id=row.id,
        etag=str(row.revision),
        name=row.name,
        unit_id=row.unit_id,
        match_any=row.match_any,
        conditions=[
            pb.SegmentCondition(field=one.field, operator=NUMBERS[one.operator], value=one.value)
            for one in conditions_of(row)
        ],
        retired=row.retired,
        create_time=to_time(row.create_time),
        update_time=to_time(row.update_time),
        evaluate_time=to_time(row.evaluate_time),
    )


def segment_state(row: Any) -> events_pb.SegmentState:
    """A stored segment as others learn of it."""
    return events_pb.SegmentState(id=row.id, name=row.name, unit_id=row.unit_id, retired=row.retired)
