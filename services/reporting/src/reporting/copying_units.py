"""Keeps the copy of units and of what each of them was from which day on, as the directory tells it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from reporting.tables import unit_place
from units.copying import copy_units
from units.tables import unit


def copy_units_with_places(work: UnitOfWork, deliveries: Sequence[Any]) -> None:
    """Handler of UnitCreated and UnitUpdated: old news changes neither the units nor what they were."""
    copy_units(work, deliveries)
    told = {(one.message.unit.id, one.epoch, one.version): one.message.unit for one in deliveries}
    ids = sorted({unit_id for unit_id, _, _ in told})
    known = work.execute(sa.select(unit.c.id, unit.c.epoch, unit.c.version).where(unit.c.id.in_(ids)))
    states = [told[tuple(row)] for row in known if tuple(row) in told]
    work.execute(sa.delete(unit_place).where(unit_place.c.unit_id.in_([state.id for state in states])))
    rows = [_row(state.id, place) for state in states for place in state.places]
    if rows:
        work.execute(sa.insert(unit_place), rows)


def _row(unit_id: str, place: Any) -> dict[str, Any]:
    return {
        "unit_id": unit_id,
        "start_date": date.fromisoformat(place.start_date) if place.start_date else date.min,
        "name": place.name,
        "kind": place.kind,
        "path": place.path,
        "merged_into_id": place.merged_into_id or None,
    }
