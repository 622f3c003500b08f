"""People work on a whole platform while its broker, its database and its processes go away and come back."""

from __future__ import annotations

import os
import signal
import threading
import time

import psycopg
import pytest

from branchline.exits import Exit, Failure
from branchline.rest import Rest
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.testing.eventually import eventually
from tests.faults.figures import Note
from tests.faults.history import History
from tests.faults.judging import ENOUGH, assert_unnoticed, settle
from tests.faults.replaying import digest_of_replay
from tests.faults.site import PROCESSES, Site
from tests.faults.writing import meanwhile, people_at_work

pytestmark = pytest.mark.timeout(600)

BROKER_TIMES, DATABASE_TIMES = 5, 3
AWAY_SECONDS = 2.0
CALM_SECONDS = 1.0


def test_a_broker_that_stops_five_times_is_not_noticed_by_users(
    site: Site, history: History, note_figures: Note
) -> None:
    with people_at_work(site.rest, site.office.company, history):
        for _ in range(BROKER_TIMES):
            site.broker.control("stop_app")
            threading.Event().wait(AWAY_SECONDS)
            site.broker.control("start_app")
            threading.Event().wait(CALM_SECONDS)

    settle(site, history, note_figures)
    assert_unnoticed(history)


def test_a_database_server_that_crashes_three_times_loses_nothing(
    site: Site, history: History, note_figures: Note
) -> None:
    with people_at_work(site.rest, site.office.company, history):
        for _ in range(DATABASE_TIMES):
            threading.Event().wait(CALM_SECONDS)
            site.end("postgres", signal.SIGQUIT)  # an immediate stop: no checkpoint, nobody is waited for
        threading.Event().wait(CALM_SECONDS)

    settle(site, history, note_figures)
    assert site.messages_in("crm_dead") == 0
    with psycopg.connect(site.folder.server_url.format("ledger")) as connection:
        assert connection.execute("SELECT count(*) FROM parked_event").fetchone() == (0,)


def follow_feed(rest: Rest, stop: threading.Event, positions: list[int]) -> None:
    """Read contacts' feed as an outsider does, page by page, each from where the last one ended."""
    while not stop.wait(0.1):
        after = positions[-1] if positions else 0
        try:
            page = rest.get("/services/contacts/events", after_position=after, page_size=100)["events"]
        except Failure as trouble:
            if trouble.status != Exit.UNREACHABLE:
                raise
        else:
            positions += [int(event["position"]) for event in page]


def test_every_process_is_killed_while_it_works_and_a_reader_of_the_feed_misses_nothing(
    site: Site, history: History, note_figures: Note
) -> None:
    positions: list[int] = []
    with (
        people_at_work(site.rest, site.office.company, history),
        meanwhile(lambda stop: follow_feed(site.rest, stop, positions)),
    ):
        for name in PROCESSES:
            threading.Event().wait(CALM_SECONDS)
            site.end(name)
        threading.Event().wait(CALM_SECONDS)

    settle(site, history, note_figures)
    assert positions == list(range(1, len(positions) + 1))
    assert len(positions) >= ENOUGH


def test_a_process_that_is_asked_to_stop_leaves_nothing_half_done(
    site: Site, history: History, note_figures: Note
) -> None:
    """The restart of a deployment: no user is told of an error that lasts, and nothing is published twice."""
    with people_at_work(site.rest, site.office.company, history):
        for name in PROCESSES:
            threading.Event().wait(CALM_SECONDS)
            site.end(name, signal.SIGTERM)

    found = settle(site, history, note_figures)
    assert found.repeated == 0


def test_of_three_readers_another_takes_over_when_the_active_one_is_killed(
    site: Site, history: History, note_figures: Note
) -> None:
    standby = [site.ledgers.start() for _ in range(2)]
    eventually(lambda: site.readers() == 1 + len(standby), within=60, every=0.2)
    gaps = []
    with people_at_work(site.rest, site.office.company, history):
        for active in site.ledgers.running[:2]:
            threading.Event().wait(CALM_SECONDS)
            os.kill(active.pid, signal.SIGKILL)
            active.wait()
            killed, seen = time.monotonic(), len(site.ledger.ledger())
            eventually(lambda before=seen: len(site.ledger.ledger()) > before, within=60)  # type: ignore[misc]
            gaps.append(time.monotonic() - killed)
        eventually(lambda: len(history.acknowledged) > ENOUGH, within=120)

    settle(site, history, note_figures, max(gaps))


def test_everything_published_once_more_changes_nothing(site: Site, history: History, note_figures: Note) -> None:
    with people_at_work(site.rest, site.office.company, history):
        eventually(lambda: len(history.acknowledged) > ENOUGH, within=120)
    site.await_effects(history)
    before = site.rest.get("/freshness", with_digest="true")

    assert site.command("events", "republish", "contacts", "--from", "1")["from"] == {"contacts": 1}

    records = history.records
    eventually(lambda: repeated_by(site, records) >= len(history.acknowledged), within=120, every=0.2)
    found = settle(site, history, note_figures)
    assert found.repeated >= found.acknowledged
    assert site.rest.get("/freshness", with_digest="true")["digest"] == before["digest"]


def repeated_by(site: Site, records: frozenset[str]) -> int:
    """How often the witness was told again of these records."""
    told = [one for one in site.witness.delivered if one[0] in records]
    return len(told) - len(set(told))


def test_after_all_that_reporting_is_what_a_replay_of_all_events_makes(site: Site, postgres: EmbeddedPostgres) -> None:
    site.office.settle()
    told = site.rest.get("/freshness", with_digest="true")
    assert told["digest"] == digest_of_replay(site.rest, postgres)
    for service in ("directory", "contacts", "deals", "scheduling", "imports", "reporting"):
        assert site.rest.get(f"/services/{service}/parked_events")["parked"] == []
