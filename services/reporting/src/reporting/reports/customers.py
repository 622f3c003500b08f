"""How many customers there are, each counted once: organizations, individual customers, and all persons.

A customer known to several branches counts once in each of them and once in the total, so the total may be less than
the sum of the branches. Customers are the organizations and the persons who are customers in their own right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from chassis.database import UnitOfWork
from reporting.reports.answer import Answer, Cell, Column, Row, figure
from reporting.reports.dimensions import DIMENSIONS
from reporting.reports.drilling import Drill, make_key
from reporting.reports.grouping import Groups, group_cells, group_columns, names_for, total_cells
from reporting.reports.records import Records, Shown, in_groups, text_cell
from reporting.reports.scope import Scope
from reporting.tables import organization, organization_unit, person, person_unit, user
from units.records import CUSTOMER
from units.tables import unit

NAME = "customers"
DESCRIPTION = "How many customers there are, without duplicates."
GROUP_BY = ("unit", "branch", "region", "person")
MEASURES = ("organizations", "individual_customers", "persons")
Counts = dict[str, int]


@dataclass(frozen=True)
class Card:
    """Cards of one kind and the units that know them."""

    record_type: str
    table: sa.Table
    units: sa.Table
    key: sa.ColumnElement[str]
    measures: dict[str, sa.ColumnElement[Any]]


ONE = sa.literal(1)
PERSONS = Card(
    "person",
    person,
    person_unit,
    person_unit.c.person_id,
    {"persons": ONE, "individual_customers": sa.case((person.c.individual_customer, 1), else_=0)},
)
ORGANIZATIONS = Card(
    "organization", organization, organization_unit, organization_unit.c.organization_id, {"organizations": ONE}
)


def run(work: UnitOfWork, scope: Scope) -> Answer:
    """Run the report: one row for each group, and the total, each counted exactly."""
    counts: dict[Groups, Counts] = {}
    total: Counts = dict.fromkeys(MEASURES, 0)
    for card in (ORGANIZATIONS, PERSONS):
        _count_all(work, scope, card, total)
        if scope.group_by:
            _count_groups(work, scope, card, counts)
    names = names_for(work, scope, counts)
    answer = Answer([*group_columns(scope), *_columns()])
    for groups in sorted(counts, key=lambda groups: names.order(scope.group_by, groups)):
        answer.rows.append(Row((*group_cells(names, scope, groups), *_cells(counts[groups], groups)), groups))
    answer.totals = [Row((*total_cells(scope), *_cells(total, None)))]
    if not scope.group_by:
        answer.rows = [Row(tuple(_cells(total, None)))]
    if {"unit", "branch", "region"} & set(scope.group_by):
        answer.notes.append(
            "A customer known to several units counts once in each of them and once in the total, "
            "so the total may be less than the sum of the rows."
        )
    return answer


def records(_work: UnitOfWork, scope: Scope, drill: Drill) -> Records:
    """The cards behind a figure, each once."""
    card = ORGANIZATIONS if drill.measure == "organizations" else PERSONS
    known_in = _known_in(scope, card, in_groups(scope, drill, _columns_of(card)))
    measure = Shown(Column(drill.measure, drill.measure.replace("_", " ").capitalize(), "count"), ONE)
    texts = [card.table.c.id, card.table.c.display_name, unit.c.name, user.c.display_name]
    joined = card.table.outerjoin(unit, unit.c.id == card.table.c.unit_id).outerjoin(
        user, user.c.id == card.table.c.owner_id
    )
    chosen = [value.label(f"c{at}") for at, value in enumerate((*texts, measure.value))]
    where = [known_in, card.measures[drill.measure] == 1]
    columns = [Column("id", card.record_type.capitalize()), Column("name", "Name"), Column("unit", "Unit")]
    columns += [Column("person", "Responsible"), measure.column]
    return Records(
        card.record_type,
        columns,
        sa.select(*chosen).select_from(joined).where(*where),
        (card.table.c.id,),
        _card_cells,
    )


def _card_cells(row: sa.Row[Any]) -> list[Cell]:
    return [*(text_cell(value) for value in tuple(row)[:4]), figure(1)]


def _columns_of(card: Card) -> dict[str, sa.ColumnElement[Any]]:
    return {"unit_id": card.units.c.unit_id, "owner_id": card.table.c.owner_id}


def _known_in(scope: Scope, card: Card, where: Sequence[sa.ColumnElement[bool]] = ()) -> sa.ColumnElement[bool]:
    """A predicate on cards: some unit that knows it passes the scope's filter; cheap where nothing is filtered."""
    limits = [one for one in scope.limits(CUSTOMER, _columns_of(card)) if not isinstance(one, sa.True_)]
    if not limits and not where:
        return sa.true()
    known = sa.select(card.units).where(card.key == card.table.c.id, *limits, *where)
    return known.correlate(card.table).exists()


