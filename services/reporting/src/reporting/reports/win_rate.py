"""How many of the deals closed in the period were won: won / (won + lost), by the date they were closed.

By product or category the lines are counted instead of the deals; a deal without lines counts as one line.
"""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa

from chassis.database import UnitOfWork
from reporting.reports.answer import Answer, Cell, Column, Row, figure
from reporting.reports.drilling import Drill, make_key
from reporting.reports.facts import CLOSED_DEALS, CLOSED_LINES, count_undated
from reporting.reports.grouping import (
    Groups,
    Sums,
    group_cells,
    group_columns,
    names_for,
    sum_facts,
    total_cells,
)
from reporting.reports.records import Records, Shown, deal_records, status_is
from reporting.reports.scope import Scope
from reporting.reports.won import by_lines
from reporting.rules.figures import ratio
from reporting.tables import deal, deal_line

NAME = "win-rate"
DESCRIPTION = "How many of the deals closed in the period were won."
GROUP_BY = (
    "unit", "branch", "region", "person", "product", "category", "organization", "country", "industry", "pipeline",
    "business_line", "loss_reason", "month", "quarter", "year",
)  # fmt: skip
MEASURES = ("closed", "won", "lost")
STATUSES = {"closed": ("won", "lost"), "won": ("won",), "lost": ("lost",)}


def run(work: UnitOfWork, scope: Scope) -> Answer:
    """Run the report: one row for each group, and a total."""
    count, source = ("lines", CLOSED_LINES) if by_lines(scope) else ("deals", CLOSED_DEALS)
    facts = sum_facts(work, scope, source, (count,), ("status",), STATUSES["closed"])
    sums: dict[Groups, Sums] = {}
    total: Sums = dict.fromkeys(MEASURES, Decimal(0))
    for (groups, (status,)), each in facts.items():
        for into in (sums.setdefault(groups, dict.fromkeys(MEASURES, Decimal(0))), total):
            into[status] += each[count]
            into["closed"] += each[count]
    names = names_for(work, scope, sums)
    answer = Answer([*group_columns(scope), *_columns(count)])
    for groups in sorted(sums, key=lambda groups: names.order(scope.group_by, groups)):
        answer.rows.append(Row((*group_cells(names, scope, groups), *_cells(sums[groups], groups)), groups))
    answer.totals = [Row((*total_cells(scope), *_cells(total, None)))]
    if count == "lines":
        answer.notes.append("Counted are lines of deals; a deal without lines counts once, as (no product).")
    answer.notes += count_undated(work, scope, STATUSES["closed"])
    return answer


def records(_work: UnitOfWork, scope: Scope, drill: Drill) -> Records:
    """The closed deals, or their lines, behind a figure."""
    source = CLOSED_LINES if by_lines(scope) else CLOSED_DEALS
    one = deal_line.c.counted if by_lines(scope) else sa.literal(1)
    shown = [
        Shown(Column("closed", "Closed", "count"), one),
        Shown(Column("won", "Won", "count"), sa.case((deal.c.status == "won", one), else_=0)),
        Shown(Column("lost", "Lost", "count"), sa.case((deal.c.status == "lost", one), else_=0)),
    ]
    where = [*status_is(STATUSES[drill.measure]), *([deal_line.c.counted == 1] if by_lines(scope) else [])]
    return deal_records(scope, source, drill, where, shown)


def _columns(count: str) -> list[Column]:
    what = "lines" if count == "lines" else "deals"
    return [
        Column("closed", f"Closed {what}", "count"),
        Column("won", f"Won {what}", "count"),
        Column("lost", f"Lost {what}", "count"),
        Column("win_rate", "Win rate", "percent"),
    ]


def _cells(sums: Sums, groups: Groups | None) -> list[Cell]:
    counts = [figure(sums[name], drill=make_key(Drill(name, groups))) for name in MEASURES]
    return [*counts, figure(ratio(sums["won"], sums["closed"], 100), drill=make_key(Drill("closed", groups)))]
