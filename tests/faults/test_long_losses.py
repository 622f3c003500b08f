"""People work while a queue or the broker's disk is lost, all processes die at once, or the database's disk is full."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from chassis.testing.eventually import eventually
from chassis.testing.rabbit import ContainerRabbit
from tests.faults.figures import Note
from tests.faults.history import History
from tests.faults.judging import assert_unnoticed, read_told, settle
from tests.faults.site import LEDGER_QUEUE, PATIENCE, PROCESSES, Site, opened_site
from tests.faults.writing import people_at_work

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

CALM_SECONDS = 3.0
TIMES = 3
LONG_WRITE_SECONDS = 30.0
AGAIN_SECONDS = 30.0
DISK = "600m"
SPARED = 1024 * 1024  # bytes of the full disk that stay free at first
FULL_SECONDS = 20.0


def wait(seconds: float) -> None:
    """Let people work."""
    threading.Event().wait(seconds)


def assert_copied(site: Site, history: History) -> None:
    """Reporting ends with the newest state of every record. Errors: AssertionError."""
    records = history.records
    eventually(lambda: site.copied(records) == site.stored(records), within=PATIENCE, every=1.0)


def test_every_process_is_killed_at_once_three_times(site: Site, history: History, note_figures: Note) -> None:
    everybody = (*PROCESSES, "jobs", "postgres")
    with people_at_work(site.rest, site.office.company, history):
        for _ in range(TIMES):
            wait(CALM_SECONDS)
            before = {name: site.pid_of(name) for name in everybody}
            for pid in before.values():
                os.kill(pid, signal.SIGKILL)
            for name, pid in before.items():
                eventually(lambda n=name, p=pid: site.pid_of(n) not in (0, p) and site.is_up(n), within=120)  # type: ignore[misc]
        wait(CALM_SECONDS)

    settle(site, history, note_figures)


def test_a_long_write_in_another_database_delays_no_event(site: Site, history: History, note_figures: Note) -> None:
    """What follows the oldest transaction of the whole server would wait for it."""
    with (
        psycopg.connect(site.folder.server_url.format("deals")) as connection,
        people_at_work(site.rest, site.office.company, history),
    ):
        connection.execute("CREATE TABLE long_write (id int)")
        wait(LONG_WRITE_SECONDS)
        waited = site.await_effects(history)
        connection.rollback()

    settle(site, history, note_figures, waited)
    assert waited < CALM_SECONDS * 2


def test_a_queue_that_is_deleted_is_there_again_and_what_it_missed_is_published_again(
    site: Site, history: History, note_figures: Note
) -> None:
    with people_at_work(site.rest, site.office.company, history):
        wait(CALM_SECONDS)
        site.broker.ask("DELETE", f"/queues/{site.vhost}/{LEDGER_QUEUE}")
        eventually(site.readers, within=AGAIN_SECONDS, every=0.2)
        wait(CALM_SECONDS)
    before = read_told(site, history)
    site.command("events", "republish", "contacts", "--from", "1")

    settle(site, history, note_figures, in_order=before)
    assert_copied(site, history)


def test_a_broker_that_lost_its_disk_is_filled_again_by_one_command(
    site: Site, history: History, note_figures: Note
) -> None:
    old, new = site.broker, ContainerRabbit()
    try:
        new.wait_ready()
        with people_at_work(site.rest, site.office.company, history):
            wait(CALM_SECONDS)
            os.kill(site.ledgers.running[-1].pid, signal.SIGSTOP)  # so that something is in the queue
            wait(CALM_SECONDS)
            site.move_to(new)
            os.kill(site.ledgers.running[-1].pid, signal.SIGCONT)
            eventually(site.readers, within=2 * AGAIN_SECONDS, every=0.2)
            wait(CALM_SECONDS)
        before = read_told(site, history)
        site.command("events", "republish")
        settle(site, history, note_figures, in_order=before)
        assert_copied(site, history)
        assert_unnoticed(history)
    finally:
        site.move_to(old)
        new.stop()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own that a test may fill; needs root."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=755", "none", str(place)], check=True)
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_refuses_and_harms_nothing_and_goes_on_when_there_is_room(
    rabbit: ContainerRabbit, small_disk: Path, history: History, note_figures: Note
) -> None:
    ballast = small_disk / "ballast"
    with opened_site(rabbit, small_disk) as site:
        with people_at_work(site.rest, site.office.company, history):
            wait(CALM_SECONDS)
            free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
            with ballast.open("wb") as output:
                os.posix_fallocate(output.fileno(), 0, free - SPARED)
            wait(FULL_SECONDS)
            ballast.unlink()
            eventually(lambda: all(site.is_up(name) for name in (*PROCESSES, "postgres")), within=120)
            wait(CALM_SECONDS)
        settle(site, history, note_figures)
