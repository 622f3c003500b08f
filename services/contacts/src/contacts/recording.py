"""What is kept beside the cards: where each value came from, and which pairs of cards a steward should look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from chassis.prepared import Prepared
from contacts.drafts import Batch, Origin
from contacts.tables import provenance

PROVENANCE = (
    "record_id", "source", "external_id", "fingerprint", "run_id", "file", "sheet", "row", "fate", "changed_fields",
    "user_id", "create_time",
)  # fmt: skip


def provenance_row(
    record_id: str, external_id: str, fingerprint: str, origin: Origin, fate: str, changed: list[str], batch: Batch
) -> tuple[Any, ...]:
    """What a row of a file said of a record, as kept for ever."""
    return (
        record_id, batch.source, external_id, fingerprint, origin.run_id, origin.file, origin.sheet, origin.row, fate,
        changed, batch.user_id, batch.now,
    )  # fmt: skip


def supersede(work: UnitOfWork, said: Sequence[tuple[str, str]], source: str) -> None:
    """Mark what a source said before of these records under these numbers as no longer said."""
    if not said:
        return
    c = provenance.c
    work.execute(
        sa.update(provenance)
        .where(c.record_id == sa.bindparam("card"), c.external_id == sa.bindparam("number"), c.source == source)
        .values(superseded=True),
        [{"card": card, "number": number} for card, number in said],
    )


def list_pairs(work: UnitOfWork, record_type: str, pairs: Sequence[tuple[str, str, str]]) -> None:
    """Keep pairs of cards that may be one customer, each pair once: (card, other card, what they share)."""
    rows: dict[tuple[str, str], str] = {}
    for card, other, shared in pairs:
        rows.setdefault((min(card, other), max(card, other)), shared)
    if not rows:
        return
    found = sorted((*pair, shared) for pair, shared in rows.items())
    columns = dict(zip(("firsts", "seconds", "reasons"), map(list, zip(*found, strict=True)), strict=True))
    work.run(_ADD_PAIRS, {"record_type": record_type, "now": work.now, **columns})


_ADD_PAIRS = Prepared(
    sa.text("""
INSERT INTO possible_duplicate (record_type, first_id, second_id, reason, create_time)
SELECT :record_type, first_id, second_id, reason, :now
FROM unnest(CAST(:firsts AS uuid[]), CAST(:seconds AS uuid[]), CAST(:reasons AS text[]))
  AS pair (first_id, second_id, reason)
ON CONFLICT DO NOTHING""")
)
