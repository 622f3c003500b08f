"""Folds facts into the rows of a report: raw columns to groups, sums to the digit, rows in the order of their names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from reporting.reports.answer import Cell, Column
from reporting.reports.dimensions import DIMENSIONS, Names
from reporting.reports.facts import Source, read_facts
from reporting.reports.scope import Scope

Groups = tuple[str, ...]
Sums = dict[str, Decimal]


def _raw_columns(scope: Scope) -> list[str]:
    """The columns of facts the scope's groups come from, each once."""
    return list(dict.fromkeys(DIMENSIONS[name].raw for name in scope.group_by))


def _grouper(scope: Scope) -> Callable[[sa.Row[Any]], Groups]:
    """A function from a row of facts to its groups; each raw value is placed once."""
    placed: dict[tuple[str, Any], str] = {}

    def group_of(name: str, value: Any) -> str:
        key = (name, value)
        if key not in placed:
            placed[key] = DIMENSIONS[name].group_of(value, scope.tree)
        return placed[key]

    return lambda row: tuple(group_of(name, getattr(row, DIMENSIONS[name].raw)) for name in scope.group_by)


def sum_facts(
    work: UnitOfWork,
    scope: Scope,
    source: Source,
    measures: Sequence[str],
    apart: Sequence[str] = (),
    statuses: Sequence[str] = (),
) -> dict[tuple[Groups, tuple[Any, ...]], Sums]:
    """Sum measures of a source by the scope's groups, keeping apart the values of further columns."""
    by = list(dict.fromkeys([*_raw_columns(scope), *apart]))
    facts = read_facts(work, scope, source, by, measures, statuses)
    groups_of = _grouper(scope)
    sums: dict[tuple[Groups, tuple[Any, ...]], Sums] = defaultdict(lambda: dict.fromkeys(measures, Decimal(0)))
    for row in facts:
        into = sums[groups_of(row), tuple(_as_key(getattr(row, name)) for name in apart)]
        for name in measures:
            into[name] += getattr(row, name)
    return dict(sums)


def _as_key(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def names_for(work: UnitOfWork, scope: Scope, groups: Iterable[Groups]) -> Names:
    """The names of all groups of a report."""
    seen = list(groups)
    return Names(work, scope.tree, {name: {one[at] for one in seen} for at, name in enumerate(scope.group_by)})


def group_columns(scope: Scope) -> list[Column]:
    """One text column for each group."""
    return [Column(name, DIMENSIONS[name].title) for name in scope.group_by]


def group_cells(names: Names, scope: Scope, groups: Groups) -> list[Cell]:
    """The names of a row's groups."""
    return [Cell(names.name(name, group)) for name, group in zip(scope.group_by, groups, strict=True)]


def total_cells(scope: Scope, label: str = "Total") -> list[Cell]:
    """The label of a total in the first group's column, when there is one."""
    return [Cell(label if at == 0 else "") for at in range(len(scope.group_by))]
