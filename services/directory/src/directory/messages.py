"""Rows as the API's messages, and the API's words for kinds and roles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from chassis.database import UnitOfWork
from chassis.dates import to_date
from crm.directory.v1 import directory_pb2 as pb
from directory import queries, rules

KIND_NUMBERS = {name: pb.UnitKind.Value(f"UNIT_KIND_{name.upper()}") for name in rules.KINDS}
KINDS = {number: name for name, number in KIND_NUMBERS.items()}
ROLE_NUMBERS = {name: pb.Role.Value(f"ROLE_{name.upper()}") for name in rules.ROLES}
ROLES = {number: name for name, number in ROLE_NUMBERS.items()}


def unit_message(row: Any) -> pb.Unit:
    """A unit row."""
    return pb.Unit(
        id=row.id,
        etag=str(row.version),
        parent_id=row.parent_id or "",
        kind=KIND_NUMBERS[row.kind],
        code=row.code,
        name=row.name,
        path=row.path,
        country_code=row.country_code,
        area_code=row.area_code,
        time_zone=row.time_zone,
        currency_code=row.currency_code,
        start_date=to_date(row.start_date),
        end_date=to_date(row.end_date),
        create_time=timestamp(row.create_time),
    )


def user_messages(work: UnitOfWork, rows: Sequence[Any]) -> list[pb.User]:
    """User rows with their positions and other spellings, in the same order."""
    ids = [row.id for row in rows]
    positions, aliases = queries.positions_of(work, ids), queries.aliases_of(work, ids)
    return [_user_message(row, positions[row.id], aliases[row.id]) for row in rows]


def _user_message(row: Any, positions: Sequence[Any], aliases: Sequence[str]) -> pb.User:
    return pb.User(
        id=row.id,
        etag=str(row.version),
        login=row.login or "",
        display_name=row.display_name,
        email=row.email,
        active=row.active,
        positions=[_position_message(one) for one in positions],
        aliases=aliases,
        leave_date=to_date(row.leave_date),
        create_time=timestamp(row.create_time),
    )


def _position_message(row: Any) -> pb.Position:
    return pb.Position(
        id=row.id,
        user_id=row.user_id,
        unit_id=row.unit_id,
        title=row.title,
        role=ROLE_NUMBERS[row.role],
        start_date=to_date(row.start_date),
        end_date=to_date(row.end_date),
    )


def timestamp(moment: datetime) -> Timestamp:
    """An aware moment as a message."""
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
