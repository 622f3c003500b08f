"""Finds what was done to a trail behind its back: an entry changed, taken out, put in, moved, or the end cut off."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from chassis.audit.sealing import BEGINNING, chain, content_hash
from chassis.audit.tables import audit_entry, audit_seal
from chassis.database import Database

WHOLE_TRAIL_MS = 3_600_000
AT_ONCE = 2_000
SEALED_WITHIN = "1 minute"  # a worker seals each second; an entry without a seal for longer was put in behind its back
MOST_FAULTS = 100


@dataclass(frozen=True)
class Anchor:
    """A head noted earlier at another place: how many entries the chain had then, and the hash (hex) over them."""

    number: int
    hash: str


@dataclass(frozen=True)
class Fault:
    """One thing that is not as it was sealed; `entry_id` is 0 where the place in the chain is all that is known."""

    number: int
    entry_id: int
    what: str


@dataclass(frozen=True)
class Verdict:
    """What a look at a whole trail found; no faults: nothing was touched since it was sealed."""

    entries: int
    head: str
    waiting: int
    faults: Sequence[Fault]


def verify_trail(database: Database, anchors: Sequence[Anchor] = ()) -> Verdict:
    """Work out the whole chain anew and compare it with its seals, and with heads noted elsewhere."""
    noted = {one.number: one.hash for one in anchors}
    faults: list[Fault] = []
    number, tied = 0, BEGINNING
    for row in _sealed(database):
        if row.number != number + 1:
            faults.append(Fault(number + 1, 0, f"seals {number + 1} to {row.number - 1} are missing"))
        told = bytes(row.hash)
        if row.content is None:
            faults.append(Fault(row.number, row.entry_id, "the entry was taken out"))
        elif row.number == number + 1 and chain(tied, bytes(row.content)) != told:
            faults.append(Fault(row.number, row.entry_id, "the entry or its seal was changed, or it was moved"))
        if noted.pop(row.number, told.hex()) != told.hex():
            faults.append(
                Fault(row.number, row.entry_id, "the chain up to here is not the one that was noted elsewhere")
            )
        number, tied = row.number, told
        if len(faults) >= MOST_FAULTS:
            break
    else:
        faults += [Fault(one, 0, "the end is cut off: this was noted elsewhere") for one in sorted(noted) if one]
    waiting, strange = _unsealed(database)
    faults += [Fault(0, one, "the entry has no seal, and is older than a minute") for one in strange]
    return Verdict(number, tied.hex(), waiting, faults)


def read_heads(file: Path, service: str) -> list[Anchor]:
    """The heads of a service in a file to which workers added them. Errors: OSError, ValueError for another file."""
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    try:
        return [Anchor(int(one["number"]), str(one["hash"])) for one in lines if one["service"] == service]
    except (TypeError, KeyError):
        raise ValueError(f"{file} is no file of heads") from None


def _sealed(database: Database) -> Iterator[sa.Row[tuple[int, int, bytes, bytes | None]]]:
    content = sa.case((audit_entry.c.id.is_(None), None), else_=content_hash())
    statement = (
        sa.select(audit_seal.c.number, audit_seal.c.entry_id, audit_seal.c.hash, content.label("content"))
        .select_from(audit_seal.outerjoin(audit_entry, audit_entry.c.id == audit_seal.c.entry_id))
        .where(audit_seal.c.number > sa.bindparam("behind"))
        .order_by(audit_seal.c.number)
        .limit(AT_ONCE)
    )
    behind = -(2**62)
    while True:
        with database.transaction() as work:
            work.execute(sa.text(f"SET LOCAL statement_timeout = {WHOLE_TRAIL_MS}"))
            rows = work.execute(statement, {"behind": behind}).all()
        yield from rows
        if len(rows) < AT_ONCE:
            return
        behind = rows[-1].number


def _unsealed(database: Database) -> tuple[int, list[int]]:
    """How many entries wait for their seal, and those among them that should have it."""
    has_seal = sa.exists().where(audit_seal.c.entry_id == audit_entry.c.id)
    late = audit_entry.c.time < sa.func.clock_timestamp() - sa.text(f"interval '{SEALED_WITHIN}'")
    statement = sa.select(audit_entry.c.id, late.label("late")).where(~has_seal).order_by(audit_entry.c.id)
    with database.transaction() as work:
        work.execute(sa.text(f"SET LOCAL statement_timeout = {WHOLE_TRAIL_MS}"))
        rows = work.execute(statement.limit(AT_ONCE)).all()
    return len(rows), [row.id for row in rows if row.late][:MOST_FAULTS]
