"""What was won: deals with status won and a close date in the period, their amounts, quantities and averages.

By product or category the figures are those of the lines; line 0, "(no product)", holds what a deal's lines leave of
its amount, so both ways give the same total. Quantities in different units of measure are never added.
"""

from __future__ import annotations

from decimal import Decimal

from chassis.database import UnitOfWork
from reporting.exchange import read_rates
from reporting.reports.answer import Answer, Cell, Column, figure, named_few
from reporting.reports.drilling import Drill
from reporting.reports.facts import CLOSED_DEALS, CLOSED_LINES, count_undated
from reporting.reports.grouping import Sums, group_columns, sum_facts
from reporting.reports.money import Key, MoneyRow, money_rows
from reporting.reports.records import (
    AMOUNT_OF_DEAL,
    AMOUNT_OF_LINE,
    COUNTED_DEALS,
    COUNTED_LINES,
    QUANTITY,
    Records,
    deal_records,
    status_is,
)
from reporting.reports.scope import Scope
from reporting.rules.figures import ratio

NAME = "won"
DESCRIPTION = "What was won in the period: deals, amount, quantity and average."
GROUP_BY = (
    "unit", "branch", "region", "person", "product", "category", "organization", "country", "industry", "pipeline",
    "business_line", "month", "quarter", "year",
)  # fmt: skip
MEASURES = ("deals", "lines", "amount", "quantity", "converted")
WON = ("won",)


def by_lines(scope: Scope) -> bool:
    """Tell whether figures must be those of lines instead of deals."""
    return bool(scope.product_id) or not {"product", "category"}.isdisjoint(scope.group_by)


def run(work: UnitOfWork, scope: Scope) -> Answer:
    """Run the report: one row for each group and currency; totals by currency where several, then over all."""
    count = "lines" if by_lines(scope) else "deals"
    source = CLOSED_LINES if by_lines(scope) else CLOSED_DEALS
    facts = sum_facts(work, scope, source, (count, "amount"), ("currency_code",), WON)
    sums: dict[Key, Sums] = {(groups, currency): each for (groups, (currency,)), each in facts.items()}
    quantities = _read_quantities(work, scope)
    rates = read_rates(work, scope.currency, scope.span.last)
    answer = Answer([*group_columns(scope), *_columns(count)])
    answer.rows, answer.totals = money_rows(
        work, scope, sums, rates, lambda row: _cells(row, count, quantities.get(row.key, {}), rates.into)
    )
    mixed = sorted({measure or "(not named)" for each in quantities.values() if len(each) > 1 for measure in each})
    if mixed:
        answer.notes.append(f"Quantities in different units of measure are not added: {named_few(mixed)}.")
    answer.notes += [*count_undated(work, scope, WON), *rates.notes()]
    return answer


def records(work: UnitOfWork, scope: Scope, drill: Drill) -> Records:
    """The deals, or their lines, behind a figure."""
    rates = read_rates(work, scope.currency, scope.span.last)
    if by_lines(scope) or drill.measure in ("lines", "quantity"):
        shown = (COUNTED_LINES, AMOUNT_OF_LINE, QUANTITY)
        return deal_records(scope, CLOSED_LINES, drill, status_is(WON), shown, rates.converted)
    return deal_records(scope, CLOSED_DEALS, drill, status_is(WON), (COUNTED_DEALS, AMOUNT_OF_DEAL), rates.converted)


def _columns(count: str) -> list[Column]:
    return [
        Column(count, count.capitalize(), "count"),
        Column("amount", "Amount", "money"),
        Column("quantity", "Quantity", "quantity"),
        Column("average", "Average", "money"),
        Column("converted", "Converted", "money"),
    ]


def _read_quantities(work: UnitOfWork, scope: Scope) -> dict[Key, dict[str, Decimal]]:
    """Quantities of each row and total by unit of measure; lines without a quantity say nothing."""
    apart = ("currency_code", "unit_of_measure")
    folded = sum_facts(work, scope, CLOSED_LINES, ("quantity", "quantities"), apart, WON)
    found: dict[Key, dict[str, Decimal]] = {}
    for (groups, (currency, measure)), sums in folded.items():
        if sums["quantities"]:
            for key in ((groups, currency), (None, currency), (None, None)):
                known = found.setdefault(key, {})
                known[measure] = known.get(measure, Decimal(0)) + sums["quantity"]
    return found


def _cells(row: MoneyRow, count: str, quantities: dict[str, Decimal], into: str) -> list[Cell]:
    single = next(iter(quantities.values())) if len(quantities) == 1 else None
    return [
        row.count(count),
        row.money(row.sums["amount"]),
        figure(single, drill=row.drill("quantity")),
        row.money(ratio(row.sums["amount"], row.sums[count])),
        figure(row.converted, into, row.drill("converted")),
    ]
