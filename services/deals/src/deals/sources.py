"""What each source last said of its deals, by the number the source gives them; claiming a number is race-safe."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert

from chassis.database import UnitOfWork
from deals.tables import deal, deal_source


@dataclass(frozen=True, slots=True)
class KnownSource:
    """A known number: its deal, the run that last read it, the run that last changed the deal, and what was said."""

    deal_id: str
    run_id: str
    change_run_id: str
    said: bytes


@dataclass(frozen=True, slots=True)
class Saying:
    """What a row says of a deal in the form that is kept."""

    external_id: str
    deal_id: str
    run_id: str
    said: bytes


def read_sources(work: UnitOfWork, source: str, numbers: Collection[str]) -> dict[str, KnownSource]:
    """What is known under these numbers; their rows stay locked until the end, so that two imports take turns."""
    kept = (
        deal_source.c.external_id,
        deal_source.c.deal_id,
        deal_source.c.run_id,
        deal.c.run_id.label("change_run_id"),
        deal_source.c.said,
    )
    rows = work.execute(
        sa.select(*kept)
        .join_from(deal_source, deal)
        .where(deal_source.c.source == source, deal_source.c.external_id.in_(numbers))
        .order_by(deal_source.c.external_id)
        .with_for_update(of=deal_source)
    )
    return {row.external_id: KnownSource(row.deal_id, row.run_id, row.change_run_id, row.said) for row in rows}


def claim_numbers(work: UnitOfWork, source: str, sayings: Sequence[Saying]) -> set[str]:
    """Take the numbers that nobody has, in one statement; returns those that are ours now.

    Another import that takes the same number at this moment is waited for, and then it has it.
    """
    if not sayings:
        return set()
    rows = _as_rows(sayings)
    new = sa.select(sa.literal(source), rows.c.external_id, rows.c.deal_id, rows.c.run_id, rows.c.said)
    names = ["source", "external_id", "deal_id", "run_id", "said"]
    statement = insert(deal_source).from_select(names, new.order_by(rows.c.external_id)).on_conflict_do_nothing()
    return set(work.execute(statement.returning(deal_source.c.external_id)).scalars())


def replace_said(work: UnitOfWork, source: str, sayings: Sequence[Saying]) -> None:
    """Keep what is said now, and the run that says it."""
    if not sayings:
        return
    rows = _as_rows(sayings)
    work.execute(
        sa.update(deal_source)
        .where(deal_source.c.source == source, deal_source.c.external_id == rows.c.external_id)
        .values(said=rows.c.said, run_id=rows.c.run_id)
    )


def mark_read(work: UnitOfWork, source: str, numbers: Collection[str], run_id: str) -> None:
    """Note that a run has read these numbers and found nothing new."""
    if not numbers or not run_id:
        return
    same = sa.and_(deal_source.c.source == source, deal_source.c.external_id.in_(numbers))
    work.execute(sa.update(deal_source).where(same, deal_source.c.run_id != run_id).values(run_id=run_id))


def _as_rows(sayings: Sequence[Saying]) -> sa.TableValuedAlias:
    names = ("external_id", "deal_id", "run_id", "said")
    kinds: list[sa.types.TypeEngine[Any]] = [deal_source.c[name].type for name in names]
    arrays = [
        sa.cast([getattr(one, name) for one in sayings], ARRAY(kind)) for name, kind in zip(names, kinds, strict=True)
    ]
    columns: list[sa.ColumnClause[Any]] = [sa.column(name, kind) for name, kind in zip(names, kinds, strict=True)]
    return sa.func.unnest(*arrays).table_valued(*columns, name="said_now").render_derived()
