"""The broker is away for ten minutes while people work: nobody notices, and what waited is handled soon after."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from chassis.testing.eventually import eventually
from chassis.testing.rabbit import ContainerRabbit
from tests.faults.figures import Note
from tests.faults.history import History
from tests.faults.judging import assert_unnoticed, settle
from tests.faults.site import Site, on_this_machine, opened_site
from tests.faults.writing import people_at_work

pytestmark = [pytest.mark.long, pytest.mark.timeout(2400)]

AWAY_SECONDS = 600.0
BEFORE_SECONDS = 20.0
WRITES_A_SECOND = 50.0
FIRST_PUBLISH_SECONDS = 10.0
SECONDS_PER_10_000 = 90.0
SMALL_OUTBOX = 1_000
DEAD_ROWS = 50_000
_STATE = "SELECT last_position, published_position FROM relay_state"
_DEAD = "SELECT coalesce(sum(n_dead_tup), 0) FROM pg_stat_user_tables WHERE relname IN ('outbox', 'relay_state')"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A platform whose broker keeps its disk while it is away."""
    broker = ContainerRabbit(kept=True)
    try:
        broker.wait_ready()
        with opened_site(broker) as opened:
            yield opened
    finally:
        broker.stop()


def asked(site: Site, statement: str) -> tuple[int, ...]:
    """One row of contacts' database."""
    with psycopg.connect(site.folder.server_url.format("contacts")) as connection:
        row = connection.execute(statement).fetchone()
    assert row is not None
    return tuple(map(int, row))


def test_ten_minutes_without_a_broker_cost_no_user_an_error(site: Site, history: History, note_figures: Note) -> None:
    with people_at_work(site.rest, site.office.company, history, WRITES_A_SECOND):
        threading.Event().wait(BEFORE_SECONDS)
        before = history.waits()
        site.broker.halt()
        threading.Event().wait(AWAY_SECONDS)
        during = history.waits()[len(before) :]
        assert asked(site, "SELECT count(*) FROM outbox")[0] < SMALL_OUTBOX, "numbering goes on"
        assert asked(site, _DEAD)[0] < DEAD_ROWS
    last, published = asked(site, _STATE)
    site.broker.go_on()
    site.find_broker()
    back, used = time.monotonic(), site.processor_seconds()
    eventually(lambda: asked(site, _STATE)[1] > published, within=60)
    first = time.monotonic() - back
    site.await_effects(history, within=900)
    recovered, used = time.monotonic() - back, site.processor_seconds() - used

    settle(site, history, note_figures, recovered)
    backlog = last - published
    p95 = [statistics.quantiles(waits, n=20)[-1] * 1000 for waits in (before, during)]
    told = (
        f"backlog {backlog:,}, first publish {first:.1f} s, processors {used:.0f} s, p95 {p95[0]:.0f}, {p95[1]:.0f} ms"
    )
    print(told)  # noqa: T201 (the figures are asked for)
    assert_unnoticed(history)
    assert backlog > AWAY_SECONDS, "people wrote meanwhile"
    assert first < on_this_machine(FIRST_PUBLISH_SECONDS)
    # Where others use the machine too, what our own processes had of it counts.
    assert min(recovered, used) < SECONDS_PER_10_000 * backlog / 10_000 + FIRST_PUBLISH_SECONDS
