"""Plan against fact: what was planned and what was won, by unit, person, product and period; missing plans are named.

Fact is revenue, or quantity, of deals won with a close date in the period. Plan is chosen so that it counts once: of a
unit's own plan and those below it the unit's own is used, the sum of those below only where it has none (see
rules.planning). Revenue is compared in the report's currency wherever a rate says how; quantities by unit of measure.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from reporting.exchange import Rates, read_rates
from reporting.reports.answer import Answer, Cell, Column, Row, figure, named_few
from reporting.reports.drilling import Drill, make_key
from reporting.reports.facts import CLOSED_DEALS, CLOSED_LINES, count_undated
from reporting.reports.grouping import (
    Groups,
    group_cells,
    group_columns,
    names_for,
    sum_facts,
    total_cells,
)
from reporting.reports.plans import Planned, read_plans
from reporting.reports.records import AMOUNT_OF_DEAL, AMOUNT_OF_LINE, Records, Shown, deal_records, status_is, text_cell
from reporting.reports.scope import Scope
from reporting.reports.won import WON, by_lines
from reporting.rules.figures import ratio
from reporting.rules.planning import Plan
from reporting.tables import deal, deal_line, plan, product, user
from units.tables import unit

NAME = "plan-fact"
DESCRIPTION = "Plan against fact: what was planned, what was won, attainment and difference; revenue or quantity."
GROUP_BY = ("unit", "branch", "region", "person", "product", "month", "quarter", "year")
MEASURES = ("plan", "fact")
Key = tuple[Groups, str]
Values = dict[str, Decimal]


def run(work: UnitOfWork, scope: Scope) -> Answer:
    """Run the report: one row for each group and currency, or unit of measure; totals likewise."""
    rates = read_rates(work, scope.currency, scope.span.last)
    planned = read_plans(work, scope)
    values = _merge(scope, planned, _read_fact(work, scope, rates), rates)
    names = names_for(work, scope, (groups for groups, _ in values))
    answer = Answer([*group_columns(scope), *_columns(scope)])
    for key in sorted(values, key=lambda key: (names.order(scope.group_by, key[0]), key[1])):
        cells = [*group_cells(names, scope, key[0]), *_cells(scope, values[key], key[0], key[1])]
        answer.rows.append(Row(tuple(cells), key[0]))
    answer.totals = _totals(scope, values)
    unplanned = [
        ", ".join(names.name(name, group) for name, group in zip(scope.group_by, groups, strict=True)) or "the period"
        for groups in dict.fromkeys(groups for groups, _ in values)
        if groups not in planned.by_group
    ]
    if unplanned or not values:
        answer.notes.append(f"No plan is set for: {named_few(unplanned or ['the period'])}.")
    answer.notes += [*planned.notes, *count_undated(work, scope, WON), *rates.notes()]
    return answer


def records(work: UnitOfWork, scope: Scope, drill: Drill) -> Records:
    """The plans, or the won deals or lines, behind a figure."""
    rates = read_rates(work, scope.currency, scope.span.last)
    if drill.measure == "plan":
        return _plan_records(work, scope, drill, rates)
    groups = Drill("fact", drill.groups)
    if scope.metric == "quantity":
        measure = sa.func.coalesce(product.c.unit_of_measure, "") == (drill.currency or "")
        shown = [Shown(Column("fact", "Fact", "quantity"), deal_line.c.quantity)]
        where = [*status_is(WON), deal_line.c.quantity.is_not(None), measure]
        return deal_records(scope, CLOSED_LINES, groups, where, shown)
    known = [*rates.rates, rates.into] if drill.currency == rates.into else [drill.currency or ""]
    where = [*status_is(WON), deal.c.currency_code.in_(known)]
    source, amount = (CLOSED_LINES, AMOUNT_OF_LINE) if by_lines(scope) else (CLOSED_DEALS, AMOUNT_OF_DEAL)
    return deal_records(scope, source, groups, where, [amount], rates.best, Column("fact", "Fact", "money"))


def _columns(scope: Scope) -> list[Column]:
    kind = "money" if scope.metric == "revenue" else "quantity"
    measure = [Column("unit_of_measure", "Unit of measure")] if scope.metric == "quantity" else []
    figures = [Column("plan", "Plan", kind), Column("fact", "Fact", kind)]
    return [*measure, *figures, Column("attainment", "Attainment", "percent"), Column("difference", "Difference", kind)]


def _read_fact(work: UnitOfWork, scope: Scope, rates: Rates) -> dict[Key, Decimal]:
    """The fact of each group, apart by currency or unit of measure."""
    measure, apart = ("amount", "currency_code") if scope.metric == "revenue" else ("quantity", "unit_of_measure")
    source = CLOSED_LINES if by_lines(scope) or scope.metric == "quantity" else CLOSED_DEALS
    found: dict[Key, Decimal] = defaultdict(Decimal)
    counted = "quantities" if scope.metric == "quantity" else "amount"
    facts = sum_facts(work, scope, source, list({measure: 0, counted: 0}), (apart,), WON)
    for (groups, (kept_apart,)), sums in facts.items():
        if scope.metric == "quantity" and sums[counted]:
            found[groups, kept_apart] += sums[measure]
        elif scope.metric == "revenue" and kept_apart:
            amount, currency = rates.best(sums[measure], kept_apart)
            found[groups, currency] += amount
    return found


def _merge(scope: Scope, planned: Planned, fact: dict[Key, Decimal], rates: Rates) -> dict[Key, Values]:
    values: dict[Key, Values] = defaultdict(dict)
    for key, value in fact.items():
        values[key]["fact"] = value
    for groups, plans in planned.by_group.items():
        measures = [apart for known, apart in fact if known == groups]
        for one in plans:
            value, apart = _planned_value(scope, one, measures, rates)
            into = values[groups, apart]
            into["plan"] = into.get("plan", Decimal(0)) + value
    return dict(values)


def _planned_value(scope: Scope, one: Plan, measures: list[str], rates: Rates) -> tuple[Decimal, str]:
    """A plan's value with what keeps it apart: its currency after conversion, or its unit of measure.

    A quantity planned for all products is compared in the unit of measure of the fact where the fact has only one.
    """
    if scope.metric == "revenue":
        return rates.best(one.value, one.apart)
    if not one.product_id and len(measures) == 1:
        return one.value, measures[0]
    return one.value, one.apart


def _cells(scope: Scope, values: Values, groups: Groups | None, apart: str) -> list[Cell]:
    money = apart if scope.metric == "revenue" else ""
    planned, fact = values.get("plan"), values.get("fact", Decimal(0))
    keys = {name: make_key(Drill(name, groups, apart)) for name in MEASURES}
    measure = [Cell(apart)] if scope.metric == "quantity" else []
    return [
        *measure,
        figure(planned, money, keys["plan"]),
        figure(fact, money, keys["fact"]),
        figure(ratio(fact, planned, 100) if planned else None),
        figure(fact - planned if planned is not None else None, money),
    ]


def _totals(scope: Scope, values: dict[Key, Values]) -> list[Row]:
    sums: dict[str, Values] = defaultdict(dict)
    for (_, apart), each in values.items():
        for name, value in each.items():
            sums[apart][name] = sums[apart].get(name, Decimal(0)) + value
    labels = {apart: "Total" if len(sums) == 1 else f"Total {apart}".rstrip() for apart in sums}
    return [
        Row((*total_cells(scope, labels[apart]), *_cells(scope, sums[apart], None, apart))) for apart in sorted(sums)
    ]


def _plan_records(work: UnitOfWork, scope: Scope, drill: Drill, rates: Rates) -> Records:
    planned = read_plans(work, scope)
    fact = _read_fact(work, scope, rates)
    ids = []
    for groups, plans in planned.by_group.items():
        if drill.groups is None or groups == drill.groups:
            measures = [apart for known, apart in fact if known == groups]
            ids += [one.id for one in plans if _planned_value(scope, one, measures, rates)[1] == (drill.currency or "")]
    texts = (plan.c.id, unit.c.name, user.c.display_name, product.c.name, plan.c.start_date, plan.c.end_date - 1)
    joined = (
        plan.outerjoin(unit, unit.c.id == plan.c.unit_id)
        .outerjoin(user, user.c.id == plan.c.user_id)
        .outerjoin(product, product.c.id == plan.c.product_id)
    )
    value = plan.c.amount if scope.metric == "revenue" else plan.c.quantity
    values = [each.label(f"c{at}") for at, each in enumerate((*texts, value, plan.c.currency_code))]
    statement = sa.select(*values).select_from(joined).where(plan.c.id.in_(ids))
    kind = "money" if scope.metric == "revenue" else "quantity"
    columns = [*_plan_columns(), Column("plan", "Plan", kind)]

    def cells(row: sa.Row[Any]) -> list[Cell]:
        found = tuple(row)
        shown = rates.best(found[-3], found[-2]) if scope.metric == "revenue" else (found[-3], "")
        return [*(text_cell(value) for value in found[: len(texts)]), figure(*shown)]

    return Records("plan", columns, statement, (plan.c.id,), cells)


def _plan_columns() -> list[Column]:
    texts = (("id", "Plan"), ("unit", "Unit"), ("person", "Person"), ("product", "Product"))
    days = (("start_date", "From"), ("end_date", "To"))
    return [*(Column(*one) for one in texts), *(Column(name, title, "date") for name, title in days)]