def _count_all(work: UnitOfWork, scope: Scope, card: Card, total: Counts) -> None:
    sums = [sa.func.coalesce(sa.func.sum(value), 0).label(name) for name, value in card.measures.items()]
    row = work.execute(sa.select(*sums).select_from(card.table).where(_known_in(scope, card))).one()
    total.update({name: int(getattr(row, name)) for name in card.measures})


def _count_groups(work: UnitOfWork, scope: Scope, card: Card, counts: dict[Groups, Counts]) -> None:
    """Count distinct cards by group; the level a unit belongs to is joined, so that two of a branch count once."""
    joined: Any = card.units.join(card.table, card.table.c.id == card.key)
    groups: list[sa.ColumnElement[Any]] = []
    for name in scope.group_by:
        one = DIMENSIONS[name]
        if one.level or (one.raw == "unit_id" and scope.tree.has_merged):
            level = _level_of_units(scope, one.level, name)
            joined = joined.outerjoin(level, level.c.unit_id == card.units.c.unit_id)
            groups.append(level.c.group_id)
        else:
            groups.append(_columns_of(card)[one.raw])
    keys = [value.label(f"g{at}") for at, value in enumerate(groups)]
    values = [value.label(name) for name, value in card.measures.items()]
    each = sa.select(*keys, card.key.label("card"), *values).select_from(joined)
    once = each.where(*scope.limits(CUSTOMER, _columns_of(card))).distinct().subquery()
    sums = [sa.func.sum(once.c[name]).label(name) for name in card.measures]
    keyed = [once.c[key.name] for key in keys]
    for row in work.execute(sa.select(*keyed, *sums).group_by(*keyed)):
        into = counts.setdefault(tuple(value or "" for value in row[: len(keys)]), dict.fromkeys(MEASURES, 0))
        into.update({name: int(getattr(row, name)) for name in card.measures})


def _level_of_units(scope: Scope, level: str, name: str) -> sa.TableValuedAlias:
    tree = scope.tree
    above = {one: tree.ancestor(one, level) if level else tree.standing(one) for one in tree.places}
    pairs = [pair for pair in above.items() if pair[1]]
    kind = ARRAY(UUID(as_uuid=False))
    arrays = (sa.bindparam(None, [pair[at] for pair in pairs], type_=kind) for at in (0, 1))
    columns = (sa.column("unit_id", UUID(as_uuid=False)), sa.column("group_id", UUID(as_uuid=False)))
    return sa.func.unnest(*arrays).table_valued(*columns).render_derived(name=f"level_{name}")


def _columns() -> list[Column]:
    names = ("customers", *MEASURES)
    return [Column(name, name.replace("_", " ").capitalize(), "count") for name in names]


def _cells(counts: Counts, groups: Groups | None) -> list[Cell]:
    keyed = [figure(counts[name], drill=make_key(Drill(name, groups))) for name in MEASURES]
    return [figure(counts["organizations"] + counts["individual_customers"]), *keyed]
