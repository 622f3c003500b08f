"""What an import changes is kept while it loads, in the same transaction: cheaply, and only what undoing it needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import orjson
import sqlalchemy as sa

from chassis import clock
from chassis.database import Database, UnitOfWork
from chassis.prepared import Prepared
from contacts.cards import AnyCard, changed_fields
from contacts.deciding import CREATED, Base, Joined
from contacts.drafts import Batch, Draft
from contacts.kept_cards import read_card, tell_card
from contacts.storing import type_of
from contacts.tables import import_change, import_run

COLUMNS = ("run_id", "record_id", "version", "record_type", "before", "after")
RUNS_A_CHUNK = 20  # a run may have a change for each of a million cards
_NOTE_RUN = Prepared(
    sa.text("""
INSERT INTO import_run (run_id, unit_id, create_time) VALUES (:run_id, CAST(:unit_id AS uuid), :now)
ON CONFLICT DO NOTHING""")
)


def keep_import(
    work: UnitOfWork, base: Base, drafts: Sequence[Draft], joined: Sequence[Joined], batch: Batch
) -> None:  # fmt: skip
    """Keep what a call of an import changed, once it is stored; of any other call nothing."""
    run_id = next((draft.origin.run_id for draft in drafts), "")
    if not run_id:
        return
    work.run(_NOTE_RUN, {"run_id": run_id, "unit_id": batch.unit.id, "now": work.now})
    rows = [_row(run_id, base.befores[card.id], card) for card, _ in base.changes.values()]
    mentioned = (one for one, draft in zip(joined, drafts, strict=True) if not draft.fingerprint)
    made = [one.card for one in mentioned if one.fate == CREATED and one.card]
    work.copy_rows(
        import_change, COLUMNS, rows + [(run_id, one.id, 1, type_of(one), None, None) for one in made]
    )  # fmt: skip


def _row(run_id: str, before: AnyCard, card: AnyCard) -> tuple[Any, ...]:
    changed = changed_fields(before, card)
    return (run_id, card.id, card.version, type_of(card), _values(before, changed), _values(card, changed))


def _values(card: AnyCard, fields: Iterable[str]) -> str:
    return orjson.dumps({name: getattr(card, name) for name in fields}, default=list).decode()


def state_with(card: AnyCard, kept: Mapping[str, Any]) -> AnyCard:
    """The card with the values that were kept of some fields."""
    return read_card(type_of(card), {**tell_card(card), **kept})


def forget_imports(database: Database, days: int) -> None:
    """Delete what is kept of imports of more than so many days ago, a few runs a transaction."""
    gone = RUNS_A_CHUNK
    while gone == RUNS_A_CHUNK:
        with database.transaction() as work:
            old = sa.select(import_run.c.run_id).where(import_run.c.create_time < clock.now() - timedelta(days=days))
            runs = work.execute(old.limit(RUNS_A_CHUNK).with_for_update(skip_locked=True)).scalars().all()
            for table in (import_change, import_run):
                work.execute(sa.delete(table).where(table.c.run_id.in_(runs)))
        gone = len(runs)
