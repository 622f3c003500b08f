"""Keeps the copy of units up to date from the directory's events; duplicates and old news change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.copies import copies_in_place
from chassis.database import UnitOfWork
from chassis.naming import binding
from crm.directory.events.v1 import directory_events_pb2 as events
from units.tables import unit

UNIT_BINDING = binding("directory", "unit")
UNIT_EVENTS = (events.UnitCreated, events.UnitUpdated)
UNIT_COPIES = copies_in_place(unit)


class Delivered(Protocol):
    """What a handler needs to know of a delivered event."""

    @property
    def message(self) -> Any: ...
    @property
    def epoch(self) -> int: ...
    @property
    def version(self) -> int: ...


def copy_units(work: UnitOfWork, deliveries: Sequence[Delivered]) -> None:
    """Take over units as the directory says they are; handler of UnitCreated and UnitUpdated."""
    newest: dict[str, dict[str, Any]] = {}
    for delivery in deliveries:
        row = _row(delivery)
        known = newest.get(row["id"])
        if known is None or (known["epoch"], known["version"]) < (row["epoch"], row["version"]):
            newest[row["id"]] = row
    if not newest:
        return
    statement = insert(unit)
    changed = {column.name: statement.excluded[column.name] for column in unit.c if column.name != "id"}
    newer = sa.tuple_(unit.c.epoch, unit.c.version) < sa.tuple_(statement.excluded.epoch, statement.excluded.version)
    work.execute(
        statement.on_conflict_do_update(index_elements=["id"], set_=changed, where=newer), list(newest.values())
    )


def _row(delivery: Delivered) -> dict[str, Any]:
    state = delivery.message.unit
    return {
        "id": state.id,
        "parent_id": state.parent_id or None,
        "start_date": _day(state.start_date),
        "end_date": _day(state.end_date),
        "epoch": delivery.epoch,
        "version": delivery.version,
        **{
            name: getattr(state, name)
            for name in (
                "kind",
                "code",
                "name",
                "path",
                "country_code",
                "area_code",
                "time_zone",
                "currency_code",
                "freeze_reason",
            )
        },
    }


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
