"""Deals by what they share: how many there are with each stage, responsible user or unit, and what they come to."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from chassis.prepared import Prepared
from deals.board import Sums, count_figures, look_up_units, seen_deals, sums_of
from deals.pipelines import read_pipelines
from deals.queries import Question, shape_of, values_of
from deals.tables import deal
from units.records import DEAL
from units.visibility import Sight, sight_of

MOST_GROUPS = 500  # more than a page that somebody reads
STAGE = "stage_id"


def group_deals(work: UnitOfWork, question: Question, column: str) -> list[tuple[str, Sums]]:
    """The groups of the visible deals of a question by a column, "" for nobody: stages in order, others by size.

    Errors: UnitNotKnown.
    """
    sight, seen = sight_of(work.access, DEAL)
    values = look_up_units(work, sight, {**seen, **values_of(work, question)})
    rows: dict[str, list[Any]] = defaultdict(list)
    for row in work.fetch(_sum_groups(sight, shape_of(question), column), values):
        rows[row.key or ""].append(row)
    found = [(key, sums_of(group)) for key, group in rows.items()]
    if column == STAGE:
        order = {id: at for at, id in enumerate(read_pipelines(work).stages)}
        return sorted(found, key=lambda one: order[one[0]])
    return sorted(found, key=lambda one: (-one[1].count, one[0]))[:MOST_GROUPS]


@lru_cache(maxsize=256)
def _sum_groups(sight: Sight, shape: tuple[str, ...], column: str) -> Prepared:
    groups = (deal.c[column].label("key"), deal.c.currency)
    summed = sa.select(*groups, *count_figures()).where(*seen_deals(sight, shape)).group_by(*groups)
    return Prepared(summed, replan=True)
