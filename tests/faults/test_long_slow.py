"""A reader of ours is slow for minutes: it falls behind alone, says so, loses nothing, and catches up."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from chassis.naming import queue_name
from chassis.testing.eventually import eventually
from tests.faults.figures import Note
from tests.faults.history import History
from tests.faults.judging import assert_unnoticed, settle
from tests.faults.site import PATIENCE, Site, on_this_machine
from tests.faults.writing import people_at_work

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

SLOW_FOR = 120.0
CAUGHT_UP_A_SECOND = 300.0
RECOVERY_SECONDS = 20.0
QUEUE = queue_name("reporting")
# Two seconds for each person, until the table is emptied: even a statement at work is quick from then on.
_SLOW = """
CREATE TABLE slowness (seconds float8);
INSERT INTO slowness VALUES (2);
CREATE FUNCTION be_slow() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN PERFORM pg_sleep(seconds) FROM slowness; RETURN NEW; END $$;
CREATE TRIGGER be_slow BEFORE INSERT OR UPDATE ON person FOR EACH ROW EXECUTE FUNCTION be_slow()"""


@contextmanager
def slow_reports(site: Site) -> Iterator[None]:
    """Reporting needs two seconds for each event."""
    with psycopg.connect(site.folder.server_url.format("reporting"), autocommit=True) as connection:
        connection.execute(_SLOW)
        try:
            yield
        finally:
            connection.execute("DELETE FROM slowness")


def test_a_reader_that_is_slow_for_minutes_falls_behind_alone_and_catches_up(
    site: Site, history: History, note_figures: Note
) -> None:
    with people_at_work(site.rest, site.office.company, history):
        with slow_reports(site):
            threading.Event().wait(SLOW_FOR)
            backlog = len(history.acknowledged) - len(site.copied(history.records))
            assert eventually(lambda: site.messages_in(QUEUE) > SLOW_FOR, within=PATIENCE, every=1.0), "it is told"
            assert site.await_effects(history) < on_this_machine(RECOVERY_SECONDS), "others are not held up"
        began = time.monotonic()
    records = history.records
    eventually(lambda: site.copied(records) == site.stored(records), within=PATIENCE, every=1.0)
    caught_up = time.monotonic() - began

    settle(site, history, note_figures, caught_up)
    assert_unnoticed(history)
    assert site.rest.get("/services/reporting/lag")["waiting"] == [], "slow is no reason to give an event up"
    assert caught_up < on_this_machine(backlog / CAUGHT_UP_A_SECOND + RECOVERY_SECONDS)
