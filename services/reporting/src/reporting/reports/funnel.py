"""How far deals come: of those begun in the period, how many reached each stage, per 100 of the first and the previous.

Counted from the history of each deal, not from where it stands now. A stage counts the deals that reached it or a later
one; won and lost stand apart. The period and its groups go by the day a deal began: its opening day, else its first
stage entry.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from chassis.ids import is_id
from reporting.errors import invalid
from reporting.reports.answer import Answer, Cell, Column, Row, figure
from reporting.reports.dimensions import NOT_KNOWN
from reporting.reports.drilling import Drill, make_key
from reporting.reports.facts import BEGUN_DEALS
from reporting.reports.grouping import (
    Groups,
    group_cells,
    group_columns,
    names_for,
    sum_facts,
    total_cells,
)
from reporting.reports.records import COUNTED_DEALS, Records, Shown, deal_records
from reporting.reports.scope import Scope
from reporting.rules.figures import ratio
from reporting.rules.funnel import LOST, OPEN, WON, Journey, Step, count_reached, later_open_stages, steps_in_order
from reporting.tables import deal, deal_stage_entry, pipeline, stage

NAME = "funnel"
DESCRIPTION = "How far deals come: reached stages per 100 of the first stage and per 100 of the stage before."
GROUP_BY = ("unit", "branch", "region", "person", "pipeline", "month", "quarter", "year")
MEASURES = ("deals",)
Journeys = dict[tuple[Groups | None, str], list[Journey]]


def run(work: UnitOfWork, scope: Scope) -> Answer:
    """Run the report: for each group and pipeline one row a stage."""
    apart = ("pipeline_id", "status", "stage_id", "entered")
    facts = sum_facts(work, scope, BEGUN_DEALS, ("deals",), apart)
    journeys: Journeys = defaultdict(list)
    for (groups, (pipeline_id, status, stage_id, entered)), sums in facts.items():
        journey = Journey(status, stage_id, frozenset(entered), int(sums["deals"]))
        journeys[groups, pipeline_id].append(journey)
        journeys[None, pipeline_id].append(journey)
    pipelines = _read_pipelines(work, {pipeline_id for _, pipeline_id in journeys})
    steps = _read_steps(work, set(pipelines))
    found = [(groups, pipeline_id) for groups, pipeline_id in journeys if groups is not None]
    names = names_for(work, scope, (groups for groups, _ in found))
    answer = Answer([*group_columns(scope), *_columns(scope)])
    for groups, pipeline_id in sorted(
        found, key=lambda key: (names.order(scope.group_by, key[0]), pipelines[key[1]].casefold(), key[1])
    ):
        for cells in _stage_rows(scope, groups, pipeline_id, pipelines, steps, journeys):
            answer.rows.append(Row((*group_cells(names, scope, groups), *cells), groups))
    for pipeline_id in sorted(pipelines, key=lambda one: (pipelines[one].casefold(), one)):
        for cells in _stage_rows(scope, None, pipeline_id, pipelines, steps, journeys):
            answer.totals.append(Row((*total_cells(scope), *cells)))
    return answer


def records(work: UnitOfWork, scope: Scope, drill: Drill) -> Records:
    """The deals that reached a stage, with the day they first entered it where they did."""
    pipeline_id, _, stage_id = drill.part.partition("/")
    if not is_id(pipeline_id) or (stage_id and not is_id(stage_id)):
        raise invalid("drill_key", "names no stage; take the key from a cell")
    steps = _read_steps(work, {pipeline_id}).get(pipeline_id, [])
    where = [deal.c.pipeline_id == pipeline_id]
    shown = [COUNTED_DEALS]
    step = next((one for one in steps if one.stage_id == stage_id), None)
    if step is not None:
        where += _reached(steps, step)
        shown.append(Shown(Column("reach_date", "Entered", "date"), _first_entry(stage_id)))
    return deal_records(scope, BEGUN_DEALS, drill, where, shown)


def _columns(scope: Scope) -> list[Column]:
    named = [] if "pipeline" in scope.group_by else [Column("pipeline", "Pipeline")]
    return [
        *named,
        Column("stage", "Stage"),
        Column("deals", "Deals", "count"),
        Column("per_hundred_of_first", "Per 100 of the first stage", "per_hundred"),
        Column("per_hundred_of_previous", "Per 100 of the stage before", "per_hundred"),
    ]


def _stage_rows(
    scope: Scope,
    groups: Groups | None,
    pipeline_id: str,
    pipelines: dict[str, str],
    steps: dict[str, list[Step]],
    journeys: Journeys,
) -> list[list[Cell]]:
    going = journeys[groups, pipeline_id]
    ordered = steps.get(pipeline_id) or [Step("", NOT_KNOWN, OPEN, 1)]
    counts = count_reached(ordered, going)
    named = [] if "pipeline" in scope.group_by else [Cell(pipelines[pipeline_id])]
    first = sum(one.deals for one in going)
    before: int | None = None
    rows = []
    for step in ordered:
        count = counts[step.stage_id]
        key = make_key(Drill("deals", groups, part=f"{pipeline_id}/{step.stage_id}"))
        previous = None if before is None or step.kind == LOST else ratio(count, before, 100)
        ratios = [figure(ratio(count, first, 100)), figure(previous)]
        rows.append([*named, Cell(step.name), figure(count, drill=key), *ratios])
        before = count if step.kind == OPEN else before
    return rows


def _read_pipelines(work: UnitOfWork, ids: set[str]) -> dict[str, str]:
    found = work.execute(sa.select(pipeline.c.id, pipeline.c.name).where(pipeline.c.id.in_(list(ids))))
    return dict.fromkeys(ids, NOT_KNOWN) | {row.id: row.name for row in found}


def _read_steps(work: UnitOfWork, pipeline_ids: set[str]) -> dict[str, list[Step]]:
    columns = (stage.c.pipeline_id, stage.c.id, stage.c.name, stage.c.kind, stage.c.position)
    found: dict[str, list[Step]] = defaultdict(list)
    for row in work.execute(sa.select(*columns).where(stage.c.pipeline_id.in_(list(pipeline_ids)))):
        found[row.pipeline_id].append(Step(row.id, row.name, row.kind, row.position))
    return {key: steps_in_order(steps) for key, steps in found.items()}


def _reached(steps: Sequence[Step], step: Step) -> list[sa.ColumnElement[bool]]:
    """The rule of `count_reached` as predicates."""
    if step is steps[0]:
        return []
    if step.kind == OPEN:
        later = later_open_stages(steps, step)
        return [sa.or_(deal.c.status == WON, deal.c.entered.overlap(later))]
    kin = [one.stage_id for one in steps if one.kind == step.kind]
    ends: sa.ColumnElement[bool] = deal.c.stage_id == step.stage_id
    if kin[0] == step.stage_id:
        ends = sa.or_(ends, deal.c.stage_id.not_in(kin))
    return [deal.c.status == step.kind, ends]


def _first_entry(stage_id: str) -> sa.ColumnElement[Any]:
    entry = deal_stage_entry
    first = sa.select(sa.cast(sa.func.min(entry.c.change_time), sa.Date))
    return first.where(entry.c.deal_id == deal.c.id, entry.c.stage_id == stage_id).scalar_subquery()
