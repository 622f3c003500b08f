"""Groups of confidential fields: which fields need a grant of their own; a change holds with the next token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.access import ADMINISTER
from chassis.database import UnitOfWork
from chassis.errors import StaleEtag
from chassis.ids import new_id
from crm.directory.events.v1 import directory_events_pb2 as events_pb
from directory import rules
from directory.errors import FieldGroupHeld, FieldGroupNotFound
from directory.events import field_group_state
from directory.rights import FieldGroup
from directory.tables import field_group, permission, restriction
from units.records import FIELDS

MOST_GROUPS = 100


def set_field_group(work: UnitOfWork, asked: FieldGroup, etag: str) -> Any:
    """Make a group, or give a known one another name and other fields; answers its row.

    Errors: StaleEtag, FieldInvalid, NotPermitted.
    """
    work.access.require_everywhere(ADMINISTER)
    rules.check_code(asked.code, "field_group.code")
    name = rules.check_text("field_group.name", asked.name, rules.MAX_NAME, required=True)
    fields = _check_fields(asked)
    values = {"records": asked.records, "code": asked.code, "name": name, "fields": fields}
    changed = {"name": name, "fields": fields, "version": field_group.c.version + 1}
    statement = insert(field_group).values(id=new_id(), create_time=work.now, **values)
    on = statement.on_conflict_do_update(constraint="field_group_code", set_=changed).returning(field_group)
    row = work.execute(on).one()
    if etag and etag != str(row.version - 1):
        raise StaleEtag(f"{asked.key} changed since you read it", metadata={"current": str(row.version - 1)})
    if work.execute(sa.select(sa.func.count()).select_from(field_group)).scalar_one() > MOST_GROUPS:
        raise rules.invalid("field_group.code", f"makes more than {MOST_GROUPS} groups; use another one")
    work.add_event(events_pb.FieldGroupChanged(field_group=field_group_state(row)), "field_group", row.id, row.version)
    return row


def remove_field_group(work: UnitOfWork, records: str, code: str) -> None:
    """Remove a group: its fields need no grant of their own any more.

    Errors: FieldGroupNotFound, FieldGroupHeld, NotPermitted.
    """
    work.access.require_everywhere(ADMINISTER)
    wanted = sa.select(field_group).where(field_group.c.records == records, field_group.c.code == code)
    row = work.execute(wanted).one_or_none() if "\0" not in records + code else None
    if row is None:
        raise FieldGroupNotFound(f"{records}.{code}")
    key = f"{row.records}.{row.code}"
    if work.execute(sa.select(restriction.c.id).where(restriction.c.records == key).limit(1)).first() is not None:
        raise FieldGroupHeld(key)
    work.execute(sa.delete(permission).where(permission.c.records == key))
    work.execute(sa.delete(field_group).where(field_group.c.id == row.id))
    event = events_pb.FieldGroupRemoved(field_group=field_group_state(row))
    work.add_event(event, "field_group", row.id, row.version + 1)


def list_field_groups(work: UnitOfWork) -> Sequence[Any]:
    """All groups, by kind of records and code."""
    return work.execute(sa.select(field_group).order_by(field_group.c.records, field_group.c.code)).all()


def read_groups(work: UnitOfWork) -> list[FieldGroup]:
    """All groups as rights see them."""
    return [FieldGroup(row.records, row.code, row.name, tuple(row.fields)) for row in list_field_groups(work)]


def _check_fields(asked: FieldGroup) -> list[str]:
    """Errors: FieldInvalid for a kind without confidential fields, for no field, and for one that is none of them."""
    known = FIELDS.get(asked.records, ())
    if not known:
        kinds = ", ".join(FIELDS)
        raise rules.invalid("field_group.records", f"is {asked.records[:40]!r}; use one of {kinds}")
    strange = [one for one in asked.fields if one not in known]
    if strange or not asked.fields:
        trouble = f"has {strange[0][:40]!r}" if strange else "is empty"
        raise rules.invalid("field_group.fields", f"{trouble}; name some of {', '.join(known)}")
    return list(dict.fromkeys(asked.fields))
