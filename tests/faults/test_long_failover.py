"""The host of a database dies and its standby takes over: a synchronous one with every write that was acknowledged.

One that had not heard everything knows less than its service has said; a new epoch makes copies right.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import make_url

from chassis.bus.catching_up import rebuild
from chassis.bus.relay import begin_epoch
from chassis.bus.sources import DatabaseSource
from chassis.embedded_postgres_server import EmbeddedPostgres, binary
from chassis.ids import new_id
from chassis.testing.bus import RabbitBroker
from chassis.testing.eventually import eventually
from tests.contract.messaging.probes import ServiceDatabase, make_tables
from tests.contract.messaging.processes import Workers
from tests.contract.messaging.test_past import a_copier, copy_persons, listener
from tests.faults.checkers import Fact, find_apart, find_disordered, find_doubled, find_lost
from tests.faults.figures import Figures, Note
from tests.faults.lane import Passed, declared, effects_of, read_all, relay_all
from tests.faults.proxy import FaultProxy, proxied
from tests.faults.writing import meanwhile

__all__ = ["listener"]  # a fixture is found by its name here

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

STANDBY = "standby"
RECORDS = 20
CALM_SECONDS = 3.0
TAKE_OVER_SECONDS = 30.0
REPAIR_SECONDS = 300.0
_THERE = """
SELECT 1 FROM outbox WHERE aggregate_id = :record AND version = :version
UNION ALL SELECT 1 FROM event_log WHERE aggregate_id = :record AND version = :version"""


@contextmanager
def primary_and_standby() -> Iterator[tuple[EmbeddedPostgres, EmbeddedPostgres]]:
    """Two servers; a commit of the first waits until the second has it on its disk."""
    with tempfile.TemporaryDirectory(prefix="branchline-failover-") as name:
        primary = EmbeddedPostgres(Path(name) / "primary", end_with_parent=True)
        standby = EmbeddedPostgres(Path(name) / STANDBY, end_with_parent=True)
        primary.start()
        try:
            copy_of(primary, standby)
            standby.start()
            with psycopg.connect(primary.conninfo("postgres"), autocommit=True) as connection:
                connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{STANDBY}'")
                connection.execute("SELECT pg_reload_conf()")
            yield primary, standby
        finally:
            standby.stop(immediate=True)
            primary.stop(immediate=True)


@contextmanager
def late_standby() -> Iterator[tuple[EmbeddedPostgres, EmbeddedPostgres, FaultProxy]]:
    """Two servers; no commit of the first waits for the second, whose link may hang."""
    with tempfile.TemporaryDirectory(prefix="branchline-failover-") as name:
        primary = EmbeddedPostgres(Path(name) / "primary", end_with_parent=True)
        standby = EmbeddedPostgres(Path(name) / STANDBY, end_with_parent=True)
        primary.start()
        try:
            with proxied(primary.port) as link:
                copy_of(primary, standby, link.port)
                standby.start()
                yield primary, standby, link
        finally:
            standby.stop(immediate=True)
            primary.stop(immediate=True)


def copy_of(primary: EmbeddedPostgres, standby: EmbeddedPostgres, port: int = 0) -> None:
    """Make the standby's folder from the primary as it runs; `port` leads to it another way."""
    standby.folder.mkdir()
    owner = primary.folder.stat()
    os.chown(standby.folder, owner.st_uid, owner.st_gid)
    way = primary.conninfo("postgres").replace(f"port={primary.port}", f"port={port or primary.port}")
    link = f"{way} application_name={STANDBY}"
    command = [str(binary("pg_basebackup")), "-d", link, "-D", str(standby.data), "-R", "-X", "stream", "-c", "fast"]
    subprocess.run(command, check=True, capture_output=True, user=owner.st_uid, group=owner.st_gid, cwd="/")
    (standby.folder / "password").write_text(primary.password)


class Writer:
    """Commits versions of records one after the other; after an error it finds out whether the commit was made."""

    def __init__(self, service: ServiceDatabase) -> None:
        self.service = service
        self.acknowledged: list[Fact] = []
        self.times: list[float] = []

    def write_on(self, stop: threading.Event) -> None:
        """Write until told to stop."""
        records = [new_id() for _ in range(RECORDS)]
        version = 0
        while not stop.is_set():
            version += 1
            for record in records:
                self._insist(record, version)

    def _insist(self, record: str, version: int) -> None:
        while True:
            try:
                if not self.service.ask(_THERE, record=record, version=version):
                    self.service.write(1, aggregate_id=record, first_version=version)
            except sa.exc.DBAPIError:
                time.sleep(0.1)
            else:
                self.acknowledged.append((record, version))
                self.times.append(time.monotonic())
                return


