"""A whole platform of real processes on RabbitMQ that a test may break: its link to the broker, its broker, its parts.

Beside it stand an outsider who notes every delivery and a worker process of ours whose only effect is a ledger.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
from sqlalchemy import make_url

from branchline.platform.claim import stop_holder
from branchline.platform.folder import DataFolder, read_json
from branchline.platform.launch import start_detached
from branchline.rest import Rest, connect
from chassis.testing.eventually import eventually
from chassis.testing.rabbit import USER, ContainerRabbit
from tests.contract.messaging.probes import ServiceDatabase, make_tables
from tests.contract.messaging.processes import Workers
from tests.e2e.conftest import COMPANY, STOP_SECONDS
from tests.e2e.office import Office
from tests.e2e.platforms import CommandLine
from tests.faults.checkers import Fact
from tests.faults.history import History
from tests.faults.proxy import FaultProxy, proxied
from tests.faults.witness import Witness

PATIENCE = 240.0  # seconds, of a busy machine
PROCESSES = ("worker", "api", "gateway")
LEDGER_QUEUE = "crm_probe_in"
MANY = 5_000  # facts that are not compared five times a second
_LOGGED = """
SELECT aggregate_id::text, version FROM event_log WHERE aggregate = 'person' ORDER BY position"""


class Site:
    """The platform, and who watches it."""

    def __init__(self, folder: DataFolder, rest: Rest, broker: ContainerRabbit, url: str, proxy: FaultProxy) -> None:
        self.folder, self.rest, self.broker, self.url, self.proxy = folder, rest, broker, url, proxy
        self.office = Office(rest)
        self.witness = Witness(url)
        self.ledgers = self._make_ledger()
        self.ledger = ServiceDatabase(self.ledgers.database_url)

    @property
    def vhost(self) -> str:
        """The name of its virtual host."""
        return self.url.rsplit("/", 1)[1]

    @property
    def link(self) -> str:
        """The broker's address by way of the proxy."""
        return through(self.url, self.proxy)

    def _make_ledger(self) -> Workers:
        server = self.folder.server_url
        with psycopg.connect(server.format("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE ledger")
        url = server.format("ledger").replace("postgresql://", "postgresql+psycopg://")
        make_tables(url)
        folder = self.folder.path / "ledger"
        folder.mkdir()
        return Workers(url, self.link, folder)

    def watch(self) -> None:
        """Begin to watch; nothing may have been written before."""
        self.witness.start()
        self.ledgers.start()
        eventually(self.readers, within=PATIENCE)

    def readers(self) -> int:
        """How many processes wait for or read the ledger's queue."""
        found = self.broker.ask("GET", f"/consumers/{self.vhost}")
        return [one["queue"]["name"] for one in found].count(LEDGER_QUEUE)

    def command(self, *words: str) -> Any:
        """Run a command of the operator's over this platform."""
        return CommandLine(self.folder.path).json(*words)

    def move_to(self, broker: ContainerRabbit) -> None:
        """Put an empty broker in the place of the present one, under the same address as far as we can tell."""
        broker.ask("PUT", f"/vhosts/{self.vhost}", {})
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        broker.ask("PUT", f"/permissions/{self.vhost}/{USER}", everything)
        self.broker = broker
        self.find_broker()
        self.proxy.cut()
        self.witness.await_listening()

    def find_broker(self) -> None:
        """Lead the link to where the broker is now."""
        self.proxy.target = self.broker.port
        self.url = make_url(self.url).set(port=self.broker.port).render_as_string(hide_password=False)
        self.witness.url = self.url

    def pid_of(self, name: str) -> int:
        """The number of a process; 0 while it is down."""
        return next(int(one["pid"] or 0) for one in read_json(self.folder.state)["processes"] if one["name"] == name)

    def is_up(self, name: str) -> bool:
        """Tell whether a process says that it is ready."""
        states = {one["name"]: one["state"] for one in read_json(self.folder.state)["processes"]}
        return bool(states[name] == "ready")

    def end(self, name: str, how: signal.Signals = signal.SIGKILL) -> float:
        """End a process and wait until another one is in its place; answers the seconds that took."""
        before, began = self.pid_of(name), time.monotonic()
        os.kill(before, how)
        eventually(lambda: self.pid_of(name) not in (0, before) and self.is_up(name), within=PATIENCE)
        return time.monotonic() - began

    def effects(self, records: frozenset[str]) -> list[Fact]:
        """What the ledger's handler did about these records, in order."""
        return [(one.aggregate_id, one.version) for one in self.ledger.ledger() if one.aggregate_id in records]

    def logged(self, records: frozenset[str]) -> list[Fact]:
        """What contacts has numbered of them, in order."""
        with psycopg.connect(self.folder.server_url.format("contacts")) as connection:
            rows: Sequence[Any] = connection.execute(_LOGGED).fetchall()
        return [(record, version) for record, version in rows if record in records]

    def stored(self, records: frozenset[str]) -> dict[str, int]:
        """The version of each of them that contacts shows."""
        listed = self.rest.pages("/persons", "persons", page_size=500)
        return {str(one["id"]): int(one["etag"]) for one in listed if one["id"] in records}

    def copied(self, records: frozenset[str]) -> dict[str, int]:
        """The version of each of them that reporting's copy shows."""
        with psycopg.connect(self.folder.server_url.format("reporting")) as connection:
            rows: Sequence[Any] = connection.execute("SELECT id::text, version FROM person").fetchall()
        return {record: version for record, version in rows if record in records}

    def await_effects(self, history: History, within: float = PATIENCE) -> float:
        """Wait until all that was acknowledged by now had its effect and was seen outside; answers the seconds."""
        began, wanted = time.monotonic(), set(history.acknowledged)
        records = history.records

        def handled() -> bool:
            return wanted <= set(self.witness.delivered) and wanted <= set(self.effects(records))  # the cheap one first

        eventually(handled, within=within, every=0.2 if len(wanted) < MANY else 1.0)
        return time.monotonic() - began

    def processor_seconds(self) -> float:
        """What the platform, its database, its broker and the ledger's process have used of the processors so far."""
        roots = [self.pid_of("postgres"), *map(self.pid_of, PROCESSES), self.broker.pid, self.ledgers.running[-1].pid]
        return sum(map(_processor_seconds_below, roots))

    def messages_in(self, queue: str) -> int:
        """How many messages the broker says a queue holds."""
        return int(self.broker.ask("GET", f"/queues/{self.vhost}/{queue}")["messages"])


def on_this_machine(seconds: float) -> float:
    """What a machine that others use too may need for what takes a quiet one so many seconds."""
    return seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def _processor_seconds_below(root: int) -> float:
    found = 0.0
    for one in [psutil.Process(root), *psutil.Process(root).children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            found += times.user + times.system
    return found


def through(url: str, proxy: FaultProxy) -> str:
    """A broker's address by way of a proxy."""
    return make_url(url).set(port=proxy.port).render_as_string(hide_password=False)


@contextmanager
def opened_site(broker: ContainerRabbit, place: Path | None = None) -> Iterator[Site]:
    """A started site on a virtual host of its own, stopped and thrown away after the block; `place` holds its data."""
    path = Path(tempfile.mkdtemp(prefix="branchline-faults-", dir=place))
    folder, url = DataFolder(path), broker.fresh_vhost()
    with proxied(broker.port) as proxy:
        start_detached(folder, 0, through(url, proxy), COMPANY, lambda _: None)
        site: Site | None = None
        try:
            with connect(folder) as rest:
                site = Site(folder, rest, broker, url, proxy)
                site.watch()
                yield site
        finally:
            if site is not None:
                site.witness.close()
                site.ledgers.end()
            stop_holder(folder, STOP_SECONDS)
            shutil.rmtree(path, ignore_errors=True)
