"""What the open deals are expected to bring: their sums by the month in which they should close, and by stage.

A stage's probability weighs its sums, so that the total is what a month brings where deals go as they usually do.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from itertools import groupby

import sqlalchemy as sa

from chassis.database import UnitOfWork
from chassis.prepared import Prepared
from deals.board import Sums, count_figures, look_up_units, seen_deals, sums_of
from deals.pipelines import read_pipelines
from deals.queries import Question, shape_of, values_of
from deals.records import Stage
from deals.tables import deal, stage
from units.records import DEAL
from units.visibility import Sight, sight_of

CENT = Decimal("0.01")


@dataclass(frozen=True)
class MonthSum:
    """One stage in one month, as 2026-05, empty where nobody has said when; `weighted` sums are by currency."""

    month: str
    stage: Stage
    sums: Sums
    weighted: tuple[tuple[str, Decimal], ...]


def sum_forecast(work: UnitOfWork, question: Question) -> list[MonthSum]:
    """The sums of the visible deals of a question by month, then in the order of stages. Errors: UnitNotKnown."""
    sight, seen = sight_of(work.access, DEAL)
    values = look_up_units(work, sight, {**seen, **values_of(work, question)})
    rows = work.fetch(_sum_months(sight, shape_of(question)), values)
    stages = read_pipelines(work).stages
    found = []
    for (month, stage_id), group in groupby(rows, lambda row: (row.month or "", row.stage_id)):
        sums = sums_of(group)
        found.append(MonthSum(month, stages[stage_id], sums, weigh(sums, stages[stage_id].probability)))
    return found


def weigh(sums: Sums, probability: int) -> tuple[tuple[str, Decimal], ...]:
    """Sums times a probability in per cent, to the cent, half to even."""
    return tuple(
        (currency, (amount * probability / 100).quantize(CENT, ROUND_HALF_EVEN)) for currency, amount in sums.amounts
    )


@lru_cache(maxsize=256)
def _sum_months(sight: Sight, shape: tuple[str, ...]) -> Prepared:
    month = sa.func.to_char(deal.c.expected_close_date, "YYYY-MM").label("month")
    groups = (month, deal.c.stage_id, stage.c.pipeline_id, stage.c.position, deal.c.currency)
    summed = (
        sa.select(*groups, *count_figures())
        .join_from(deal, stage)
        .where(*seen_deals(sight, shape))
        .group_by(*groups)
        .order_by(month.asc().nulls_last(), stage.c.pipeline_id, stage.c.position)
    )
    return Prepared(summed, replan=True)
