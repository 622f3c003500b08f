"""Rows as the API's messages, and the API's words for kinds and roles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from chassis.database import UnitOfWork
from chassis.dates import to_date
from crm.directory.v1 import directory_pb2 as pb
from directory import queries, rights, rules
from directory.rights import Permission

KIND_NUMBERS = {name: pb.UnitKind.Value(f"UNIT_KIND_{name.upper()}") for name in rules.KINDS}
KINDS = {number: name for name, number in KIND_NUMBERS.items()}
ROLE_NUMBERS = {name: pb.Role.Value(f"ROLE_{name.upper()}") for name in rights.BUILT_IN}
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
        freeze_reason=row.freeze_reason,
        merged_into_id=row.merged_into_id or "",
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
        positions=[position_message(one) for one in positions],
        aliases=aliases,
        leave_date=to_date(row.leave_date),
        create_time=timestamp(row.create_time),
        external_id=row.external_id,
    )


def position_message(row: Any) -> pb.Position:
    """A position row."""
    return pb.Position(
        id=row.id,
        user_id=row.user_id,
        unit_id=row.unit_id,
        title=row.title,
        role=ROLE_NUMBERS.get(row.role, pb.ROLE_OTHER),
        start_date=to_date(row.start_date),
        end_date=to_date(row.end_date),
        role_code=row.role,
        substitutes_position_id=row.substitutes_id or "",
        seat_id=row.seat_id or "",
    )


def role_message(row: Any, permissions: Sequence[Permission]) -> pb.RoleDefinition:
    """A role row with what it allows."""
    return pb.RoleDefinition(
        id=row.id,
        etag=str(row.version),
        code=row.code,
        name=row.name,
        built_in=row.built_in,
        password_off=row.password_off,
        factor=row.factor,
        permissions=[pb.Permission(action=one.action, records=one.records, scope=one.scope) for one in permissions],
    )


def field_group_message(row: Any) -> pb.FieldGroup:
    """A group of confidential fields."""
    return pb.FieldGroup(
        id=row.id, etag=str(row.version), records=row.records, code=row.code, name=row.name, fields=row.fields
    )


def restriction_message(row: Any) -> pb.Restriction:
    """A restriction row with the code of its role."""
    return pb.Restriction(
        id=row.id,
        unit_id=row.unit_id,
        action=row.action,
        records=row.records,
        user_id=row.user_id or "",
        role_code=row.role_code or "",
        reason=row.reason,
        start_date=to_date(row.start_date),
        end_date=to_date(row.end_date),
    )


def session_message(row: Any, current_id: str) -> pb.Session:
    """A session row; `current_id` is the session that asks."""
    return pb.Session(
        id=row.id,
        device=row.device,
        address=row.address,
        create_time=timestamp(row.create_time),
        use_time=timestamp(row.use_time),
        current=row.id == current_id,
    )


def timestamp(moment: datetime) -> Timestamp:
    """An aware moment as a message."""
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
