"""What is being worked on: open deals as they stand, by stage unless asked otherwise; the period is when they began."""

from __future__ import annotations

from chassis.database import UnitOfWork
from reporting.exchange import read_rates
from reporting.reports.answer import Answer, Cell, Column, figure
from reporting.reports.drilling import Drill
from reporting.reports.facts import OPEN_DEALS
from reporting.reports.grouping import Sums, group_columns, sum_facts
from reporting.reports.money import Key, MoneyRow, money_rows
from reporting.reports.records import AMOUNT_OF_DEAL, COUNTED_DEALS, Records, deal_records, status_is
from reporting.reports.scope import Scope
from reporting.rules.figures import ratio

NAME = "pipeline"
DESCRIPTION = "What is being worked on now: open deals and their amounts by stage."
GROUP_BY = (
    "stage", "pipeline", "unit", "branch", "region", "person", "organization", "country", "industry", "business_line",
    "month", "quarter", "year",
)  # fmt: skip
DEFAULT = ("stage",)
MEASURES = ("deals", "amount", "converted")
OPEN = ("open",)


def run(work: UnitOfWork, scope: Scope) -> Answer:
    """Run the report: one row for each group and currency; deals whose amount nobody knows in rows of their own."""
    facts = sum_facts(work, scope, OPEN_DEALS, ("deals", "amount"), ("currency_code",), OPEN)
    sums: dict[Key, Sums] = {(groups, currency): each for (groups, (currency,)), each in facts.items()}
    rates = read_rates(work, scope.currency, scope.span.last)
    columns = [
        Column("deals", "Deals", "count"),
        Column("amount", "Amount", "money"),
        Column("average", "Average", "money"),
        Column("converted", "Converted", "money"),
    ]
    answer = Answer([*group_columns(scope), *columns])
    answer.rows, answer.totals = money_rows(work, scope, sums, rates, lambda row: _cells(row, rates.into))
    answer.notes = rates.notes()
    return answer


def records(work: UnitOfWork, scope: Scope, drill: Drill) -> Records:
    """The open deals behind a figure."""
    rates = read_rates(work, scope.currency, scope.span.last)
    return deal_records(scope, OPEN_DEALS, drill, status_is(OPEN), (COUNTED_DEALS, AMOUNT_OF_DEAL), rates.converted)


def _cells(row: MoneyRow, into: str) -> list[Cell]:
    return [
        row.count("deals"),
        row.money(row.sums["amount"]),
        row.money(ratio(row.sums["amount"], row.sums["deals"])),
        figure(row.converted, into, row.drill("converted")),
    ]
