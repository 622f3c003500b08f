"""What figures can be grouped by: which column says it, what the groups are called, which records are in one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from chassis.ids import is_id
from reporting import tables
from reporting.errors import invalid
from reporting.reports.scope import within
from reporting.reports.tree import Tree
from reporting.rules.periods import label_span, period_label

NOT_KNOWN = "(not yet known)"


@dataclass(frozen=True)
class Dimension:
    """One way to group. `raw` is the column of facts it comes from; `named_by` the table with the names of its ids."""

    name: str
    title: str
    raw: str
    none: str
    level: str = ""
    grain: str = ""
    named_by: sa.Table | None = None

    def group_of(self, value: Any, tree: Tree) -> str:
        """The group a raw value belongs to; empty for none."""
        if self.level:
            return tree.ancestor(value, self.level)
        if self.grain:
            return period_label(value, self.grain) if isinstance(value, date) else ""
        return tree.standing(value) if self.raw == "unit_id" else value or ""

    def is_group(self, column: sa.ColumnElement[Any], group: str, tree: Tree) -> sa.ColumnElement[bool]:
        """A predicate: `column` (the raw column; a day for periods) is in a group. Errors: FieldInvalid."""
        if self.grain:
            span = label_span(group)
            if group and span is None:
                raise invalid("drill_key", f"{group[:20]!r} is not a {self.grain}; take the key from a cell")
            return sa.and_(*within(column, span)) if span else column.is_(None)
        if self.level:
            members = tree.members(group, self.level)
            return column.in_(members) if group else sa.or_(column.is_(None), column.not_in(members))
        if not self.raw.endswith("_id"):
            return sa.func.coalesce(column, "") == group
        if group and not is_id(group):
            raise invalid("drill_key", f"{group[:40]!r} is not an id; take the key from a cell")
        if group and self.raw == "unit_id":
            return column.in_(tree.stood_for(group))
        return column == group if group else column.is_(None)


DIMENSIONS = {
    one.name: one
    for one in (
        Dimension("unit", "Unit", "unit_id", "(no unit)"),
        Dimension("branch", "Branch", "unit_id", "(no branch)", level="branch"),
        Dimension("region", "Region", "unit_id", "(no region)", level="region"),
        Dimension("person", "Person", "owner_id", "(nobody)", named_by=tables.user),
        Dimension("product", "Product", "product_id", "(no product)", named_by=tables.product),
        Dimension("category", "Category", "category", "(no category)"),
        Dimension("organization", "Organization", "organization_id", "(none)", named_by=tables.organization),
        Dimension("country", "Country", "country", "(no country)"),
        Dimension("industry", "Industry", "industry", "(no industry)"),
        Dimension("pipeline", "Pipeline", "pipeline_id", "(no pipeline)", named_by=tables.pipeline),
        Dimension("stage", "Stage", "stage_id", "(no stage)", named_by=tables.stage),
        Dimension("loss_reason", "Loss reason", "loss_reason", "(no reason)"),
        Dimension("business_line", "Line of business", "business_line", "(none)"),
        Dimension("kind", "Kind", "kind", "(no kind)"),
        Dimension("month", "Month", "month", "(no date)", grain="month"),
        Dimension("quarter", "Quarter", "month", "(no date)", grain="quarter"),
        Dimension("year", "Year", "month", "(no date)", grain="year"),
    )
}


class Names:
    """Names of groups, the best known here; read once for all the rows of a report."""

    def __init__(self, work: UnitOfWork, tree: Tree, ids: Mapping[str, Iterable[str]]) -> None:
        self.tree = tree
        self.known = {name: _read_names(work, DIMENSIONS[name], set(wanted) - {""}) for name, wanted in ids.items()}
        self.ranks = _read_stage_ranks(work) if "stage" in ids else {}

    def name(self, dimension: str, group: str) -> str:
        """What a group is called."""
        one = DIMENSIONS[dimension]
        if not group:
            return one.none
        if one.raw == "unit_id":
            place = self.tree.places.get(group)
            return place.name if place else NOT_KNOWN
        return group if one.named_by is None else self.known[dimension].get(group) or NOT_KNOWN

    def order(self, group_by: Iterable[str], groups: Iterable[str]) -> tuple[tuple[bool, str, str], ...]:
        """A sort key: by names, stages in their order, the nameless group last."""
        return tuple(
            (not group, self.ranks.get(group, "") if one == "stage" else self.name(one, group).casefold(), group)
            for one, group in zip(group_by, groups, strict=True)
        )


def _read_names(work: UnitOfWork, one: Dimension, ids: set[str]) -> dict[str, str]:
    if one.named_by is None or not ids:
        return {}
    table = one.named_by
    label = (table.c.display_name if "display_name" in table.c else table.c.name).label("label")
    told = sa.select(table.c.id, label).where(table.c.id.in_(list(ids)))
    found = {row.id: row.label for row in work.execute(told)}
    missing = ids - found.keys()
    if one.name == "product" and missing:
        line = tables.deal_line
        told = sa.select(line.c.product_id.label("id"), sa.func.min(line.c.product_name).label("label"))
        told = told.where(line.c.product_id.in_(list(missing))).group_by(line.c.product_id)
        found |= {row.id: row.label for row in work.execute(told)}
    return found


def _read_stage_ranks(work: UnitOfWork) -> dict[str, str]:
    """The place of every stage in its pipeline, as text that sorts."""
    stage, pipeline = tables.stage, tables.pipeline
    joined = stage.outerjoin(pipeline, pipeline.c.id == stage.c.pipeline_id)
    found = work.execute(sa.select(stage.c.id, pipeline.c.name, stage.c.position).select_from(joined))
    return {row.id: f"{row.name or ''}\0{row.position:09d}" for row in found}
