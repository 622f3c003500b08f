"""How segments are made, changed, listed, and counted while somebody writes one."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

import sqlalchemy as sa

from chassis.access import CHANGE
from chassis.database import UnitOfWork
from chassis.errors import NotPermitted, StaleEtag
from chassis.ids import new_id
from contacts.errors import invalid
from contacts.fields import read_text
from contacts.lists import read_mask
from contacts.segments.conditions import Condition, members_of, read_conditions
from contacts.segments.messages import segment_message, segment_state
from contacts.segments.seeing import conditions_of, find_segment, may_see, select_segments
from contacts.tables import person, segment
from contacts.visibility import visible_cards
from crm.contacts.events.v1 import contacts_events_pb2 as events_pb
from crm.contacts.v1 import contacts_pb2 as pb
from units.records import CUSTOMER
from units.visibility import get_unit, unit_ids_below

MOST_SEGMENTS = 400  # retired ones included: what a page shows
NAME = 100
CHANGED = ("name", "match_any", "conditions", "retired")


def create_segment(work: UnitOfWork, request: pb.CreateSegmentRequest) -> pb.CreateSegmentResponse:
    """Make a segment. Errors: FieldInvalid, UnitNotKnown, NotPermitted."""
    asked = request.segment
    home = get_unit(work, asked.unit_id or work.access.unit_id, CHANGE, CUSTOMER)
    conditions = read_conditions(work, asked.conditions)
    _require_shown(work, home.path, conditions)
    _require_room(work)
    values = {
        "id": new_id(), "version": 1, "revision": 1, "name": _read_name(asked), "unit_id": home.id,
        "match_any": asked.match_any, "conditions": [astuple(one) for one in conditions], "retired": False,
        "create_time": work.now, "update_time": work.now, "due_time": work.now,
    }  # fmt: skip
    row = work.execute(sa.insert(segment).values(values).returning(segment)).one()
    work.add_event(events_pb.SegmentCreated(segment=segment_state(row)), "segment", row.id, row.version, home.path)
    return pb.CreateSegmentResponse(segment=segment_message(row))


def update_segment(work: UnitOfWork, request: pb.UpdateSegmentRequest) -> pb.UpdateSegmentResponse:
    """Change the named properties. Errors: SegmentNotFound, StaleEtag, FieldInvalid, NotPermitted."""
    asked = request.segment
    paths = read_mask(request.update_mask, dict.fromkeys(CHANGED))
    row = find_segment(work, asked.id, for_change=True)
    work.access.require_in(CHANGE, row.path, CUSTOMER)
    if request.etag != str(row.revision) and (request.etag or work.access.user_id):
        raise StaleEtag("the segment changed since you read it; read it again", metadata={"etag": str(row.revision)})
    conditions = read_conditions(work, asked.conditions) if "conditions" in paths else conditions_of(row)
    _require_shown(work, row.path, conditions)
    values: dict[str, Any] = {
        "name": _read_name(asked) if "name" in paths else row.name,
        "match_any": asked.match_any,
        "conditions": [astuple(one) for one in conditions],
        "retired": asked.retired,
    }
    c = segment.c
    new = {name: values[name] for name in paths}
    changed = sa.update(segment).where(c.id == row.id).values(
        **new, version=c.version + 1, revision=c.revision + 1, update_time=work.now, due_time=work.now
    )  # fmt: skip
    after = work.execute(changed.returning(segment)).one()
    work.add_event(events_pb.SegmentUpdated(segment=segment_state(after)), "segment", after.id, after.version, row.path)
    return pb.UpdateSegmentResponse(segment=segment_message(after))


def list_segments(work: UnitOfWork, request: pb.ListSegmentsRequest) -> pb.ListSegmentsResponse:
    """The visible segments by name. Errors: UnitNotKnown."""
    found = select_segments().order_by(sa.func.lower(segment.c.name), segment.c.id)
    if not request.with_retired:
        found = found.where(sa.not_(segment.c.retired))
    if request.unit_id:
        found = found.where(segment.c.unit_id.in_(unit_ids_below(get_unit(work, request.unit_id).path)))
    seen = [row for row in work.execute(found) if may_see(work.access, row.path, conditions_of(row))]
    return pb.ListSegmentsResponse(segments=[segment_message(row) for row in seen])


def count_segment(work: UnitOfWork, request: pb.CountSegmentRequest) -> pb.CountSegmentResponse:
    """Count who would be in a segment now. Errors: FieldInvalid, UnitNotKnown, NotPermitted."""
    home = get_unit(work, request.unit_id or work.access.unit_id)
    conditions = read_conditions(work, request.conditions)
    _require_shown(work, home.path, conditions)
    wanted = members_of(work, home.path, conditions, match_any=request.match_any)
    counted = sa.select(sa.func.count()).select_from(person).where(*wanted, visible_cards(work.access, person))
    return pb.CountSegmentResponse(persons=work.execute(counted).scalar_one())


def _read_name(asked: pb.Segment) -> str:
    name = read_text("segment.name", asked.name, NAME)
    if not name:
        raise invalid("segment.name", "is empty; say what people read", "MISSING")
    return name


def _require_shown(work: UnitOfWork, unit_path: str, conditions: list[Condition]) -> None:
    if not may_see(work.access, unit_path, conditions):
        raise NotPermitted(
            "a segment is for who sees all customers of its unit and all facts it asks for; name a unit of yours, or"
            " leave out what you do not see",
            metadata={"unit": unit_path},
        )


def _require_room(work: UnitOfWork) -> None:
    if work.execute(sa.select(sa.func.count()).select_from(segment)).scalar_one() >= MOST_SEGMENTS:
        raise invalid("segment", f"would be more than {MOST_SEGMENTS}; change one that is retired", "TOO_MANY")
