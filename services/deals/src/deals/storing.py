"""Deals into their tables, many at once: rows, lines and steps by one statement each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from deals.records import Deal
from deals.tables import deal, deal_line, deal_step

_COLUMNS = tuple(deal.c.keys())
_LINE_COLUMNS = tuple(deal_line.c.keys())
_STEP_COLUMNS = tuple(deal_step.c.keys())
_CHANGING = tuple(name for name in _COLUMNS if name not in ("id", "creator_id", "create_time"))


def insert_deals(work: UnitOfWork, deals: Sequence[Deal]) -> None:
    """Insert new deals with their lines and steps."""
    work.copy_rows(deal, _COLUMNS, [_values(one) for one in deals])
    _copy_children(work, deals)


def update_deals(work: UnitOfWork, deals: Sequence[Deal]) -> None:
    """Write changed deals, whose rows are locked, and replace their lines and steps."""
    if not deals:
        return
    change = sa.update(deal).where(deal.c.id == sa.bindparam("of_id"))
    values = {name: sa.bindparam(f"of_{name}", type_=deal.c[name].type) for name in _CHANGING}
    work.execute(change.values(values), [_parameters(one) for one in deals])
    ids = [one.id for one in deals]
    work.execute(sa.delete(deal_line).where(deal_line.c.deal_id.in_(ids)))
    work.execute(sa.delete(deal_step).where(deal_step.c.deal_id.in_(ids)))
    _copy_children(work, deals)


def _copy_children(work: UnitOfWork, deals: Sequence[Deal]) -> None:
    lines = [
        (
            one.id, position, line.product_id or None, line.description, line.quantity, line.unit_price, line.discount,
            line.amount, line.external_id,
        )
        for one in deals
        for position, line in enumerate(one.facts.line_items, 1)
    ]  # fmt: skip
    work.copy_rows(deal_line, _LINE_COLUMNS, lines)
    steps = [
        (one.id, position, step.stage_id, step.stage_name, step.change_time, step.user_id)
        for one in deals
        for position, step in enumerate(one.facts.stage_history, 1)
    ]
    work.copy_rows(deal_step, _STEP_COLUMNS, steps)


def _values(one: Deal) -> tuple[Any, ...]:
    facts = one.facts
    return (
        one.id, one.version, facts.title, facts.pipeline_id, facts.stage_id, one.status, facts.organization_id or None,
        facts.person_id or None, facts.unit_id, facts.owner_id or None, facts.amount, facts.currency or None,
        facts.open_date, facts.close_date, facts.loss_reason or None, facts.loss_comment, facts.business_line,
        facts.external_id, json.dumps(dict(facts.attributes), ensure_ascii=False), one.creator_id, one.run_id,
        one.create_time, one.update_time, one.stage_time, facts.expected_close_date,
    )  # fmt: skip


def _parameters(one: Deal) -> dict[str, Any]:
    named = dict(zip(_COLUMNS, _values(one), strict=True)) | {"attributes": dict(one.facts.attributes)}
    return {"of_id": one.id} | {f"of_{name}": named[name] for name in _CHANGING}
