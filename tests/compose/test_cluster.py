"""RabbitMQ on three nodes: the one that leads a queue ends, is cut off or stands still under load; nothing is lost,
doubled or out of order."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.ids import new_id
from chassis.testing.eventually import eventually
from tests.compose.platforms import run
from tests.contract.messaging.probes import ServiceDatabase, open_service
from tests.contract.messaging.processes import Workers
from tests.contract.messaging.test_worker import assert_each_handled_once_in_order

pytestmark = pytest.mark.timeout(900)  # the first build installs what the image of the secrets needs
NODES = ("rabbitmq", "rabbitmq-2", "rabbitmq-3")
PROJECT = f"branchline-cluster-{os.getpid()}"
PEOPLE, QUEUE = 20, "crm_probe_in"
RECOVERED_WITHIN = 90.0  # seconds; a few where nothing else runs
UNAVAILABLE_SECONDS = 30.0  # the most that nothing may be handled
CUT_SECONDS, STILL_SECONDS = 30.0, 60.0
WHOLE_SECONDS = 120.0


class Cluster:
    """The nodes of infra/compose/cluster.yml."""

    def __init__(self, file: Path) -> None:
        self._compose = ("docker", "compose", "-f", str(file), "-f", str(file.parent / "infra/compose/cluster.yml"))

    def compose(self, *words: str) -> str:
        """Run `docker compose` on it."""
        return run(*self._compose, "-p", PROJECT, *words)

    def url(self) -> str:
        """The address of all nodes for the operator."""
        password = self.compose("exec", "-T", NODES[0], "cat", "/run/branchline/operator_password")
        return ";".join(f"amqp://operator:{password}@{self._address(node)}:5672/crm" for node in NODES)

    def leader(self) -> str:
        """The node that leads the queue, as compose names it. Errors: AssertionError while a node is missing."""
        command = ("rabbitmqctl", "-q", "list_queues", "-p", "crm", "name", "leader", "online", "--formatter", "json")
        queues = json.loads(self.compose("exec", "-T", NODES[0], *command))
        [found] = [one for one in queues if one["name"] == QUEUE]
        assert len(found["online"]) == len(NODES), "each node has a copy"
        return NODES[int(found["leader"].rpartition("-")[2]) - 1]

    @contextmanager
    def cut_off(self, node: str) -> Iterator[None]:
        """Let nobody reach a node, nor it anybody, without a word to either side."""
        process = run("docker", "inspect", "--format", "{{.State.Pid}}", self._container(node))
        switch = ("nsenter", "--target", process, "--net", "ip", "link", "set", "dev", "eth0")
        run(*switch, "down")
        try:
            yield
        finally:
            run(*switch, "up")

    def _container(self, node: str) -> str:
        return self.compose("ps", "--quiet", node)

    def _address(self, node: str) -> str:
        address = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        return run("docker", "inspect", "--format", address, self._container(node))


@pytest.fixture
def cluster(docker_compose_file: str) -> Iterator[Cluster]:
    """Three nodes; they end with the test."""
    found = Cluster(Path(docker_compose_file))
    try:
        found.compose("up", "--detach", "--wait", *NODES)
        yield found
    finally:
        found.compose("down", "--volumes", "--timeout", "1")


@pytest.fixture
def service(postgres: EmbeddedPostgres) -> ServiceDatabase:
    """A service's database with a ledger of what was handled."""
    return open_service(postgres)


class Load:
    """Somebody who writes events of a few people all the time."""

    def __init__(self, service: ServiceDatabase) -> None:
        self._service, self._people = service, [new_id() for _ in range(PEOPLE)]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.written = 0
        self._thread.start()

    def stop(self) -> int:
        """Write no more; answers how many events there are."""
        self._stopping.set()
        self._thread.join()
        return self.written

    def _run(self) -> None:
        version = 0
        while not self._stopping.wait(0.02):
            version += 1
            for person in self._people:
                self._service.write(1, aggregate_id=person, first_version=version)
                self.written += 1


@dataclass
class Work:
    """Two workers of which one reads, somebody who writes, and how to see that events are handled again."""

    cluster: Cluster
    service: ServiceDatabase
    load: Load
    say: Callable[[str], None]

    def await_handled(self, trouble: str, within: float) -> None:
        """Wait until what is known from now on is handled, in at most `within` seconds."""
        began, known = time.monotonic(), self.load.written
        eventually(lambda: len(self.service.ledger()) > known, within=within)
        self.say(f"{trouble} at {known} events; all of them handled {time.monotonic() - began:.1f} s later")


@pytest.fixture
def work(
    cluster: Cluster, service: ServiceDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[Work]:
    """People at work on the cluster; in the end each event was handled once, in order, and none was parked."""

    def say(words: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{words}\n")

    workers, load = Workers(service.url, cluster.url(), tmp_path), Load(service)
    try:
        for _ in range(2):
            workers.start()
        eventually(lambda: len(service.ledger()) > 10 * PEOPLE, within=120)
        yield Work(cluster, service, load, say)
        written = load.stop()
        assert_each_handled_once_in_order(service, written, 120)
        say(f"{written} events in the end")
    finally:
        load.stop()
        workers.end()
    assert service.ask("SELECT 1 FROM parked_event") == []


def test_the_leader_of_a_queue_may_end_under_load(cluster: Cluster, work: Work) -> None:
    leader = cluster.leader()
    cluster.compose("kill", leader)
    work.await_handled(f"{leader} ended", RECOVERED_WITHIN)
    cluster.compose("start", leader)


@pytest.mark.long
def test_the_leader_of_a_queue_may_be_cut_off_from_the_others_three_times(cluster: Cluster, work: Work) -> None:
    for _ in range(3):
        leader = eventually(cluster.leader, within=WHOLE_SECONDS, every=1.0)  # a node that was cut off starts anew
        with cluster.cut_off(leader):
            began = time.monotonic()
            work.await_handled(f"{leader} cut off", UNAVAILABLE_SECONDS)
            threading.Event().wait(max(0.0, CUT_SECONDS - (time.monotonic() - began)))
        work.await_handled(f"{leader} back", UNAVAILABLE_SECONDS)


@pytest.mark.long
def test_the_leader_of_a_queue_may_stand_still(cluster: Cluster, work: Work) -> None:
    leader = cluster.leader()
    cluster.compose("pause", leader)
    began = time.monotonic()
    try:
        work.await_handled(f"{leader} stands still", UNAVAILABLE_SECONDS)
        threading.Event().wait(max(0.0, STILL_SECONDS - (time.monotonic() - began)))
    finally:
        cluster.compose("unpause", leader)
    work.await_handled(f"{leader} goes on", UNAVAILABLE_SECONDS)
