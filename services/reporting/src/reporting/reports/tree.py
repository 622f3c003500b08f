"""The units as one report sees them: names, levels, and which unit lies below which, now or as it was on a day.

As it is now, what became part of another unit is counted there; as it was, each unit is what it was then.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from chassis.database import UnitOfWork
from reporting.rules.periods import DAY, Span
from reporting.tables import unit_place
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
    merged_into_id: str = ""

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

    def standing(self, unit_id: str | None) -> str:
        """The unit that stands for a unit: itself, or the one it became part of; empty for none."""
        place = self.places.get(unit_id or "")
        while place is not None and place.merged_into_id in self.places:
            place = self.places[place.merged_into_id]
        return place.id if place else unit_id or ""

    def stood_for(self, unit_id: str) -> list[str]:
        """The units for which a unit stands, itself included."""
        if not self.has_merged:
            return [unit_id]
        return [unit_id, *(one for one in self.places if one != unit_id and self.standing(one) == unit_id)]

    @cached_property
    def has_merged(self) -> bool:
        """Whether any unit became part of another one."""
        return any(place.merged_into_id for place in self.places.values())

    def below(self, path: str) -> list[str]:
        """The ids of the unit at a path and of all below it."""
        return [place.id for place in self.places.values() if place.is_in(path)]

    def ancestor(self, unit_id: str | None, kind: str) -> str:
        """The id of the nearest unit of a kind at or above a unit; empty when there is none."""
        place = self.places.get(self.standing(unit_id))
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


def load_tree(work: UnitOfWork, day: date | None = None) -> Tree:
    """Read all units, as they are now or as they were at the end of a day; an organization has thousands at most."""
    names = ("id", "parent_id", "kind", "name", "path", "currency_code", "start_date", "end_date")
    places = _places_on(work, day) if day else _merged_places(work)
    rows = work.execute(sa.select(*(unit.c[name] for name in names)))
    return Tree(_place(row, places.get(row.id), bool(day)) for row in rows)


def _place(row: Any, told: Any, then: bool) -> Place:
    shown = told if then and told else row
    merged = told.merged_into_id if told and told.merged_into_id else ""
    return Place(
        row.id, row.parent_id or "", shown.kind, shown.name, shown.path, row.currency_code,
        Span(row.start_date, row.end_date - DAY if row.end_date else None), merged,
    )  # fmt: skip


def _places_on(work: UnitOfWork, day: date) -> dict[str, Any]:
    """What each unit was at the end of a day."""
    c = unit_place.c
    latest = sa.select(unit_place).ext(distinct_on(c.unit_id)).where(c.start_date <= day)
    return {row.unit_id: row for row in work.execute(latest.order_by(c.unit_id, c.start_date.desc()))}


def _merged_places(work: UnitOfWork) -> dict[str, Any]:
    """The last word of units that became part of another one."""
    c = unit_place.c
    merged = sa.select(unit_place).ext(distinct_on(c.unit_id)).where(c.merged_into_id.is_not(None))
    return {row.unit_id: row for row in work.execute(merged.order_by(c.unit_id, c.start_date.desc()))}
