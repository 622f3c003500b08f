"""Headquarters' reports add up what it says itself and what branches that are cells say, to the row."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterable

import pytest
import sqlalchemy as sa

from chassis.bus.events import CONTENT_TYPE, Incoming, wire_headers_of
from chassis.bus.subscription import Subscription
from chassis.cells import CELL_HEADER, source_of
from chassis.database import Database
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.ids import new_id
from chassis.testing.postgres import fresh_database
from reporting.settings import Settings
from reporting.tables import READ_MODELS, ROLLUPS
from reporting.worker import worker_service
from services.reporting.tests.conftest import prepare
from services.reporting.tests.test_read_models import busy_world
from services.reporting.tests.world import Told, World

NOON = "2026-03-03T12:00:00+00:00"
Rows = dict[str, Counter[str]]


def rows_of(database: Database) -> Rows:
    """Every row of every read model as text, and of the sums those that came to something."""
    found: Rows = {}
    with database.transaction() as work:
        for table in (*READ_MODELS, *ROLLUPS):
            measures = [column for column in table.c if isinstance(column.type, sa.Numeric | sa.BigInteger)]
            wanted = sa.true() if table in READ_MODELS else sa.or_(*(column != 0 for column in measures))
            rows = work.execute(sa.select(sa.cast(sa.func.row(*table.c), sa.Text)).where(wanted))
            found[table.name] = Counter(rows.scalars())
    return found


def a_world(postgres: EmbeddedPostgres, seed: int) -> World:
    """A busy company with reports of its own."""
    world = World(Database(fresh_database(postgres, "reporting", prepare), "reporting"))
    busy_world(world, random.Random(seed))
    return world


def messages_of(told: Iterable[Told], cell: str) -> list[Incoming]:
    """What was told as the bus brings it: headquarters' own, or over the bridge of a cell."""
    found = []
    for position, one in enumerate(told, 1):
        record = one.message.ListFields()[0][1].id
        kind = one.message.DESCRIPTOR.full_name
        place = (one.version, one.epoch, position)
        more, last = ({}, "e") if cell == "hq" else ({CELL_HEADER: cell}, cell)
        source = source_of(cell, kind.split(".")[1])
        headers = wire_headers_of(source, new_id(), kind, "record", record, *place, NOON, more)
        body = one.message.SerializeToString()
        found.append(Incoming(position, 0, CONTENT_TYPE, f"crm.a.b.c.v1.p00.all.{last}", headers, body))
    return found


@pytest.mark.parametrize("mixed", [False, True])
def test_reports_hold_what_headquarters_and_its_cells_say_to_the_row(mixed: bool, postgres: EmbeddedPostgres) -> None:
    worlds = {cell: a_world(postgres, seed) for seed, cell in enumerate(("hq", "ural", "volga"))}
    service = worker_service(Settings(fresh_database(postgres, "reporting", prepare)))
    subscription = Subscription(service.consumers[0], service.database, threading.Event())
    heard = [one for cell, world in worlds.items() for one in messages_of(world.told, cell)]
    if mixed:
        random.Random(7).shuffle(heard)

    for start in range(0, len(heard), 100):
        assert subscription.handle(heard[start : start + 100])

    apart = [rows_of(world.database) for world in worlds.values()]
    whole = rows_of(service.database)
    assert whole["deal"].total() == 3 * 40
    assert whole == {name: sum((one[name] for one in apart), Counter[str]()) for name in whole}
