"""Keeps the monthly rollups equal to the deals: adds, or takes out, what given deals contribute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.database import UnitOfWork
from reporting.copying import any_of
from reporting.tables import deal, deal_line, deal_month, funnel_month, line_month


def add_to_rollups(work: UnitOfWork, deal_ids: Sequence[str], sign: int) -> None:
    """Add (sign 1) or take out (sign -1) what these deals, as they stand now, contribute; unknown ids add nothing.

    Emptied keys stay with zeros: reports and digest pass over them.
    """
    if not deal_ids:
        return
    ids = any_of(deal_ids)
    closed = sa.select(deal).where(deal.c.id == ids, deal.c.status != "open").subquery()
    _add(work, deal_month, _keys(closed, deal_month), {
        "deals": sign * sa.func.count(),
        "amount": sign * _total(closed.c.amount),
    }, closed)  # fmt: skip
    lines = sa.join(closed, deal_line, deal_line.c.deal_id == closed.c.id)
    _add(work, line_month, [*_keys(closed, line_month, without="product_id"), deal_line.c.product_id], {
        "lines": sign * _total(deal_line.c.counted),
        "amount": sign * _total(deal_line.c.amount),
        "quantity": sign * _total(deal_line.c.quantity),
        "quantities": sign * sa.func.count(deal_line.c.quantity),
    }, lines)  # fmt: skip
    every = sa.select(deal).where(deal.c.id == ids).subquery()
    _add(work, funnel_month, _keys(every, funnel_month, day="cohort_date"), {"deals": sign * sa.func.count()}, every)


def month_of(day: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The first day of a day's month."""
    return sa.cast(sa.func.date_trunc("month", sa.cast(day, sa.TIMESTAMP)), sa.Date)


def _keys(source: Any, rollup: sa.Table, day: str = "close_date", without: str = "") -> list[Any]:
    month = month_of(source.c[day])
    return [month if name == "month" else source.c[name] for name in _key_names(rollup) if name != without]


def _key_names(rollup: sa.Table) -> list[str]:
    return [column.name for column in next(iter(rollup.indexes)).columns]


def _total(column: Any) -> Any:
    return sa.func.coalesce(sa.func.sum(column), 0)


def _add(work: UnitOfWork, rollup: sa.Table, keys: list[Any], measures: dict[str, Any], source: Any) -> None:
    names = _key_names(rollup)
    chosen = sa.select(*keys, *measures.values()).select_from(source).group_by(*keys)
    statement = insert(rollup).from_select([*names, *measures], chosen)
    work.execute(
        statement.on_conflict_do_update(
            index_elements=names, set_={name: rollup.c[name] + statement.excluded[name] for name in measures}
        )
    )