def promote(primary: EmbeddedPostgres, standby: EmbeddedPostgres) -> None:
    """Kill the primary with all its processes and promote the standby."""
    assert primary.process is not None
    os.killpg(primary.process.pid, signal.SIGKILL)
    with psycopg.connect(standby.conninfo("postgres"), autocommit=True) as connection:
        connection.execute("SELECT pg_promote()")


def take_over(primary: EmbeddedPostgres, standby: EmbeddedPostgres, link: FaultProxy) -> None:
    """Let the standby be the primary, and lead the link to it."""
    promote(primary, standby)
    link.target = standby.port
    link.cut()


def test_a_standby_takes_over_and_nothing_that_was_acknowledged_is_lost(
    rabbit: RabbitBroker, tmp_path: Path, note_figures: Note
) -> None:
    with primary_and_standby() as (primary, standby), proxied(primary.port) as link:
        primary.create_database("messaging")
        url = make_url(primary.url("messaging")).set(port=link.port).render_as_string(hide_password=False)
        make_tables(url)
        service = ServiceDatabase(url)
        writer, workers = Writer(service), Workers(url, rabbit.fresh_vhost(), tmp_path)
        try:
            workers.start()
            with meanwhile(writer.write_on):
                eventually(lambda: len(effects_of(service)) > RECORDS, within=60)
                threading.Event().wait(CALM_SECONDS)
                take_over(primary, standby, link)
                killed = time.monotonic()
                eventually(lambda: writer.times[-1] > killed, within=60)
                threading.Event().wait(CALM_SECONDS)
            eventually(lambda: set(writer.acknowledged) <= set(effects_of(service)), within=120, every=0.2)
            effects = effects_of(service)
        finally:
            workers.end()
            service.database.close()

    back = next(one for one in writer.times if one > killed) - killed
    lost, doubled = find_lost(writer.acknowledged, effects), find_doubled(effects)
    disordered = find_disordered(effects)
    note_figures(Figures(len(writer.acknowledged), len(lost), len(doubled), len(disordered), back))
    assert (lost, doubled, disordered) == (set(), [], [])
    assert back < TAKE_OVER_SECONDS


def place_of(server: EmbeddedPostgres, question: str) -> int:
    """A place in the log of a server, in bytes."""
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as connection:
        row = connection.execute(f"SELECT {question}() - '0/0'::pg_lsn").fetchone()
    assert row is not None
    return int(row[0])


def said(service: ServiceDatabase) -> dict[str, int]:
    """The newest version of each record in a service's log."""
    rows = service.ask("SELECT aggregate_id::text AS id, max(version) AS version FROM event_log GROUP BY 1")
    return {row.id: int(row.version) for row in rows}


def copied_by(listener: ServiceDatabase) -> dict[str, int]:
    """The version of each record in a listener's copy."""
    return {row.id: int(row.version) for row in listener.ask("SELECT id::text, version FROM copied")}


def test_a_standby_that_had_not_heard_everything_is_made_right_by_a_new_epoch(
    rabbit: RabbitBroker,
    listener: ServiceDatabase,  # noqa: F811
    note_figures: Note,
) -> None:
    url, records = declared(rabbit), [new_id() for _ in range(RECORDS)]

    def write(service: ServiceDatabase, *versions: int) -> None:
        for version in versions:
            for record in records:
                service.write(1, aggregate_id=record, first_version=version)
        relay_all(service, url)
        read_all(listener, url, Passed(), handler=copy_persons)

    with late_standby() as (primary, standby, link):
        primary.create_database("messaging")
        make_tables(primary.url("messaging"))
        before, after = (ServiceDatabase(server.url("messaging")) for server in (primary, standby))
        write(before, 1, 2)
        heard = place_of(primary, "pg_current_wal_lsn")
        eventually(lambda: place_of(standby, "pg_last_wal_replay_lsn") >= heard, within=60)
        link.flows.clear()
        write(before, 3, 4)
        promote(primary, standby)
        killed = time.monotonic()
        assert find_apart(said(after), copied_by(listener)), "what the service does not know any more was heard of"

        assert begin_epoch(after.database) == 2
        rebuild(a_copier(), listener.database, [DatabaseSource(after.database)])
        assert copied_by(listener) == said(after) == dict.fromkeys(records, 2)
        write(after, 3)
        repaired = time.monotonic() - killed
        source = said(after)
        for database in (before.database, after.database):
            database.close()

    apart = find_apart(source, copied_by(listener))
    note_figures(Figures(3 * RECORDS, len(apart), 0, 0, repaired))
    assert source == dict.fromkeys(records, 3)
    assert apart == set()
    assert repaired < REPAIR_SECONDS
