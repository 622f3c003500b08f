"""The copy of units is what the directory said last, in whatever order and however often it is heard."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.database import Database
from chassis.ids import new_id
from crm.directory.events.v1 import directory_events_pb2 as events
from units.copying import UNIT_BINDING, UNIT_EVENTS, copy_units
from units.tables import unit


@dataclass(frozen=True)
class Heard:
    message: Any
    version: int
    epoch: int = 1


def a_unit(unit_id: str, name: str, version: int, epoch: int = 1, **more: str) -> Heard:
    """News of a unit; the first version is its making."""
    kind = events.UnitCreated if version == 1 else events.UnitUpdated
    state: dict[str, Any] = {"kind": "branch", "code": "orel", "path": "hq.orel", "country_code": "RU"}
    state |= {"time_zone": "Europe/Moscow", "currency_code": "RUB", "start_date": "2026-01-01", "area_code": "4862"}
    return Heard(kind(unit=events.UnitState(id=unit_id, name=name, **(state | more))), version, epoch)


def copied(database: Database) -> list[Any]:
    with database.transaction() as work:
        return list(work.execute(sa.select(unit).order_by(unit.c.id)).all())


def hear(database: Database, *news: Heard) -> None:
    with database.transaction() as work:
        copy_units(work, news)


def test_a_unit_is_copied_with_all_that_others_need(database: Database) -> None:
    top, made = new_id(), new_id()
    hear(database, a_unit(made, "Орёл", 1, parent_id=top))
    (row,) = copied(database)
    assert (row.id, row.parent_id, row.name, row.path) == (made, top, "Орёл", "hq.orel")
    assert (row.kind, row.code, row.country_code, row.area_code) == ("branch", "orel", "RU", "4862")
    assert (row.time_zone, row.currency_code) == ("Europe/Moscow", "RUB")
    assert (str(row.start_date), row.end_date, row.epoch, row.version) == ("2026-01-01", None, 1, 1)


@pytest.mark.parametrize("one_batch", [True, False])
def test_any_order_and_any_repetition_ends_in_the_newest(database: Database, one_batch: bool) -> None:
    for order in permutations([1, 2, 3]):
        made = new_id()
        news = [a_unit(made, f"name {version}", version) for version in (*order, *order)]
        if one_batch:
            hear(database, *news)
        else:
            for one in news:
                hear(database, one)
    assert {row.name for row in copied(database)} == {"name 3"}


def test_a_newer_epoch_beats_a_higher_version(database: Database) -> None:
    made = new_id()
    hear(database, a_unit(made, "lost with the disk", 9, epoch=1))
    hear(database, a_unit(made, "restored", 4, epoch=2), a_unit(made, "late", 10, epoch=1))
    hear(database, a_unit(made, "later still", 11, epoch=1))
    assert [(row.name, row.epoch, row.version) for row in copied(database)] == [("restored", 2, 4)]


def test_an_empty_batch_changes_nothing(database: Database) -> None:
    hear(database)
    assert copied(database) == []


def test_the_binding_takes_what_the_handler_is_for() -> None:
    assert UNIT_BINDING.startswith("crm.directory.unit.")
    assert {event.DESCRIPTOR.name for event in UNIT_EVENTS} == {"UnitCreated", "UnitUpdated"}
