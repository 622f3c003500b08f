"""Finds entries by who, what, which record and when, as far as the asking person may audit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from chassis.access import ALL, AUDIT, SUBTREE, TEAM, Access, covers, missing_grant
from chassis.audit.tables import audit_entry
from chassis.audit.values import OF_TEXTS, mark_text, open_value, read_keys
from chassis.database import UnitOfWork

Place = tuple[datetime, int]  # of an entry: its time and number


@dataclass(frozen=True)
class Asked:
    """What is looked for; what is empty narrows nothing. `start` to `end` is half-open."""

    actor_id: str = ""
    record_id: str = ""
    actions: Sequence[str] = ()
    session_ids: Sequence[str] = ()
    start: datetime | None = None
    end: datetime | None = None
    text: str = ""


@dataclass(frozen=True)
class Found:
    """An entry with its states opened, where the asking person may audit the record's unit and its key is there."""

    row: Any
    before: bytes
    after: bytes


def search_entries(work: UnitOfWork, asked: Asked, behind: Place | None, limit: int) -> list[Found]:
    """Entries the caller may audit, youngest first, behind a place. Errors: NotPermitted."""
    if not work.access.allows_somewhere(AUDIT):
        raise missing_grant(AUDIT, "", "")
    text_key = read_keys(work, [OF_TEXTS]).get(OF_TEXTS, b"") if asked.text else b""
    statement = sa.select(audit_entry).where(auditable(work.access), *_conditions(asked, text_key))
    if behind is not None:
        statement = statement.where(sa.tuple_(audit_entry.c.time, audit_entry.c.id) < sa.tuple_(*behind))
    rows = work.execute(statement.order_by(audit_entry.c.time.desc(), audit_entry.c.id.desc()).limit(limit)).all()
    shown = [row for row in rows if row.after is not None and may_see_values(work.access, row.unit_path)]
    keys = read_keys(work, {row.record_ids[0] for row in shown})
    return [_open(row, keys) if row in shown else Found(row, b"", b"") for row in rows]


def auditable(access: Access) -> sa.ColumnElement[bool]:
    """Predicate: what people of the caller's units did, and what was done to records of these units."""
    if access.allows_everywhere(AUDIT):
        return sa.true()
    seen: list[sa.ColumnElement[bool]] = [sa.false()]
    for grant in access.grants_for(AUDIT):
        if grant.scope == ALL:
            seen.append(sa.true())
        elif grant.scope in (SUBTREE, TEAM) and grant.unit_path:
            match = _below if grant.scope == SUBTREE else _at
            seen += [match(column, grant.unit_path) for column in _PATHS]
    denied = [~_below(column, one.unit_path) for one in access.denials_for(AUDIT) for column in _PATHS]
    return sa.and_(sa.or_(*seen), *denied)


def may_see_values(access: Access, unit_path: str) -> bool:
    """Tell whether the states of a record of this unit may be shown; without a unit to those who may audit all.

    Whoever does not see some confidential fields sees no states: they hold them.
    """
    if access.hidden:
        return False
    if not unit_path:
        return access.allows_everywhere(AUDIT)
    granted = any(covers(grant, unit_path) for grant in access.grants_for(AUDIT))
    return granted and not access.is_denied(AUDIT, unit_path)


_PATHS = (audit_entry.c.actor_path, audit_entry.c.unit_path)


def _at(column: sa.Column[str], path: str) -> sa.ColumnElement[bool]:
    return column == path


def _below(column: sa.Column[str], path: str) -> sa.ColumnElement[bool]:
    return sa.or_(column == path, column.startswith(f"{path}.", autoescape=True))


def _conditions(asked: Asked, text_key: bytes) -> list[sa.ColumnElement[bool]]:
    table, found = audit_entry.c, []
    if asked.actor_id:
        found.append(table.actor_id == asked.actor_id)
    if asked.record_id:
        found.append(table.record_ids.contains([asked.record_id]))
    if asked.actions:
        found.append(table.action.in_(asked.actions))
    if asked.session_ids:
        found += [table.session_id.in_(asked.session_ids), table.action == "sign-in"]
    if asked.start:
        found.append(table.time >= asked.start)
    if asked.end:
        found.append(table.time < asked.end)
    if asked.text:
        found.append(table.text_mark == (mark_text(text_key, asked.text) if text_key else b""))
    return found


def _open(row: Any, keys: Mapping[str, bytes]) -> Found:
    record_id = row.record_ids[0]
    return Found(row, open_value(keys, record_id, row.before), open_value(keys, record_id, row.after))
