"""What an entry of the audit trail says, and how entries are written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from chassis.access import Access
from chassis.audit.tables import audit_entry
from chassis.database import UnitOfWork
from chassis.ids import is_id
from chassis.prepared import Prepared

READ, LIST, SEARCH, REPORT, FILE = "read", "list", "search", "report", "file"
CHANGE, ACT, SIGN_IN, REFUSED, ALARM = "change", "act", "sign-in", "refused", "alarm"
ACTIONS = (READ, LIST, SEARCH, REPORT, FILE, CHANGE, ACT, SIGN_IN, REFUSED, ALARM)
MOST_REASON = 200


class Entry(NamedTuple):
    """One act of somebody, as it is stored; `records` is the kind of the records, `record_count` how many they were."""

    time: datetime
    actor_id: str
    actor_path: str
    session_id: str
    origin: str
    service: str
    action: str
    method: str
    records: str = ""
    record_ids: Sequence[str] = ()
    unit_path: str = ""
    record_count: int = 0
    reason: str = ""
    text_mark: bytes | None = None
    before: bytes | None = None
    after: bytes | None = None


def entry_of(access: Access, time: datetime, action: str, method: str, records: str = "", **more: Any) -> Entry:
    """An entry about a caller; `more` are further fields of Entry."""
    who = (access.user_id, access.unit_path, access.session_id, "", access.service)
    return Entry(time, *who, action, method, records)._replace(**more)


def write_entry(
    work: UnitOfWork,
    action: str,
    method: str,
    records: str = "",
    record_ids: Sequence[str] = (),
    *,
    by: Access | None = None,
    **more: Any,
) -> None:
    """Write what the caller, or whoever it is done `by`, does: with the deed in its transaction, or not at all."""
    ids = [one for one in record_ids if is_id(one)]
    entry = entry_of(
        by or work.access, work.now, action, method, records, record_ids=ids, record_count=len(ids), **more
    )
    work.run_later(_INSERT, entry._asdict())


def write_entries(work: UnitOfWork, entries: Sequence[Entry]) -> None:
    """Write many entries at once."""
    work.copy_rows(audit_entry, Entry._fields, entries)


_INSERT = Prepared(sa.insert(audit_entry).inline().values({name: sa.bindparam(name) for name in Entry._fields}))
