"""A pipeline as a board: its stages as columns with counts, sums and the deals that came last; and sums of any list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from chassis.database import UnitOfWork
from chassis.prepared import Prepared
from deals.pipelines import read_pipelines
from deals.queries import Question, asked, filter_deals, shape_of, values_of
from deals.records import OPEN, Pipeline, Stage
from deals.tables import deal
from units.records import DEAL
from units.visibility import Sight, seen_among, seen_in, sight_of, units_seen, units_under

_STAGES: sa.BindParameter[Any] = sa.bindparam("stages", type_=ARRAY(UUID(as_uuid=False)))
_ACTIVE: sa.BindParameter[Any] = sa.bindparam("active", type_=ARRAY(UUID(as_uuid=False)))
# What a card shows: no lines, no history, each of which would be a read of its own.
_SHOWN = (
    "id", "version", "title", "pipeline_id", "stage_id", "organization_id", "person_id", "unit_id", "owner_id",
    "amount", "currency", "open_date", "close_date", "loss_reason", "business_line", "external_id", "create_time",
    "update_time", "stage_time", "expected_close_date",
)  # fmt: skip


@dataclass(frozen=True)
class Sums:
    """How many deals, how many of them without a value, and the sum of the others in each currency by its code."""

    count: int
    unvalued: int
    amounts: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True)
class Column:
    """One stage of a board. `deals` are rows of `deal` without what no card shows.

    `next_key` is the key [stage_time, id] of the last deal shown where there are more.
    """

    stage: Stage
    sums: Sums
    deals: Sequence[Any]
    next_key: list[Any] | None


def read_board(
    work: UnitOfWork, question: Question, size: int, only: Collection[str] = ()
) -> tuple[Pipeline, list[Column]]:
    """The board of the question's pipeline, by default the default one, with at most `size` deals a column.

    Shapes: `only` are ids of stages whose columns are wanted, empty for all. Errors: PipelineNotFound, UnitNotKnown.
    """
    pipeline = read_pipelines(work).get(question.pipeline_id)
    stages = [stage for stage in pipeline.stages if not only or stage.id in only]
    question = replace(question, pipeline_id="")  # its stages say it already
    sight, seen = sight_of(work.access, DEAL)
    active = [stage.id for stage in stages if stage.kind == OPEN]
    values = {**seen, **values_of(work, question), "stages": [one.id for one in stages], "active": active}
    shape = shape_of(question)
    sums = _by_stage(work.fetch(sum_stages(sight, shape), look_up_units(work, sight, values)))
    cards = _by_stage(work.fetch(last_entered(sight, shape), {**values, "size": size + 1}))
    return pipeline, [_column(stage, sums_of(sums[stage.id]), cards[stage.id], size) for stage in stages]


def sum_deals(work: UnitOfWork, question: Question) -> Sums:
    """Sums of the visible deals of a question. Errors: UnitNotKnown."""
    sight, seen = sight_of(work.access, DEAL)
    values = look_up_units(work, sight, {**seen, **values_of(work, question)})
    return sums_of(work.fetch(sum_all(sight, shape_of(question)), values))


def look_up_units(work: UnitOfWork, sight: Sight, values: dict[str, Any]) -> dict[str, Any]:
    """The values with the units that their paths mean: what is summed is planned for how many these are."""
    asked_for = units_under(work, values.get("asked_paths", ()))
    return {**values, "seen_units": units_seen(work, sight, values), "asked_units": asked_for}


@lru_cache(maxsize=256)
def sum_all(sight: Sight, shape: tuple[str, ...]) -> Prepared:
    """The sums in each currency, planned anew each time: a branch's few deals have an index of their own."""
    summed = sa.select(deal.c.currency, *count_figures()).where(*seen_deals(sight, shape)).group_by(deal.c.currency)
    return Prepared(summed, replan=True)


def seen_deals(sight: Sight, shape: Sequence[str]) -> list[sa.ColumnElement[bool]]:
    """The visible deals of a question of this shape, for sums; its values come from `look_up_units`."""
    terms = [seen_among(sight, deal.c.unit_id, deal.c.owner_id)]
    if "unit_id" in shape:
        terms.append(deal.c.unit_id == sa.any_(sa.bindparam("asked_units", type_=ARRAY(UUID(as_uuid=False)))))
    return terms + filter_deals([name for name in shape if name != "unit_id"])


def count_figures() -> tuple[sa.ColumnElement[Any], ...]:
    """The columns of which `sums_of` makes sums, of rows grouped by currency."""
    count = sa.func.count().label("deals")
    return count, sa.func.count(deal.c.amount).label("valued"), sa.func.sum(deal.c.amount).label("amount")


def sums_of(rows: Iterable[Any]) -> Sums:
    """Rows of one group, one a currency, as its sums."""
    found = sorted(rows, key=lambda row: row.currency or "")
    amounts = tuple((row.currency, row.amount) for row in found if row.amount is not None)
    return Sums(sum(row.deals for row in found), sum(row.deals - row.valued for row in found), amounts)


def _by_stage(rows: Iterable[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.stage_id].append(row)
    return found


@lru_cache(maxsize=256)
def sum_stages(sight: Sight, shape: tuple[str, ...]) -> Prepared:
    """Open stages by their own index, closed ones by the day of closing: what was closed long ago is not read."""
    groups = (deal.c.stage_id, deal.c.currency)
    wanted = seen_deals(sight, [name for name in shape if name != "closed_from"])
    wanted.append(deal.c.stage_id == sa.any_(_STAGES))
    if "closed_from" in shape:
        closed = deal.c.close_date >= asked("closed_from", deal.c.close_date)
        wanted.append(sa.or_(deal.c.stage_id == sa.any_(_ACTIVE), closed))
    return Prepared(sa.select(*groups, *count_figures()).where(*wanted).group_by(*groups), replan=True)


@lru_cache(maxsize=256)
def last_entered(sight: Sight, shape: tuple[str, ...]) -> Prepared:
    """The deals that entered each stage last: as many index reads as there are stages."""
    place = sa.select(sa.func.unnest(_STAGES).label("id")).subquery("place")
    each = (
        sa.select(*(deal.c[name] for name in _SHOWN))
        .where(deal.c.stage_id == place.c.id, seen_in(sight, deal.c.unit_id, deal.c.owner_id), *filter_deals(shape))
        .order_by(deal.c.stage_time.desc(), deal.c.id.desc())
        .limit(sa.bindparam("size", type_=sa.Integer))
        .lateral("each_stage")
    )
    found = sa.select(each).select_from(place.join(each, sa.true()))
    return Prepared(found.order_by(each.c.stage_time.desc(), each.c.id.desc()))


def _column(stage: Stage, sums: Sums, cards: Sequence[Any], size: int) -> Column:
    shown = cards[:size]
    last = [shown[-1].stage_time.isoformat(), shown[-1].id] if len(cards) > size else None
    return Column(stage, sums, shown, last)
