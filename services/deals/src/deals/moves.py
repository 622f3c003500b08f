"""Who did what with deals in a time: the steps of their histories, listed and counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from deals.errors import invalid
from deals.records import LOST, OPEN, WON
from deals.tables import deal, deal_step, stage
from units.records import DEAL
from units.visibility import get_unit, unit_ids_below, visible

LONGEST = timedelta(days=400)  # a year and the days around it
MOVERS = 500


@dataclass(frozen=True)
class Span:
    """Whose steps and when: `start` up to, not with, `end`; empty ids mean any."""

    start: datetime
    end: datetime
    unit_id: str = ""
    user_id: str = ""


@dataclass(frozen=True)
class Move:
    """One step of a deal; `from_stage_name` is empty for the one that opened it."""

    deal_id: str
    position: int
    title: str
    organization_id: str
    person_id: str
    amount: Decimal | None
    currency: str
    from_stage_name: str
    stage_name: str
    kind: str
    user_id: str
    change_time: datetime


@dataclass(frozen=True)
class Mover:
    """How many steps one user made."""

    user_id: str
    opened: int
    moved: int
    won: int
    lost: int


_BEFORE = deal_step.alias("before")
_STEPS = deal_step.join(deal, deal.c.id == deal_step.c.deal_id).outerjoin(stage, stage.c.id == deal_step.c.stage_id)
_KEY = (deal_step.c.change_time, deal_step.c.deal_id, deal_step.c.position)
_KIND = sa.func.coalesce(stage.c.kind, OPEN)


def list_moves(work: UnitOfWork, span: Span, size: int, after: Sequence[Any] | None) -> list[Move]:
    """Up to `size` steps, the latest first, behind the key [change_time, deal_id, position]. Errors: UnitNotKnown."""
    where = _wanted(work, span)
    if after:
        where.append(sa.tuple_(*_KEY) < sa.tuple_(*_place(after)))
    come_from = sa.and_(_BEFORE.c.deal_id == deal_step.c.deal_id, _BEFORE.c.position == deal_step.c.position - 1)
    statement = (
        sa.select(
            deal_step.c.deal_id, deal_step.c.position, deal.c.title, deal.c.organization_id, deal.c.person_id,
            deal.c.amount, deal.c.currency, _BEFORE.c.stage_name.label("from_stage_name"), deal_step.c.stage_name,
            _KIND.label("kind"), deal_step.c.user_id, deal_step.c.change_time,
        )
        .select_from(_STEPS.outerjoin(_BEFORE, come_from))
        .where(*where)
        .order_by(*(column.desc() for column in _KEY))
        .limit(size)
    )  # fmt: skip
    return [_move(row) for row in work.execute(statement)]


def _move(row: sa.Row[Any]) -> Move:
    values = dict(row._mapping)
    empty = {name: "" for name, value in values.items() if value is None and name != "amount"}
    return Move(**{**values, **empty})


def _place(after: Sequence[Any]) -> list[sa.BindParameter[Any]]:
    values = (datetime.fromisoformat(after[0]), str(after[1]), int(after[2]))
    return [sa.literal(value, column.type) for value, column in zip(values, _KEY, strict=True)]


def summarize_moves(work: UnitOfWork, span: Span) -> list[Mover]:
    """Who made how many steps, the busiest first. Errors: UnitNotKnown."""
    first = deal_step.c.position == 1
    count = sa.func.count()
    statement = (
        sa.select(
            deal_step.c.user_id,
            count.filter(first).label("opened"),
            count.filter(~first).label("moved"),
            count.filter(_KIND == WON).label("won"),
            count.filter(_KIND == LOST).label("lost"),
        )
        .select_from(_STEPS)
        .where(*_wanted(work, span))
        .group_by(deal_step.c.user_id)
        .order_by(count.desc(), deal_step.c.user_id)
        .limit(MOVERS)
    )
    return [Mover(row.user_id, row.opened, row.moved, row.won, row.lost) for row in work.execute(statement)]


def _wanted(work: UnitOfWork, span: Span) -> list[sa.ColumnElement[bool]]:
    """Errors: FieldInvalid, UnitNotKnown."""
    if not span.start < span.end <= span.start + LONGEST:
        raise invalid("change_before_time", "is not within 400 days behind change_from_time")
    where = [
        visible(work.access, DEAL, deal.c.unit_id, deal.c.owner_id),
        deal_step.c.change_time >= span.start,
        deal_step.c.change_time < span.end,
    ]
    if span.unit_id:
        where.append(deal.c.unit_id.in_(unit_ids_below(get_unit(work, span.unit_id).path)))
    if span.user_id:
        where.append(deal_step.c.user_id == span.user_id)
    return where
