"""The records behind a figure: filtered as the figure was, so that theirs add up to it; page by page, by id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from reporting.reports.answer import Cell, Column, figure
from reporting.reports.dimensions import DIMENSIONS
from reporting.reports.drilling import Drill
from reporting.reports.facts import LOOKED_UP, Columns, Source
from reporting.reports.scope import Scope, within
from reporting.tables import deal, deal_line, organization, product, stage, user
from units.records import DEAL
from units.tables import unit


@dataclass(frozen=True)
class Records:
    """A question for records. `statement` selects the columns in order by `key` (the first is the record's id)."""

    record_type: str
    columns: list[Column]
    statement: sa.Select[Any]
    key: tuple[sa.ColumnElement[Any], ...]
    cells: Callable[[sa.Row[Any]], list[Cell]]


@dataclass(frozen=True)
class Shown:
    """A figure column of records: `value` in SQL, money in the deal's currency."""

    column: Column
    value: sa.ColumnElement[Any]


FEW = 20_000  # records that are gathered first and sorted then: some 50 ms
Convert = Callable[[Decimal, str], tuple[Decimal | None, str]]
CONVERTED = Column("converted", "Converted", "money")
COUNTED_DEALS = Shown(Column("deals", "Deals", "count"), sa.literal(1))
COUNTED_LINES = Shown(Column("lines", "Lines", "count"), deal_line.c.counted)
AMOUNT_OF_DEAL = Shown(Column("amount", "Amount", "money"), deal.c.amount)
AMOUNT_OF_LINE = Shown(Column("amount", "Amount", "money"), deal_line.c.amount)
QUANTITY = Shown(Column("quantity", "Quantity", "quantity"), deal_line.c.quantity)

_TEXTS: tuple[tuple[Column, sa.ColumnElement[Any]], ...] = (
    (Column("id", "Deal"), deal.c.id),
    (Column("title", "Title"), deal.c.title),
    (Column("unit", "Unit"), unit.c.name),
    (Column("person", "Person"), user.c.display_name),
    (Column("organization", "Organization"), organization.c.display_name),
    (Column("stage", "Stage"), stage.c.name),
    (Column("open_date", "Opened", "date"), deal.c.open_date),
    (Column("close_date", "Closed", "date"), deal.c.close_date),
)
_PRODUCT = (Column("product", "Product"), sa.func.coalesce(product.c.name, deal_line.c.product_name))


def deal_records(
    scope: Scope,
    source: Source,
    drill: Drill,
    where: Sequence[sa.ColumnElement[bool]],
    shown: Sequence[Shown],
    convert: Convert | None = None,
    converted: Column = CONVERTED,
) -> Records:
    """Deals, or their lines where the source is lines, of a figure; with `convert` the converted amount comes last."""
    has_lines = "product_id" in source.columns
    texts = [*_TEXTS, _PRODUCT] if has_lines else list(_TEXTS)
    values = [*(value for _, value in texts), *(one.value for one in shown), deal.c.currency_code]
    labelled = [value.label(f"c{at}") for at, value in enumerate(values)]
    statement = sa.select(*labelled).select_from(_joined(source, has_lines)).where(*where, *_of(scope, source, drill))
    columns = [*(column for column, _ in texts), *(one.column for one in shown)]
    if convert is not None:
        columns.append(converted)
    key = (deal.c.id, deal_line.c.number) if has_lines else (deal.c.id,)
    return Records("deal", columns, statement, key, lambda row: _cells(row, len(texts), shown, convert))


def status_is(statuses: Sequence[str]) -> list[sa.ColumnElement[bool]]:
    """A predicate on the deal's status."""
    return [deal.c.status.in_(list(statuses))]


def read_records(work: UnitOfWork, asked: Records, size: int, after: Sequence[Any] | None) -> tuple[Any, int]:
    """One more row than `size` where there are more, each with its `key` last; and how many there are in all."""
    total = work.execute(sa.select(sa.func.count()).select_from(asked.statement.subquery())).scalar_one()
    keyed = asked.statement.add_columns(*(column.label(f"key{at}") for at, column in enumerate(asked.key)))
    key = asked.key
    if total <= FEW:  # else the planner walks the whole table in the order of ids to find them
        found = keyed.cte("found").prefix_with("MATERIALIZED")
        keyed, key = sa.select(*found.c), tuple(found.c[f"key{at}"] for at in range(len(key)))
    statement = keyed.order_by(*key).limit(size + 1)
    if after is not None:
        last = (sa.literal(value, column.type) for value, column in zip(after, asked.key, strict=True))
        statement = statement.where(sa.tuple_(*key) > sa.tuple_(*last))
    return work.execute(statement).all(), total


def in_groups(scope: Scope, drill: Drill, columns: Columns) -> list[sa.ColumnElement[bool]]:
    """Predicates: the record is in the groups of a figure. Errors: FieldInvalid for groups that cannot be."""
    if drill.groups is None:
        return []
    pairs = zip(scope.group_by, drill.groups, strict=True)
    return [DIMENSIONS[name].is_group(columns[DIMENSIONS[name].raw], group, scope.tree) for name, group in pairs]


def _of(scope: Scope, source: Source, drill: Drill) -> list[sa.ColumnElement[bool]]:
    columns: Columns = {**source.columns, "month": source.day}
    columns |= {name: table.c[name] for name, (table, key) in LOOKED_UP.items() if key in columns}
    found = [*scope.limits(DEAL, columns), *within(source.day, scope.span), *in_groups(scope, drill, columns)]
    if drill.currency is not None:
        found.append(deal.c.currency_code == drill.currency)
    return found


def _joined(source: Source, has_lines: bool) -> Any:
    joined = (
        source.source()
        .outerjoin(unit, unit.c.id == deal.c.unit_id)
        .outerjoin(user, user.c.id == deal.c.owner_id)
        .outerjoin(organization, organization.c.id == deal.c.organization_id)
        .outerjoin(stage, sa.and_(stage.c.pipeline_id == deal.c.pipeline_id, stage.c.id == deal.c.stage_id))
    )
    return joined.outerjoin(product, product.c.id == deal_line.c.product_id) if has_lines else joined


def _cells(row: sa.Row[Any], texts: int, shown: Sequence[Shown], convert: Convert | None) -> list[Cell]:
    currency = row[texts + len(shown)]
    cells = [text_cell(value) for value in row[:texts]]
    amount: Decimal | None = None
    for one, value in zip(shown, row[texts:], strict=False):
        is_money = one.column.type == "money"
        cells.append(text_cell(value) if one.column.type in ("text", "date") else figure(value, currency * is_money))
        amount = value if is_money else amount
    if convert is not None:
        cells.append(figure(*convert(amount, currency)) if amount is not None and currency else Cell(""))
    return cells


def text_cell(value: object) -> Cell:
    """A cell for a text or a day; empty for none."""
    return Cell("" if value is None else str(value))
