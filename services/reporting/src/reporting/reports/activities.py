"""What people did: interactions with customers, by person, unit, kind and period, by the day they took place (UTC)."""

from __future__ import annotations

import sqlalchemy as sa

from chassis.database import UnitOfWork
from reporting.reports.answer import Answer, Cell, Column, Row, figure
from reporting.reports.drilling import Drill, make_key
from reporting.reports.facts import Columns, Source
from reporting.reports.grouping import (
    Groups,
    Sums,
    group_cells,
    group_columns,
    names_for,
    sum_facts,
    total_cells,
)
from reporting.reports.records import Records, in_groups, text_cell
from reporting.reports.scope import Scope, within
from reporting.tables import interaction, organization, person, user
from units.records import INTERACTION
from units.tables import unit

NAME = "activities"
DESCRIPTION = "What people did: interactions with customers by person, unit and kind."
GROUP_BY = ("unit", "branch", "region", "person", "kind", "month", "quarter", "year")
MEASURES = ("interactions",)
INTERACTIONS = Source(
    None,
    interaction.c.day,
    lambda: interaction,
    {"unit_id": interaction.c.unit_id, "owner_id": interaction.c.author_id, "kind": interaction.c.kind},
    {"interactions": sa.literal(1)},
    INTERACTION,
)


def run(work: UnitOfWork, scope: Scope) -> Answer:
    """Run the report: one row for each group, and a total."""
    sums: dict[Groups, Sums] = {key[0]: each for key, each in sum_facts(work, scope, INTERACTIONS, MEASURES).items()}
    names = names_for(work, scope, sums)
    answer = Answer([*group_columns(scope), Column("interactions", "Interactions", "count")])
    for groups in sorted(sums, key=lambda groups: names.order(scope.group_by, groups)):
        cell = _cell(sums[groups]["interactions"], groups)
        answer.rows.append(Row((*group_cells(names, scope, groups), cell), groups))
    total = sum(each["interactions"] for each in sums.values())
    answer.totals = [Row((*total_cells(scope), _cell(total, None)))]
    return answer


def records(_work: UnitOfWork, scope: Scope, drill: Drill) -> Records:
    """The interactions behind a figure; what was said stays with the contacts."""
    columns: Columns = {**INTERACTIONS.columns, "month": interaction.c.day}
    joined = (
        interaction.outerjoin(unit, unit.c.id == interaction.c.unit_id)
        .outerjoin(user, user.c.id == interaction.c.author_id)
        .outerjoin(person, person.c.id == interaction.c.person_id)
        .outerjoin(organization, organization.c.id == interaction.c.organization_id)
    )
    texts = (
        interaction.c.id, interaction.c.day, interaction.c.kind, interaction.c.outcome, unit.c.name,
        user.c.display_name, person.c.display_name, organization.c.display_name,
    )  # fmt: skip
    labelled = [value.label(f"c{at}") for at, value in enumerate(texts)]
    limits = [
        *scope.limits(INTERACTION, columns),
        *within(interaction.c.day, scope.span),
        *in_groups(scope, drill, columns),
    ]
    titles = ("id", "day", "kind", "outcome", "unit", "person", "customer", "organization")
    return Records(
        "interaction",
        [*(Column(name, name.capitalize(), "date" if name == "day" else "text") for name in titles),
         Column("interactions", "Interactions", "count")],
        sa.select(*labelled).select_from(joined).where(*limits),
        (interaction.c.id,),
        lambda row: [*(text_cell(value) for value in row[: len(texts)]), figure(1)],
    )  # fmt: skip


def _cell(count: object, groups: Groups | None) -> Cell:
    return figure(int(str(count)), drill=make_key(Drill("interactions", groups)))
