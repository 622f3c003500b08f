"""How many events a second the relay publishes and a read model takes in, and how soon after the commit, on each bus.

Contacts' own relay and reporting's own consumer, over databases of their own; events are written as contacts does.
Beside them stands what plain kombu does with as many messages of the same size on the same broker in the same run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import kombu
import psutil
import sqlalchemy as sa

from branchline.bench.catalogue import Bench, Figure, Say
from branchline.bench.visibility import measure_visibility
from branchline.platform.environment import database_url
from branchline.platform.launch import BUS_VARIABLE
from chassis.bus.catching_up import replay
from chassis.bus.consumer import Consumer
from chassis.bus.pgmq import prepare_pgmq
from chassis.bus.sources import DatabaseSource
from chassis.database import Database
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.ids import new_id
from chassis.migrate import migrate
from chassis.schema import consumer_mark, relay_state
from crm.contacts.events.v1 import contacts_events_pb2 as contacts

EVENTS = int(os.environ.get("BRANCHLINE_BENCH_EVENTS", "20000"))
WRITTEN_AT_ONCE = 1_000
PATIENCE_SECONDS = 300.0
LOOK_SECONDS = 0.01
STOP_SECONDS = 30.0
STORES = ("contacts", "reporting")
CONSUMER = "reporting"  # what reporting calls its consumer


class NotReached(RuntimeError):
    """The events were not published, or not handled, in time."""


def measure(say: Say) -> Sequence[Figure]:
    """Measure the embedded bus, and RabbitMQ where one is named."""
    figures = _on("embedded", "", say)
    broker = os.environ.get(BUS_VARIABLE, "")
    if not broker:
        say(f"no RabbitMQ: name one by {BUS_VARIABLE} (amqp://…) to measure it too")
        return figures
    limits = _plain_kombu(broker, say)
    return [*figures, *_on("RabbitMQ", broker, say, limits)]


def _on(bus: str, broker: str, say: Say, limits: tuple[float, float] | None = None) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="branchline-bench-") as name:
        server = EmbeddedPostgres(Path(name), end_with_parent=True)
        server.start()
        try:
            return _Ground(server, broker).measure(bus, say, limits or (0.0, 0.0))
        finally:
            server.stop(immediate=True)


@dataclass(frozen=True)
class _Pace:
    """Events a second, and microseconds of one worker's processor time an event."""

    rate: float
    cpu: float


