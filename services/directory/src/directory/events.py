"""Rows of units, users, roles and restrictions as the events that tell of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from crm.directory.events.v1 import directory_events_pb2 as pb
from directory.rights import Permission


def unit_state(row: Any, places: Sequence[Any] = ()) -> pb.UnitState:
    """A unit row as others learn of it; `places` are the rows of its history, oldest first."""
    return pb.UnitState(
        id=row.id,
        parent_id=row.parent_id or "",
        kind=row.kind,
        code=row.code,
        name=row.name,
        path=row.path,
        country_code=row.country_code,
        area_code=row.area_code,
        time_zone=row.time_zone,
        currency_code=row.currency_code,
        start_date=_day(row.start_date),
        end_date=_day(row.end_date),
        freeze_reason=row.freeze_reason,
        merged_into_id=row.merged_into_id or "",
        places=_places(row, places),
    )


def _places(row: Any, places: Sequence[Any]) -> list[pb.UnitPlace]:
    """What the unit was, the last word of each day; what it was first it was since it began."""
    zone = ZoneInfo(row.time_zone)
    by_day = {one.change_time.astimezone(zone).date(): one for one in places}
    return [
        pb.UnitPlace(
            start_date=day.isoformat() if at else "",
            name=one.name,
            kind=one.kind,
            path=one.path,
            merged_into_id=one.merged_into_id or "",
        )
        for at, (day, one) in enumerate(by_day.items())
    ]


def user_state(row: Any, positions: Sequence[Any]) -> pb.UserState:
    """A user row with its position rows, oldest first, as others learn of it."""
    return pb.UserState(
        id=row.id,
        display_name=row.display_name,
        active=row.active,
        positions=[
            pb.PositionState(
                id=one.id,
                unit_id=one.unit_id,
                title=one.title,
                role=one.role,
                start_date=_day(one.start_date),
                end_date=_day(one.end_date),
                substitutes_position_id=one.substitutes_id or "",
                seat_id=one.seat_id or "",
            )
            for one in positions
        ],
        leave_date=_day(row.leave_date),
        personal=pb.UserPersonal(email=row.email),
    )


def role_state(row: Any, permissions: Sequence[Permission]) -> pb.RoleState:
    """A role row with what it allows, as others learn of it."""
    allowed = [pb.PermissionState(action=one.action, records=one.records, scope=one.scope) for one in permissions]
    return pb.RoleState(id=row.id, code=row.code, name=row.name, permissions=allowed)


def field_group_state(row: Any) -> pb.FieldGroupState:
    """A group of confidential fields as others learn of it."""
    return pb.FieldGroupState(id=row.id, records=row.records, code=row.code, name=row.name, fields=row.fields)


def restriction_state(row: Any) -> pb.RestrictionState:
    """A restriction row with the code of its role, as others learn of it."""
    return pb.RestrictionState(
        id=row.id,
        unit_id=row.unit_id,
        action=row.action,
        records=row.records,
        user_id=row.user_id or "",
        role=row.role_code or "",
        reason=row.reason,
        start_date=_day(row.start_date),
        end_date=_day(row.end_date),
    )


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""
