"""Ties entries into a chain of hashes, some at a time and behind those who write: nobody waits for it."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from chassis.audit.tables import audit_entry, audit_seal, audit_state
from chassis.database import Database, UnitOfWork
from chassis.prepared import Prepared

log = logging.getLogger(__name__)
BATCH = 5_000
BEGINNING = bytes(32)  # what the first entry is tied to
_LOCK = sa.text("SELECT pg_try_advisory_xact_lock(hashtextextended('audit seal', 0))")
_HEAD = Prepared(sa.select(audit_seal.c.number, audit_seal.c.hash).order_by(audit_seal.c.number.desc()).limit(1))
_MARKS = Prepared(
    sa.text("""
SELECT coalesce((SELECT last_value FROM pg_sequences WHERE sequencename = 'audit_entry_id_seq'
                 AND schemaname = current_schema()), 0) AS last_id,
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest,
       pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next""")
)


def content_hash(table: Any = audit_entry) -> sa.ColumnElement[bytes]:
    """SHA-256 of an entry as PostgreSQL writes it, all columns in the order of the table."""
    row = sa.cast(sa.func.row(*(table.c[column.name] for column in audit_entry.c)), sa.Text)
    return sa.func.sha256(sa.func.convert_to(row, "UTF8"))


def chain(before: bytes, content: bytes) -> bytes:
    """The hash that ties an entry to all before it."""
    return hashlib.sha256(before + content).digest()


_has_seal = sa.exists().where(audit_seal.c.entry_id == audit_entry.c.id)
_UNSEALED = Prepared(
    sa.select(audit_entry.c.id, content_hash().label("content"))
    .where(audit_entry.c.id > sa.bindparam("behind"), ~_has_seal)
    .order_by(audit_entry.c.id)
    .limit(BATCH)
)


@dataclass
class Sealer:
    """Seals what has been committed; one of several at a time.

    Entries commit out of the order of their ids. Below a mark all have their seal and no transaction can add one: it
    moves to an id given before a moment once every transaction that ran in that moment has ended.
    """

    database: Database
    _last_id: int = 0  # given before the moment
    _running: int = field(default=0)  # transactions below this ran in the moment; 0: no moment is waited for

    def seal(self) -> int:
        """Seal what waits; answers how many entries."""
        sealed = 0
        while True:
            with self.database.transaction() as work:
                if not work.execute(_LOCK).scalar():
                    return sealed
                count = self._seal_batch(work)
            sealed += count
            if count < BATCH:
                return sealed

    def _seal_batch(self, work: UnitOfWork) -> int:
        behind = work.execute(sa.select(audit_state.c.sealed_to)).scalar_one()
        [marks] = work.fetch(_MARKS)
        if (marks.last_id or 0) <= behind:
            return 0
        rows = work.fetch(_UNSEALED, {"behind": behind})
        if rows:
            head = work.fetch(_HEAD)
            last, tied = (head[0].number, bytes(head[0].hash)) if head else (0, BEGINNING)
            seals = []
            for number, row in enumerate(rows, last + 1):
                tied = chain(tied, bytes(row.content))
                seals.append((number, row.id, tied, work.now))
            work.copy_rows(audit_seal, ("number", "entry_id", "hash", "seal_time"), seals)
        if len(rows) < BATCH:
            self._move_mark(work, marks)
        return len(rows)

    def _move_mark(self, work: UnitOfWork, marks: Any) -> None:
        if self._running and marks.oldest >= self._running:
            work.execute(
                sa.update(audit_state).values(sealed_to=sa.func.greatest(audit_state.c.sealed_to, self._last_id))
            )
            self._running = 0
        if not self._running:
            self._last_id, self._running = marks.last_id, marks.next


@dataclass(frozen=True)
class Head:
    """The end of a chain: how many entries it has, and the hash over them all."""

    number: int
    hash: str


def read_head(work: UnitOfWork) -> Head:
    """Where the chain ends now."""
    found = work.fetch(_HEAD)
    return Head(found[0].number, bytes(found[0].hash).hex()) if found else Head(0, BEGINNING.hex())
