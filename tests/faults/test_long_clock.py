"""A worker whose clock jumps: what it publishes and handles stays complete, in order, and done once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.ids import new_id
from chassis.testing.bus import RabbitBroker
from chassis.testing.eventually import eventually
from tests.contract.messaging.jumps import JUMPS_EVERY
from tests.contract.messaging.probes import ServiceDatabase, open_service
from tests.contract.messaging.processes import Workers
from tests.faults.checkers import find_disordered, find_doubled, find_lost
from tests.faults.figures import Figures, Note
from tests.faults.lane import effects_of

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

RECORDS, ROUNDS = 20, 40
PAUSE_SECONDS = 4 * JUMPS_EVERY / ROUNDS  # the clock jumps at least three times meanwhile


@pytest.fixture
def service(postgres: EmbeddedPostgres) -> ServiceDatabase:
    """A service's database with a ledger of effects."""
    return open_service(postgres)


@pytest.fixture
def workers(service: ServiceDatabase, rabbit: RabbitBroker, tmp_path: Path) -> Iterator[Workers]:
    """Worker processes; what still runs ends with the test."""
    made = Workers(service.url, rabbit.fresh_vhost(), tmp_path)
    yield made
    made.end()


def test_a_worker_whose_clock_jumps_ten_minutes_loses_and_doubles_nothing(
    workers: Workers, service: ServiceDatabase, note_figures: Note
) -> None:
    process = workers.start("jumping")
    records = [new_id() for _ in range(RECORDS)]
    written = []
    for version in range(1, ROUNDS + 1):
        for record in records:
            service.write(1, aggregate_id=record, first_version=version)
            written.append((record, version))
        threading.Event().wait(PAUSE_SECONDS)

    eventually(lambda: len(effects_of(service)) >= len(written), within=60, every=0.2)

    effects = effects_of(service)
    lost, doubled, disordered = find_lost(written, effects), find_doubled(effects), find_disordered(effects)
    note_figures(Figures(len(written), len(lost), len(doubled), len(disordered)))
    assert (lost, doubled, disordered) == (set(), [], [])
    assert process.poll() is None, workers.log()
    assert service.ask("SELECT 1 FROM parked_event") == []
