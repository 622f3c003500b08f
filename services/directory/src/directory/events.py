"""Rows of units and users as the events that tell of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from crm.directory.events.v1 import directory_events_pb2 as pb


def unit_state(row: Any) -> pb.UnitState:
    """A unit row as others learn of it."""
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
    )


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
            )
            for one in positions
        ],
        leave_date=_day(row.leave_date),
        personal=pb.UserPersonal(email=row.email),
    )


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""
