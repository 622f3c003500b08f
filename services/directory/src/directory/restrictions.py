"""Explicit restrictions: what somebody may not do in a unit whatever is granted; heads see everything else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from chassis.access import ADMINISTER, ALL, AUDIT, READ, SUBTREE, TEAM, Access
from chassis.database import UnitOfWork
from chassis.ids import is_id, new_id
from crm.directory.events.v1 import directory_events_pb2 as events_pb
from directory import rules
from directory.errors import RestrictionNotFound
from directory.events import restriction_state
from directory.roles import check_action, check_records, find_role
from directory.tables import restriction, role, unit
from directory.units import find_unit
from directory.users import find_user
from directory.visibility import below

MAX_REASON = 300
_SELECT = sa.select(restriction, role.c.code.label("role_code")).select_from(
    restriction.outerjoin(role, role.c.id == restriction.c.role_id)
)


@dataclass(frozen=True)
class NewRestriction:
    """A restriction as asked for: of a user or of a role."""

    unit_id: str
    action: str = READ
    records: str = ""
    user_id: str = ""
    role_code: str = ""
    reason: str = ""
    start_date: date | None = None
    end_date: date | None = None


def add_restriction(work: UnitOfWork, new: NewRestriction) -> Any:
    """Forbid something and answer the row.

    Errors: UnitNotFound, UserNotFound, RoleNotFound, FieldInvalid, NotPermitted.
    """
    path = find_unit(work, new.unit_id).path
    work.access.require_in(ADMINISTER, path)
    if bool(new.user_id) == bool(new.role_code):
        raise rules.invalid("restriction.user_id", "or role_code is needed, one of them: name whom it speaks of")
    rules.check_period(new.start_date, new.end_date, "restriction.end_date")
    if new.user_id and new.user_id == work.access.user_id:
        raise rules.invalid("restriction.user_id", "is you; ask another administrator")
    values = {
        "id": new_id(),
        "unit_id": new.unit_id,
        "action": check_action("restriction.action", new.action),
        "records": check_records(work, "restriction.records", new.records, new.action),
        "user_id": find_user(work, new.user_id).id if new.user_id else None,
        "role_id": find_role(work, new.role_code).id if new.role_code else None,
        "reason": rules.check_text("restriction.reason", new.reason, MAX_REASON),
        "start_date": new.start_date,
        "end_date": new.end_date,
        "create_time": work.now,
    }
    work.execute(sa.insert(restriction).values(values))
    row = work.execute(_SELECT.where(restriction.c.id == values["id"])).one()
    event = events_pb.RestrictionAdded(restriction=restriction_state(row))
    work.add_event(event, "restriction", row.id, row.version, path)
    return row


def remove_restriction(work: UnitOfWork, restriction_id: str) -> None:
    """Take a restriction back. Errors: RestrictionNotFound, NotPermitted, FieldInvalid for one's own."""
    known = _SELECT.add_columns(unit.c.path).join(unit, unit.c.id == restriction.c.unit_id)
    asked = known.where(restriction.c.id == restriction_id, auditable(work.access))
    row = work.execute(asked).one_or_none() if is_id(restriction_id) else None
    if row is None:
        raise RestrictionNotFound(restriction_id)
    work.access.require_in(ADMINISTER, row.path)
    if row.user_id and row.user_id == work.access.user_id:
        raise rules.invalid("restriction_id", "speaks of you; ask another administrator")
    work.execute(sa.delete(restriction).where(restriction.c.id == row.id))
    event = events_pb.RestrictionRemoved(restriction=restriction_state(row))
    work.add_event(event, "restriction", row.id, row.version + 1, row.path)


def list_restrictions(work: UnitOfWork, after: str, limit: int) -> Sequence[Any]:
    """The restrictions in units where the caller may audit, oldest first, after the id of the last one."""
    known = _SELECT.join(unit, unit.c.id == restriction.c.unit_id).where(auditable(work.access))
    if after:
        known = known.where(restriction.c.id > after)
    return work.execute(known.order_by(restriction.c.id).limit(limit)).all()


def auditable(access: Access) -> sa.ColumnElement[bool]:
    """Predicate on units: those where the caller may look at who may see what."""
    grants = access.grants_for(AUDIT)
    if any(one.scope == ALL for one in grants):
        return sa.true()
    seen = [below(one.unit_path) for one in grants if one.scope == SUBTREE and one.unit_path]
    seen += [unit.c.path == one.unit_path for one in grants if one.scope == TEAM and one.unit_path]
    return sa.or_(sa.false(), *seen)
