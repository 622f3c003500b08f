"""The plan figures a report stands on: those visible and in its period, placed in its groups, none counted twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from reporting.reports.answer import named_few
from reporting.reports.dimensions import DIMENSIONS
from reporting.reports.grouping import Groups
from reporting.reports.scope import Scope
from reporting.rules.figures import as_text
from reporting.rules.periods import DAY, grain_span
from reporting.rules.planning import Plan, choose_plans
from reporting.tables import plan, product
from units.records import PLAN


@dataclass(frozen=True)
class Planned:
    """Chosen plans by group, and remarks on those that could not be used."""

    by_group: Mapping[Groups, list[Plan]]
    notes: list[str]


def read_plans(work: UnitOfWork, scope: Scope) -> Planned:
    """Choose the plans of the scope's metric (see `rules.planning`) and place them in its groups."""
    fitting, too_long, crossing = [], [], []
    for one in _visible_plans(work, scope):
        if not scope.span.holds(one.span):
            crossing.append(one)
        elif _fits_grain(scope, one):
            fitting.append(one)
        else:
            too_long.append(one)
    levels = [DIMENSIONS[name].level for name in scope.group_by if DIMENSIONS[name].level]
    chosen, left_out = choose_plans(
        fitting, scope.group_by, lambda one: all(scope.tree.ancestor(one.unit_id, level) for level in levels)
    )
    by_group: dict[Groups, list[Plan]] = {}
    for one in chosen:
        by_group.setdefault(groups_of_plan(scope, one), []).append(one)
    notes = [
        *_remark(scope, "Plans that another plan already covers are not added", left_out),
        *_remark(scope, "Plans for longer periods than the groups are not split", too_long),
        *_remark(scope, "Plans that reach beyond the period are not split", crossing),
    ]
    return Planned(by_group, notes)


def groups_of_plan(scope: Scope, one: Plan) -> Groups:
    """The groups a plan is in."""
    raw = {"unit_id": one.unit_id, "owner_id": one.user_id, "product_id": one.product_id, "month": one.first}
    return tuple(DIMENSIONS[name].group_of(raw[DIMENSIONS[name].raw], scope.tree) for name in scope.group_by)


def _visible_plans(work: UnitOfWork, scope: Scope) -> list[Plan]:
    columns = {"unit_id": plan.c.unit_id, "owner_id": plan.c.user_id, "product_id": plan.c.product_id}
    value, apart = (
        (plan.c.amount, plan.c.currency_code)
        if scope.metric == "revenue"
        else (plan.c.quantity, sa.func.coalesce(product.c.unit_of_measure, ""))
    )
    statement = sa.select(plan, value.label("value"), apart.label("apart"))
    statement = statement.select_from(plan.outerjoin(product, product.c.id == plan.c.product_id))
    statement = statement.where(plan.c.metric == scope.metric, value.is_not(None), *scope.limits(PLAN, columns))
    if scope.span.last is not None:
        statement = statement.where(plan.c.start_date <= scope.span.last)
    if scope.span.first is not None:
        statement = statement.where(plan.c.end_date > scope.span.first)
    return [_plan_of(scope, row) for row in work.execute(statement)]


def _plan_of(scope: Scope, row: sa.Row[Any]) -> Plan:
    place = scope.tree.places.get(row.unit_id)
    path = place.path if place else row.unit_id
    return Plan(
        row.id,
        row.unit_id,
        path,
        row.user_id or "",
        row.product_id or "",
        row.start_date,
        row.end_date - DAY,
        row.value,
        row.apart,
    )


def _fits_grain(scope: Scope, one: Plan) -> bool:
    grains = [DIMENSIONS[name].grain for name in scope.group_by if DIMENSIONS[name].grain]
    return all(grain_span(one.first, grain).holds(one.span) for grain in grains)


def _remark(scope: Scope, text: str, plans: list[Plan]) -> list[str]:
    if not plans:
        return []
    told = [
        f"{place.name if (place := scope.tree.places.get(one.unit_id)) else one.unit_id} "
        f"{one.first} to {one.last}: {as_text(one.value)} {one.apart}".rstrip()
        for one in sorted(plans, key=lambda one: (one.unit_path, one.first, one.id))
    ]
    return [f"{text}: {named_few(told, 5)}."]
