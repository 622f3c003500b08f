"""How long deals take: days from the day a deal was opened to the day it was closed, for won, lost and all closed ones.

Deals without an opening or closing day cannot be timed; they are left out and counted in a remark.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import sqlalchemy as sa

from chassis.database import UnitOfWork
from reporting.reports.answer import Answer, Cell, Column, Row, figure
from reporting.reports.drilling import Drill, make_key
from reporting.reports.facts import CLOSED_DEALS, Source
from reporting.reports.grouping import (
    Groups,
    group_cells,
    group_columns,
    names_for,
    sum_facts,
    total_cells,
)
from reporting.reports.records import COUNTED_DEALS, Records, Shown, deal_records, status_is
from reporting.reports.scope import Scope
from reporting.rules.figures import mean_of, median_of
from reporting.tables import deal

NAME = "cycle"
DESCRIPTION = "How many days deals take from opening to closing, won and lost."
GROUP_BY = (
    "unit", "branch", "region", "person", "organization", "country", "industry", "pipeline", "business_line",
    "loss_reason", "month", "quarter", "year",
)  # fmt: skip
MEASURES = ("deals",)
OUTCOMES = {"won": ("won",), "lost": ("lost",), "closed": ("won", "lost")}
TITLES = {"won": "Won", "lost": "Lost", "closed": "All closed"}
DAYS = deal.c.close_date - deal.c.open_date
TIMED_DEALS = Source(
    None, CLOSED_DEALS.day, CLOSED_DEALS.source, {**CLOSED_DEALS.columns, "days": DAYS}, {"deals": sa.literal(1)}
)


def run(work: UnitOfWork, scope: Scope) -> Answer:
    """Run the report: for each group one row an outcome, with mean, median, least and most days."""
    found = sum_facts(work, scope, TIMED_DEALS, ("deals",), ("status", "days"), OUTCOMES["closed"])
    histograms: dict[tuple[Groups | None, str], Counter[int]] = {}
    untimed = 0
    for (groups, (status, days)), sums in found.items():
        if days is None:
            untimed += int(sums["deals"])
            continue
        for key in ((groups, status), (groups, "closed"), (None, status), (None, "closed")):
            histograms.setdefault(key, Counter())[days] += int(sums["deals"])
    names = names_for(work, scope, (groups for groups, _ in histograms if groups is not None))
    answer = Answer([*group_columns(scope), *_columns()])
    named = {groups for groups, _ in histograms if groups is not None}
    for groups in sorted(named, key=lambda groups: names.order(scope.group_by, groups)):
        for cells in _outcome_rows(histograms, groups):
            answer.rows.append(Row((*group_cells(names, scope, groups), *cells), groups))
    answer.totals = [Row((*total_cells(scope), *cells)) for cells in _outcome_rows(histograms, None)]
    if untimed:
        answer.notes.append(f"{untimed} closed deals without an opening or closing day are left out.")
    return answer


def records(_work: UnitOfWork, scope: Scope, drill: Drill) -> Records:
    """The closed deals behind a figure, each with its days."""
    where = [*status_is(OUTCOMES.get(drill.part, ())), DAYS.is_not(None)]
    shown = [COUNTED_DEALS, Shown(Column("days", "Days", "days"), DAYS)]
    return deal_records(scope, TIMED_DEALS, drill, where, shown)


def _columns() -> list[Column]:
    days = (("mean_days", "Mean"), ("median_days", "Median"), ("min_days", "Least"), ("max_days", "Most"))
    counted = [Column("outcome", "Outcome"), Column("deals", "Deals", "count")]
    return [*counted, *(Column(name, title, "days") for name, title in days)]


def _outcome_rows(
    histograms: Mapping[tuple[Groups | None, str], Counter[int]], groups: Groups | None
) -> list[list[Cell]]:
    rows = []
    for outcome in OUTCOMES:
        histogram = histograms.get((groups, outcome))
        if histogram:
            key = make_key(Drill("deals", groups, part=outcome))
            values = (sum(histogram.values()), mean_of(histogram), median_of(histogram), min(histogram), max(histogram))
            rows.append([Cell(TITLES[outcome]), *(figure(value, drill=key) for value in values)])
    return rows
