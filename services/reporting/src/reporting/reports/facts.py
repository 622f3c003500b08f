"""Where figures come from: closed deals, their lines, deals begun; from the monthly rollups where these suffice.

A rollup serves whole months of the questions it has the columns for; days at the edges of a period, and questions by
organization or reason, are answered from the deals themselves. Both give the same figures; only the speed differs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from reporting.reports.scope import Scope, within
from reporting.rollups import month_of
from reporting.rules.periods import Span, split_span
from reporting.tables import deal, deal_line, deal_month, funnel_month, line_month, organization, product
from units.records import DEAL

Columns = dict[str, sa.ColumnElement[Any]]

# What is looked up when the report runs, since it may arrive after the deal: where from, by which id.
LOOKED_UP = {
    "category": (product, "product_id"),
    "unit_of_measure": (product, "product_id"),
    "country": (organization, "organization_id"),
    "industry": (organization, "organization_id"),
}


@dataclass(frozen=True)
class Source:
    """One kind of facts: the rollup where there is one, its measures, the same of single records, their kind."""

    rollup: sa.Table | None
    day: sa.ColumnElement[Any]
    source: Callable[[], Any]
    columns: Columns
    measures: Columns
    records: str = DEAL


def _of_deal(*names: str) -> Columns:
    return {name: deal.c[name] for name in names}


_SHARED = ("status", "unit_id", "owner_id", "pipeline_id", "stage_id", "currency_code", "organization_id",
           "loss_reason", "business_line")  # fmt: skip

CLOSED_DEALS = Source(
    deal_month,
    deal.c.close_date,
    lambda: deal,
    _of_deal(*_SHARED),
    {"deals": sa.literal(1), "amount": sa.func.coalesce(deal.c.amount, 0)},
)
CLOSED_LINES = Source(
    line_month,
    deal.c.close_date,
    lambda: deal.join(deal_line, deal_line.c.deal_id == deal.c.id),
    {**_of_deal(*_SHARED), "product_id": deal_line.c.product_id},
    {
        "lines": deal_line.c.counted,
        "amount": sa.func.coalesce(deal_line.c.amount, 0),
        "quantity": sa.func.coalesce(deal_line.c.quantity, 0),
        "quantities": sa.case((deal_line.c.quantity.is_(None), 0), else_=1),
    },
)
BEGUN_DEALS = Source(
    funnel_month, deal.c.cohort_date, lambda: deal, _of_deal(*_SHARED, "entered"), {"deals": sa.literal(1)}
)

OPEN_DEALS = Source(
    None,
    deal.c.cohort_date,
    lambda: deal,
    _of_deal(*_SHARED),
    {"deals": sa.literal(1), "amount": sa.func.coalesce(deal.c.amount, 0)},
)


def read_facts(
    work: UnitOfWork, scope: Scope, source: Source, by: Sequence[str], measures: Sequence[str], statuses: Sequence[str]
) -> Sequence[sa.Row[Any]]:
    """Sums of some of the source's measures within the scope, grouped by columns (`month` is its first day).

    Keys all of whose measures are 0 are left out. Only what is asked is summed: sums are most of the time it takes.
    """
    stored = list(dict.fromkeys(LOOKED_UP[name][1] if name in LOOKED_UP else name for name in by))
    inner = sa.union_all(*_parts(scope, source, (*stored, *measures), statuses)).subquery("facts")
    joined, columns = _look_up(inner, by)
    sums = [sa.func.sum(inner.c[name]).label(name) for name in measures]
    some = sa.or_(*(sa.func.sum(inner.c[name]) != 0 for name in measures))
    keys = [columns[name].label(name) for name in by]
    statement = sa.select(*keys, *sums).select_from(joined).group_by(*(columns[name] for name in by)).having(some)
    return work.execute(statement).all()


def count_undated(work: UnitOfWork, scope: Scope, statuses: Sequence[str]) -> list[str]:
    """A remark on closed deals without a closing day, which are in no period; none where there are none."""
    if scope.span.is_open:
        return []
    limits = scope.limits(DEAL, CLOSED_DEALS.columns)
    undated = sa.select(sa.func.count()).where(deal.c.close_date.is_(None), *_status(_of_deal("status"), statuses))
    number = work.execute(undated.where(*limits)).scalar_one()
    return [f"{number} closed deals have no closing day and are in no period."] if number else []


def _parts(scope: Scope, source: Source, chosen: Sequence[str], statuses: Sequence[str]) -> list[sa.Select[Any]]:
    rollup = source.rollup
    if rollup is None or not set(chosen) <= set(rollup.c.keys()):
        return [_single(scope, source, chosen, statuses, scope.span)]
    whole, rest = split_span(scope.span)
    parts = [_single(scope, source, chosen, statuses, span) for span in rest]
    if whole is not None:
        columns: Columns = dict(rollup.c.items())
        limits = [*scope.limits(source.records, columns), *within(columns["month"], whole), *_status(columns, statuses)]
        parts.insert(0, sa.select(*(columns[name] for name in chosen)).where(*limits))
    return parts


def _single(scope: Scope, source: Source, chosen: Sequence[str], statuses: Sequence[str], span: Span) -> sa.Select[Any]:
    columns = {**source.columns, **source.measures, "month": month_of(source.day)}
    limits = [*scope.limits(source.records, columns), *within(source.day, span), *_status(columns, statuses)]
    values = [columns[name].label(name) for name in chosen]
    return sa.select(*values).select_from(source.source()).where(*limits)


def _status(columns: Columns, statuses: Sequence[str]) -> list[sa.ColumnElement[bool]]:
    return [columns["status"].in_(list(statuses))] if statuses else []


def _look_up(inner: sa.Subquery, by: Sequence[str]) -> tuple[Any, Columns]:
    joined: Any = inner
    for table in {LOOKED_UP[name][0]: None for name in by if name in LOOKED_UP}:
        key = next(key for known, key in LOOKED_UP.values() if known is table)
        joined = joined.outerjoin(table, table.c.id == inner.c[key])
    columns: Columns = {
        name: sa.func.coalesce(LOOKED_UP[name][0].c[name], "") if name in LOOKED_UP else inner.c[name] for name in by
    }
    return joined, columns
