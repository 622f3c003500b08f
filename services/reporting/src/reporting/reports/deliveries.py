"""Which branches have delivered for a period: a finished run of deals covers a day of it; what hinders the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from chassis.access import READ
from chassis.database import UnitOfWork
from reporting.reports.answer import Answer, Cell, Column, Delivery, Row, figure
from reporting.reports.drilling import Drill, make_key
from reporting.reports.records import Records, text_cell
from reporting.reports.scope import Scope
from reporting.reports.tree import Place
from reporting.rules.periods import Span
from reporting.tables import run as run_table
from units.records import RUN
from units.tables import unit

NAME = "deliveries"
DESCRIPTION = "Which branches have delivered their deals for the period, and what stands in the others' way."
GROUP_BY: tuple[str, ...] = ()
MEASURES = ("runs",)
KINDS = ("deals",)  # what the figures of selling are made of
FINISHED = "finished"
NOTHING, NOT_STARTED = "nothing", "not started"
COUNTS = ("rows_read", "created", "updated", "unchanged", "merged", "refused")


def run(work: UnitOfWork, scope: Scope) -> Answer:
    """Run the report: one row a branch, with its newest run and how many there are."""
    columns = [Column("branch", "Branch"), Column("state", "Stands in the way"), Column("runs", "Runs", "count")]
    columns += [Column("file_name", "Newest file"), Column("first_date", "From", "date")]
    columns += [Column("last_date", "To", "date"), *_count_columns()]
    answer = Answer(columns)
    found = _read_runs(work, scope)
    for place in _branches(scope):
        concerned = _concerning(scope, place, found)
        newest = _telling(concerned)
        counts = [figure(getattr(newest, name)) for name in COUNTS] if newest else [Cell("")] * len(COUNTS)
        days = [text_cell(getattr(newest, name, None)) for name in ("file_name", "first_date", "last_date")]
        key = make_key(Drill("runs", None, part=place.id))
        cells = (Cell(place.name), Cell(_state(newest)), figure(len(concerned), drill=key), *days, *counts)
        answer.rows.append(Row(cells))
    return answer


def records(work: UnitOfWork, scope: Scope, drill: Drill) -> Records:
    """The runs of one branch."""
    found = _read_runs(work, scope)
    branches = [place for place in _branches(scope) if place.id == drill.part]
    ids = [one.id for place in branches for one in _concerning(scope, place, found)]
    texts = [run_table.c[name] for name in ("id", "file_name", "state", "first_date", "last_date")]
    counts = [run_table.c[name] for name in COUNTS]
    statement = sa.select(*texts, unit.c.name, *counts, sa.literal(1).label("one")).where(run_table.c.id.in_(ids))
    statement = statement.select_from(run_table.outerjoin(unit, unit.c.id == run_table.c.unit_id))
    columns = [Column("id", "Run"), Column("file_name", "File"), Column("state", "State")]
    columns += [Column("first_date", "From", "date"), Column("last_date", "To", "date"), Column("unit", "Unit")]
    columns += [*_count_columns(), Column("runs", "Runs", "count")]
    return Records("run", columns, statement, (run_table.c.id,), _run_cells)


def _count_columns() -> list[Column]:
    return [Column(name, name.replace("_", " ").capitalize(), "count") for name in COUNTS]


def _run_cells(row: sa.Row[Any]) -> list[Cell]:
    texts, counts = tuple(row)[:6], tuple(row)[6:-1]
    return [*(text_cell(value) for value in texts), *(figure(value) for value in counts)]


def add_deliveries(work: UnitOfWork, scope: Scope, answer: Answer) -> None:
    """Say with a report which branches of its unit have delivered for its period; nothing where it has no period."""
    branches = _branches(scope)
    if scope.span.first is None or scope.span.last is None or not branches:
        return
    found = _read_runs(work, scope)
    for place in branches:
        newest = _telling(_concerning(scope, place, found))
        delivered = newest is not None and newest.state == FINISHED
        answer.deliveries.append(
            Delivery(place.id, place.name, delivered, _state(newest), newest.id if newest is not None else "")
        )
    count = sum(one.delivered for one in answer.deliveries)
    answer.delivery_summary = f"{count} of {len(branches)} branches have delivered"


def _branches(scope: Scope) -> list[Place]:
    """The visible branches at or below the unit asked for that exist in the period."""
    found = [
        place
        for place in scope.tree.places.values()
        if place.kind == "branch"
        and scope.covers_unit(place.id)
        and scope.access.allows_in(READ, place.path, RUN)
        and place.span.meets(scope.span)
    ]
    return sorted(found, key=lambda place: (place.name.casefold(), place.path))


def _read_runs(work: UnitOfWork, scope: Scope) -> Sequence[sa.Row[Any]]:
    """Runs of deals that may concern the period, newest first; one that is not finished may not know its days yet."""
    statement = sa.select(run_table).where(run_table.c.kind.in_(KINDS), run_table.c.state != "cancelled")
    found = work.execute(statement.order_by(run_table.c.create_time.desc().nulls_last(), run_table.c.id.desc())).all()
    return [one for one in found if _concerns(scope, one)]


def _concerns(scope: Scope, one: sa.Row[Any]) -> bool:
    if one.first_date is None or one.last_date is None:
        return bool(one.state != FINISHED)
    loaded = one.state != FINISHED or one.rows_read > one.refused
    return loaded and scope.span.meets(Span(one.first_date, one.last_date))


def _concerning(scope: Scope, place: Place, found: Sequence[sa.Row[Any]]) -> list[sa.Row[Any]]:
    places = scope.tree.places
    return [one for one in found if one.unit_id in places and places[one.unit_id].is_in(place.path)]


def _telling(concerned: Sequence[sa.Row[Any]]) -> sa.Row[Any] | None:
    """The newest finished run, else the newest of all."""
    return next((one for one in concerned if one.state == FINISHED), concerned[0] if concerned else None)


def _state(newest: sa.Row[Any] | None) -> str:
    if newest is None:
        return NOT_STARTED
    return NOTHING if newest.state == FINISHED else str(newest.state)
