"""A pipeline as a board: its stages as columns with counts, sums and the deals that came last; and sums of any list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from chassis.access import READ
from chassis.database import UnitOfWork
from deals.pipelines import read_pipelines
from deals.queries import Question, filter_deals
from deals.records import OPEN, Deal, Pipeline, Stage
from deals.sorting import read_deals
from deals.tables import deal
from units.visibility import visible


@dataclass(frozen=True)
class Sums:
    """How many deals, how many of them without a value, and the sum of the others in each currency by its code."""

    count: int
    unvalued: int
    amounts: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True)
class Column:
    """One stage of a board. `next_key` is the key [stage_time, id] of the last deal shown where there are more."""

    stage: Stage
    sums: Sums
    deals: list[Deal]
    next_key: list[Any] | None


def read_board(work: UnitOfWork, question: Question, size: int) -> tuple[Pipeline, list[Column]]:
    """The board of the question's pipeline, by default the default one, with at most `size` deals a column.

    Errors: PipelineNotFound, UnitNotKnown.
    """
    pipeline = read_pipelines(work).get(question.pipeline_id)
    question = replace(question, pipeline_id="")  # its stages say it already
    sums = _sum_stages(work, question, pipeline)
    places = _last_entered(work, question, pipeline, size + 1)
    known = {one.id: one for one in read_deals(work, [id for found in places.values() for id, _ in found[:size]])}
    columns = [_column(stage, sums[stage.id], places[stage.id], known, size) for stage in pipeline.stages]
    return pipeline, columns


def sum_deals(work: UnitOfWork, question: Question) -> Sums:
    """Sums of the visible deals of a question. Errors: UnitNotKnown."""
    statement = sa.select(deal.c.currency, *_figures()).where(*_seen(work, question)).group_by(deal.c.currency)
    return _sums_of(work.execute(statement).all())


def _seen(work: UnitOfWork, question: Question) -> list[sa.ColumnElement[bool]]:
    return [visible(work.access, deal.c.unit_id, deal.c.owner_id, READ), *filter_deals(work, question)]


def _figures() -> tuple[sa.ColumnElement[Any], ...]:
    count = sa.func.count().label("deals")
    return count, sa.func.count(deal.c.amount).label("valued"), sa.func.sum(deal.c.amount).label("amount")


def _sums_of(rows: Iterable[Any]) -> Sums:
    found = sorted(rows, key=lambda row: row.currency or "")
    amounts = tuple((row.currency, row.amount) for row in found if row.amount is not None)
    return Sums(sum(row.deals for row in found), sum(row.deals - row.valued for row in found), amounts)


def _sum_stages(work: UnitOfWork, question: Question, pipeline: Pipeline) -> dict[str, Sums]:
    """Open stages by their own index, closed ones by the day of closing: what was closed long ago is not read."""
    groups = (deal.c.stage_id, deal.c.currency)
    wanted = _seen(work, replace(question, closed_from=None))
    wanted.append(deal.c.stage_id.in_([stage.id for stage in pipeline.stages]))
    if question.closed_from:
        active = [stage.id for stage in pipeline.stages if stage.kind == OPEN]
        wanted.append(sa.or_(deal.c.stage_id.in_(active), deal.c.close_date >= question.closed_from))
    rows: dict[str, list[Any]] = defaultdict(list)
    for row in work.execute(sa.select(*groups, *_figures()).where(*wanted).group_by(*groups)):
        rows[row.stage_id].append(row)
    return {stage.id: _sums_of(rows[stage.id]) for stage in pipeline.stages}


def _last_entered(
    work: UnitOfWork, question: Question, pipeline: Pipeline, size: int
) -> dict[str, list[tuple[str, str]]]:
    """Ids with times as text of the deals that entered each stage last: as many index reads as there are stages."""
    ids = sa.cast([stage.id for stage in pipeline.stages], ARRAY(UUID(as_uuid=False)))
    place = sa.select(sa.func.unnest(ids).label("id")).subquery("place")
    each = (
        sa.select(deal.c.id, deal.c.stage_time)
        .where(deal.c.stage_id == place.c.id, *_seen(work, question))
        .order_by(deal.c.stage_time.desc(), deal.c.id.desc())
        .limit(size)
        .lateral("each_stage")
    )
    statement = (
        sa.select(place.c.id.label("stage_id"), each.c.id, sa.cast(each.c.stage_time, sa.Text).label("time"))
        .select_from(place.join(each, sa.true()))
        .order_by(each.c.stage_time.desc(), each.c.id.desc())
    )
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in work.execute(statement):
        found[row.stage_id].append((row.id, row.time))
    return found


def _column(stage: Stage, sums: Sums, places: Sequence[tuple[str, str]], known: dict[str, Deal], size: int) -> Column:
    shown = places[:size]
    last = [shown[-1][1], shown[-1][0]] if len(places) > size else None
    return Column(stage, sums, [known[id] for id, _ in shown if id in known], last)
