"""How roles come, change what they allow, and go; a change is in force when the next token is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.access import ADMINISTER, OWN, PROVISION, READ
from chassis.database import UnitOfWork
from chassis.errors import StaleEtag
from chassis.ids import new_id
from crm.directory.events.v1 import directory_events_pb2 as events_pb
from directory import queries, rules
from directory.errors import RoleFixed, RoleHeld, RoleNotFound
from directory.events import role_state
from directory.field_groups import read_groups
from directory.rights import ACTIONS, FIXED, RECORDS, SCOPES, Permission, reaches_everywhere, speaks_of_fields
from directory.tables import permission, position, restriction, role, seat
from units.records import KINDS

MOST_PERMISSIONS = 200
RULING = (
    "administer",
    "configure",
    "audit",
    "plan",
    "provision",
)  # of units, not of single records: nobody owns what they speak of


def set_role(work: UnitOfWork, code: str, name: str, asked: Sequence[Permission], etag: str) -> Any:
    """Make a role, or give a known one another name and other permissions; answers its row.

    Errors: RoleFixed, StaleEtag, FieldInvalid, NotPermitted.
    """
    work.access.require_everywhere(ADMINISTER)
    if code in FIXED:
        raise RoleFixed(code, "changed")
    rules.check_code(code, "role.code")
    kept = rules.check_text("role.name", name, rules.MAX_NAME, required=True)
    allowed = check_permissions(work, asked)
    row = _store(work, code, kept, etag)
    work.execute(sa.delete(permission).where(permission.c.role_id == row.id))
    rows = [{"role_id": row.id, "action": a.action, "records": a.records, "scope": a.scope} for a in allowed]
    if rows:
        work.execute(sa.insert(permission), rows)
    work.add_event(events_pb.RoleChanged(role=role_state(row, allowed)), "role", row.id, row.version)
    return row


def remove_role(work: UnitOfWork, code: str) -> None:
    """Remove a role that nothing names. Errors: RoleNotFound, RoleFixed, RoleHeld, NotPermitted."""
    work.access.require_everywhere(ADMINISTER)
    row = find_role(work, code)
    if row.built_in:
        raise RoleFixed(code, "removed")
    held = sa.select(position.c.id).where(position.c.role == code)
    named = sa.select(restriction.c.id).where(restriction.c.role_id == row.id)
    seats = sa.select(seat.c.id).where(seat.c.role == code)
    if work.execute(sa.union_all(held, named, seats).limit(1)).first() is not None:
        raise RoleHeld(code)
    allowed = queries.permissions_of(work, [code]).get(code, ())
    work.execute(sa.delete(role).where(role.c.id == row.id))
    work.add_event(events_pb.RoleRemoved(role=role_state(row, allowed)), "role", row.id, row.version + 1)


def list_roles(work: UnitOfWork, after: str, limit: int) -> list[tuple[Any, tuple[Permission, ...]]]:
    """Roles with what they allow in the order in which they came, after the id of the last one."""
    statement = sa.select(role).order_by(role.c.id).limit(limit)
    rows = work.execute(statement.where(role.c.id > after) if after else statement).all()
    allowed = queries.permissions_of(work, [row.code for row in rows])
    return [(row, allowed.get(row.code, ())) for row in rows]


def find_role(work: UnitOfWork, code: str) -> Any:
    """The row of a role. Errors: RoleNotFound."""
    row = work.execute(sa.select(role).where(role.c.code == code)).one_or_none() if "\0" not in code else None
    if row is None:
        raise RoleNotFound(code)
    return row


def check_permissions(work: UnitOfWork, asked: Sequence[Permission]) -> list[Permission]:
    """Permissions as they may be stored, each once. Errors: FieldInvalid."""
    if len(asked) > MOST_PERMISSIONS:
        raise rules.invalid("role.permissions", f"has {len(asked)} entries; use at most {MOST_PERMISSIONS}")
    for at, one in enumerate(asked):
        field = f"role.permissions[{at}]"
        check_action(f"{field}.action", one.action)
        check_records(work, f"{field}.records", one.records, one.action)
        if one.scope not in SCOPES:
            raise rules.invalid(f"{field}.scope", f"is {one.scope[:40]!r}; use one of {', '.join(SCOPES)}")
        if one.scope == OWN and one.action in RULING:
            raise rules.invalid(f"{field}.scope", f"is own, but nobody owns what one may {one.action}; use subtree")
    return sorted(set(asked))


def check_action(field: str, action: str) -> str:
    """Errors: FieldInvalid for what is no action."""
    if action not in ACTIONS:
        raise rules.invalid(field, f"is {action[:40]!r}; use one of {', '.join(ACTIONS)}")
    return action


def check_records(work: UnitOfWork, field: str, records: str, action: str) -> str:
    """Errors: FieldInvalid for what is neither a kind of records nor, to read, a group of confidential fields."""
    if speaks_of_fields(records):
        if action != READ:
            raise rules.invalid(field, f"is {records[:40]!r}, a group of fields, which one reads; name a kind instead")
        if records not in {one.key for one in read_groups(work)}:
            raise rules.invalid(field, f"is {records[:40]!r}; name a group that ListFieldGroups answers")
    elif records not in RECORDS:
        raise rules.invalid(field, f"is {records[:40]!r}; use one of {', '.join(KINDS)}, or nothing for every kind")
    return records


def require_right_to_give(work: UnitOfWork, code: str, path: str, field: str) -> None:
    """Nobody gives more than a unit holds without administering all. Errors: FieldInvalid, NotPermitted."""
    if work.execute(sa.select(role.c.id).where(role.c.code == code)).first() is None:
        raise rules.invalid(f"{field}.role_code", f"{code[:60]!r} is no role; name one that ListRoles answers")
    if reaches_everywhere(queries.permissions_of(work, [code]).get(code, ())):
        work.access.require_everywhere(ADMINISTER)
    work.access.require_in(PROVISION, path)


def _store(work: UnitOfWork, code: str, name: str, etag: str) -> Any:
    statement = insert(role).values(id=new_id(), code=code, name=name, built_in=False, create_time=work.now)
    changed = {"name": name, "version": role.c.version + 1}
    row = work.execute(statement.on_conflict_do_update(index_elements=["code"], set_=changed).returning(role)).one()
    if etag and etag != str(row.version - 1):
        raise StaleEtag(f"role {code} changed since you read it", metadata={"current": str(row.version - 1)})
    return row