class _Ground:
    """Two services' databases, a bus, and a worker process for those that shall work."""

    def __init__(self, server: EmbeddedPostgres, broker: str) -> None:
        self.server_url = server.url("{}", "postgresql")
        for name in (*STORES, "bus"):
            server.create_database(name)
        for name in STORES:
            migrate(database_url(self.server_url, name), import_module(f"{name}.settings").MIGRATIONS)
        if not broker:
            prepare_pgmq(server.url("bus", "postgresql"))
        self.bus_url = broker or server.url("bus", "pgmq")
        self.databases = {name: Database(database_url(self.server_url, name), name) for name in STORES}
        self.written = 0

    def measure(self, bus: str, say: Say, limits: tuple[float, float]) -> list[Figure]:
        """All figures of one bus."""
        with self._working(*STORES):  # declares the queue, so that nothing is published into the void
            self._write(1)
            self._await(self._handled, 1)
        say(f"{bus}: publishing {EVENTS:,} events")
        self._write(EVENTS)
        with self._working("contacts") as worker:
            published = self._pace(worker, self._published)
        say(f"{bus}: taking them in")
        with self._working("reporting") as worker:
            handled = self._pace(worker, self._handled)
        say(f"{bus}: 100 writes a second")
        with self._working(*STORES):
            self._write(1)
            self._await(self._handled, self.written)
            late, _ = measure_visibility(lambda: self._write(1), self._handled)
        return [
            Figure(f"{bus}: published", published.rate, "events/s", must=3_000, aim=10_000, limit=limits[0] or None),
            Figure(f"{bus}: relay's processor time", published.cpu, "µs/event"),
            Figure(f"{bus}: taken in", handled.rate, "events/s", must=3_000, aim=8_000, limit=limits[1] or None),
            Figure(f"{bus}: consumer's processor time", handled.cpu, "µs/event"),
            Figure(f"{bus}: commit to handled, p95", late * 1000, "ms", must=1_000, aim=250, lower_is_better=True),
            self._measure_replay(bus, say),
        ]

    def _measure_replay(self, bus: str, say: Say) -> Figure:
        say(f"{bus}: telling them again")
        [consumer] = self._consumers()
        begun = time.monotonic()
        told = replay(consumer, self.databases["reporting"], DatabaseSource(self.databases["contacts"]), 1, again=True)
        rate = told / (time.monotonic() - begun)
        return Figure(f"{bus}: replayed", rate, "events/s", must=2_000, aim=20_000)

    def _consumers(self) -> Sequence[Consumer]:
        settings = import_module("reporting.settings").Settings(database_url=database_url(self.server_url, "reporting"))
        found: Sequence[Consumer] = import_module("reporting.worker").worker_service(settings).consumers
        return found

    def _write(self, count: int) -> None:
        for start in range(0, count, WRITTEN_AT_ONCE):
            with self.databases["contacts"].transaction() as work:
                for number in range(min(WRITTEN_AT_ONCE, count - start)):
                    message = contacts.PersonCreated()
                    message.person.id = new_id()
                    message.person.personal.display_name = f"Ivan Petrov {number}"
                    work.add_event(message, "person", message.person.id, 1, "hq.ru.moscow")
        self.written += count

    def _published(self) -> int:
        with self.databases["contacts"].reading() as work:
            return int(work.execute(sa.select(relay_state.c.published_position)).scalar_one())

    def _handled(self) -> int:
        with self.databases["reporting"].reading() as work:
            mark = sa.select(consumer_mark.c.position).where(consumer_mark.c.consumer == CONSUMER)
            return int(work.execute(mark).scalar() or 0)

    def _pace(self, worker: psutil.Process, reached: Callable[[], int]) -> _Pace:
        """From the first look at which something was done to the last event: starting up is not counted."""
        before = reached()
        first = self._await(reached, before + 1)
        begun, used = time.monotonic(), worker.cpu_times()
        self._await(reached, self.written)
        seconds, after = time.monotonic() - begun, worker.cpu_times()
        cpu = after.user + after.system - used.user - used.system
        return _Pace((self.written - first) / seconds, cpu / (self.written - first) * 1e6)

    def _await(self, reached: Callable[[], int], wanted: int) -> int:
        end = time.monotonic() + PATIENCE_SECONDS
        while (found := reached()) < wanted:
            if time.monotonic() > end:
                raise NotReached(f"{found} of {wanted} events after {PATIENCE_SECONDS:.0f} s")
            time.sleep(LOOK_SECONDS)
        return found

    @contextmanager
    def _working(self, *names: str) -> Iterator[psutil.Process]:
        command = [sys.executable, "-m", "branchline.processes.bench_worker", self.server_url, self.bus_url, *names]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield psutil.Process(process.pid)
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _plain_kombu(broker: str, say: Say) -> tuple[float, float]:
    """Messages a second that plain kombu publishes, and consumes with one acknowledgement each; persistent, durable."""
    say(f"plain kombu: {EVENTS:,} messages")
    body = contacts.PersonCreated()
    body.person.id, body.person.personal.display_name = new_id(), "Ivan Petrov 0"
    queue = kombu.Queue("branchline_bench", durable=True, queue_arguments={"x-queue-type": "quorum"}, auto_delete=False)
    with kombu.Connection(broker) as connection:
        bound = queue(connection.default_channel)
        bound.declare()
        try:
            return _publish(connection, queue, body.SerializeToString()), _consume(connection, queue)
        finally:
            bound.delete()


def _publish(connection: kombu.Connection, queue: kombu.Queue, body: bytes) -> float:
    producer, begun = kombu.Producer(connection.default_channel), time.monotonic()
    for _ in range(EVENTS):
        producer.publish(
            body, routing_key=queue.name, content_type="application/octet-stream", content_encoding="binary"
        )
    return EVENTS / (time.monotonic() - begun)


def _consume(connection: kombu.Connection, queue: kombu.Queue) -> float:
    seen = 0

    def take(message: kombu.Message) -> None:
        nonlocal seen
        seen += 1
        message.ack()

    channel = connection.channel()
    channel.basic_qos(0, 500, False)
    begun = time.monotonic()
    with kombu.Consumer(channel, [queue], on_message=take):
        while seen < EVENTS:
            connection.drain_events(timeout=PATIENCE_SECONDS)
    return EVENTS / (time.monotonic() - begun)


BENCH = Bench("bus", "how many events a second go out and come in, how soon, and how fast they are told again", measure)
