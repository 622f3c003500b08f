"""What is kept beside the cards: where each value came from, and which pairs of cards a steward should look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.database import UnitOfWork
from contacts.drafts import Batch, Origin
from contacts.tables import possible_duplicate, provenance

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
    values = [
        {"record_type": record_type, "first_id": first, "second_id": second, "reason": shared, "create_time": work.now}
        for (first, second), shared in sorted(rows.items())
    ]
    work.execute(insert(possible_duplicate).on_conflict_do_nothing(), values)
