"""The units as one report sees them: names, levels, and which unit lies below which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import sqlalchemy as sa

from chassis.database import UnitOfWork
from reporting.rules.periods import DAY, Span
from units.tables import unit


@dataclass(frozen=True)
class Place:
    """One unit."""

    id: str
    parent_id: str
    kind: str
    name: str
    path: str
    currency_code: str
    span: Span

    @property
    def depth(self) -> int:
        """How many units are above it."""
        return self.path.count(".")

    def is_in(self, path: str) -> bool:
        """Tell whether it is the unit at `path` or below it."""
        return (self.path + ".").startswith(path + ".")


class Tree:
    """All units known here."""

    def __init__(self, places: Iterable[Place]) -> None:
        self.places = {place.id: place for place in places}

    @cached_property
    def _by_path(self) -> dict[str, Place]:
        return {place.path: place for place in self.places.values()}

    def ancestor(self, unit_id: str | None, kind: str) -> str:
        """The id of the nearest unit of a kind at or above a unit; empty when there is none."""
        place = self.places.get(unit_id or "")
        path = place.path if place else ""
        while path:
            above = self._by_path.get(path)
            if above is not None and above.kind == kind:
                return above.id
            path = path.rpartition(".")[0]
        return ""

    def members(self, unit_id: str, kind: str) -> list[str]:
        """Units whose nearest unit of a kind is the given one; with an empty id, all that have one."""
        found = ((place.id, self.ancestor(place.id, kind)) for place in self.places.values())
        return [each for each, above in found if (above == unit_id if unit_id else above)]

    def company(self) -> Place | None:
        """The topmost unit."""
        return min(self.places.values(), key=lambda place: (place.depth, place.path), default=None)


def load_tree(work: UnitOfWork) -> Tree:
    """Read all units; an organization has thousands of them at most."""
    names = ("id", "parent_id", "kind", "name", "path", "currency_code", "start_date", "end_date")
    return Tree(
        Place(
            row.id, row.parent_id or "", row.kind, row.name, row.path, row.currency_code,
            Span(row.start_date, row.end_date - DAY if row.end_date else None),
        )
        for row in work.execute(sa.select(*(unit.c[name] for name in names)))
    )  # fmt: skip
