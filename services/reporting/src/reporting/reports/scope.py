"""What one run of a report covers: checked parameters, and the one filter every figure and record of it passes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from chassis.access import Access
from chassis.database import UnitOfWork
from chassis.dates import from_date
from chassis.ids import is_id
from crm.reporting.v1 import reporting_pb2 as pb
from reporting.errors import invalid
from reporting.reports.tree import Tree, load_tree
from reporting.rules.periods import Span
from units.visibility import Unit, get_unit, unit_ids_below, visible

METRICS = ("revenue", "quantity")
_CURRENCY = re.compile("[A-Z]{3}")


@dataclass(frozen=True)
class Scope:
    """Parameters of one run. `currency` is the one figures are converted into; empty when nobody says one."""

    access: Access
    tree: Tree
    unit: Unit | None
    span: Span
    group_by: tuple[str, ...]
    pipeline_id: str
    user_id: str
    product_id: str
    currency: str
    metric: str
    as_it_was: bool = False

    def limits(self, records: str, columns: Mapping[str, sa.ColumnElement[Any]]) -> list[sa.ColumnElement[bool]]:
        """Predicates on rows of a kind with `unit_id` and `owner_id`; some also have `pipeline_id`, `product_id`."""
        owner = columns.get("owner_id")
        found = [visible(self.access, records, columns["unit_id"], owner)]
        if self.unit is not None:
            inside = self.tree.below(self.path) if self.as_it_was else unit_ids_below(self.path)
            found.append(columns["unit_id"].in_(inside))
        if self.user_id and owner is not None:
            found.append(owner == self.user_id)
        for name, value in (("pipeline_id", self.pipeline_id), ("product_id", self.product_id)):
            if value and name in columns:
                found.append(columns[name] == value)
        return found

    def covers_unit(self, unit_id: str) -> bool:
        """Tell whether a unit is the one asked for or below it."""
        place = self.tree.places.get(unit_id)
        return self.unit is None or (place is not None and place.is_in(self.path))

    @property
    def path(self) -> str:
        """Where the unit asked for is in the report's tree; empty for none."""
        place = self.tree.places.get(self.unit.id) if self.unit else None
        return place.path if place else self.unit.path if self.unit else ""


def within(day: sa.ColumnElement[Any], span: Span) -> list[sa.ColumnElement[bool]]:
    """Predicates: the day lies in the span."""
    found = []
    if span.first is not None:
        found.append(day >= span.first)
    if span.last is not None:
        found.append(day <= span.last)
    return found


def read_scope(work: UnitOfWork, parameters: pb.ReportParameters, allowed: Sequence[str]) -> Scope:
    """Check the parameters for a report that can be grouped by `allowed`.

    Errors: FieldInvalid, UnitNotKnown, NotPermitted for groups by a field that the caller may not see.
    """
    span = Span(
        from_date(parameters.from_date, "parameters.from_date"), from_date(parameters.to_date, "parameters.to_date")
    )
    if span.first and span.last and span.first > span.last:
        raise invalid("parameters.to_date", f"{span.last} is before from_date {span.first}; swap them")
    if "country" in parameters.group_by:
        work.access.require_shown("customer.address", "grouped")
    tree_date = from_date(parameters.tree_date, "parameters.tree_date")
    tree = load_tree(work, tree_date)
    return Scope(
        access=work.access,
        tree=tree,
        unit=get_unit(work, parameters.unit_id) if parameters.unit_id else None,
        span=span,
        group_by=_groups(parameters.group_by, allowed),
        pipeline_id=_id(parameters.pipeline_id, "pipeline_id"),
        user_id=_id(parameters.user_id, "user_id"),
        product_id=_id(parameters.product_id, "product_id"),
        currency=_currency(parameters.currency_code, tree),
        metric=_metric(parameters.metric),
        as_it_was=tree_date is not None,
    )


def _groups(asked: Sequence[str], allowed: Sequence[str]) -> tuple[str, ...]:
    for name in asked:
        if name not in allowed:
            raise invalid("parameters.group_by", f"{name[:40]!r} does not fit here; use {', '.join(allowed) or 'none'}")
    if len(set(asked)) < len(asked):
        raise invalid("parameters.group_by", "names a group twice; name each once")
    return tuple(asked)


def _id(value: str, field: str) -> str:
    if value and not is_id(value):
        raise invalid(f"parameters.{field}", f"{value[:60]!r} is not an id; give a UUID")
    return value


def _currency(code: str, tree: Tree) -> str:
    if code and not _CURRENCY.fullmatch(code):
        raise invalid("parameters.currency_code", f"is {code[:20]!r}; use ISO 4217, such as EUR")
    company = tree.company()
    return code or (company.currency_code if company else "")


def _metric(metric: str) -> str:
    if metric and metric not in METRICS:
        raise invalid("parameters.metric", f"is {metric[:20]!r}; use {' or '.join(METRICS)}")
    return metric or METRICS[0]
