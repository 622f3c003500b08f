"""Whole worker processes on both buses: killed at every step, stopped, cut off, and hosting what fails."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.bus.patch import PatchTooLate, patch
from chassis.bus.worker import PatchMissing, run_workers
from chassis.ids import new_id
from chassis.testing.bus import BusAddress, RabbitBroker
from chassis.testing.eventually import eventually
from tests.contract.messaging.probes import ServiceDatabase
from tests.contract.messaging.processes import Workers

RELAY_STEPS = ("numbered", "sent", "confirmed", "advanced")
CONSUMER_STEPS = ("received", "handled", "committed", "acked")


@pytest.fixture
def workers(service: ServiceDatabase, bus_address: BusAddress, tmp_path: Path) -> Iterator[Workers]:
    """Worker processes on each bus; what still runs ends with the test."""
    made = Workers(service.url, bus_address.url, tmp_path)
    yield made
    made.end()


def events_of(service: ServiceDatabase) -> list[str]:
    """Ids of all that was committed and numbered, in order."""
    return [row.id for row in service.ask("SELECT event_id::text AS id FROM event_log ORDER BY position")]


def assert_each_handled_once_in_order(service: ServiceDatabase, count: int, within: float = 40) -> None:
    """The checkers C-LOSS, C-ONCE and C-ORDER over the ledger."""
    eventually(lambda: len(service.ledger()) >= count, within=within)
    ledger = service.ledger()
    repeated = [event for event, times in Counter(one.event_id for one in ledger).items() if times > 1]
    assert repeated == []
    assert {one.event_id for one in ledger} == set(events_of(service))
    versions: dict[str, list[int]] = defaultdict(list)
    for one in ledger:
        versions[one.aggregate_id].append(one.version)
    assert all(found == sorted(found) for found in versions.values())


def write_people(service: ServiceDatabase, people: list[str], version: int, each: int = 10) -> int:
    """More events of the same people; answers how many."""
    for person in people:
        service.write(each, aggregate_id=person, first_version=version)
    return each * len(people)


@pytest.mark.timeout(300)
def test_a_kill_at_any_step_of_the_relay_loses_and_doubles_nothing(workers: Workers, service: ServiceDatabase) -> None:
    people, written = [new_id() for _ in range(5)], 0
    for place, step in enumerate(RELAY_STEPS):
        written += write_people(service, people, place * 10 + 1)
        assert workers.start(step).wait(40) == -signal.SIGKILL, workers.log()
    written += write_people(service, people, 41)

    workers.start()

    assert_each_handled_once_in_order(service, written)


@pytest.mark.timeout(300)
def test_a_kill_at_any_step_of_a_consumer_loses_and_doubles_nothing(workers: Workers, service: ServiceDatabase) -> None:
    """`handled` is after the handler and before its commit, `committed` after that and before the ack."""
    people, written = [new_id() for _ in range(5)], 0
    for place, step in enumerate(CONSUMER_STEPS):
        written += write_people(service, people, place * 10 + 1)
        assert workers.start(step).wait(40) == -signal.SIGKILL, workers.log()
    written += write_people(service, people, 41)

    workers.start()

    assert_each_handled_once_in_order(service, written)


def test_a_worker_told_to_stop_ends_well_and_soon_and_the_next_goes_on(
    workers: Workers, service: ServiceDatabase
) -> None:
    service.write(2_000)
    process = workers.start()
    eventually(lambda: len(service.ledger()) > 0, within=40)

    process.send_signal(signal.SIGTERM)

    assert process.wait(20) == 0, workers.log()
    service.write(100)
    workers.start()
    assert_each_handled_once_in_order(service, 2_100)


@pytest.mark.timeout(300)
def test_an_event_that_kills_its_process_is_put_aside_and_nothing_else_suffers(
    workers: Workers, service: ServiceDatabase
) -> None:
    [culprit] = service.write(1, name="die")
    service.write(50)
    process, deaths = workers.start(), 0

    def supervised() -> bool:
        nonlocal process, deaths
        if process.poll() is not None:
            process, deaths = workers.start(), deaths + 1
        return len(service.ledger()) == 50

    eventually(supervised, within=200)

    assert 3 <= deaths <= 5
    rows = service.ask("SELECT aggregate_id::text AS id FROM parked_event WHERE state IN ('retry', 'parked')")
    assert [row.id for row in rows] == [culprit]


def test_a_poison_event_is_tried_a_few_times_and_then_left_in_peace(workers: Workers, service: ServiceDatabase) -> None:
    """Neither dropped as nameko's consumer would, nor requeued in a hot loop."""
    service.write(20)
    service.write(1, name="poison")
    service.write(20)
    workers.start()
    eventually(lambda: len(service.ledger()) == 40, within=40)
    eventually(lambda: service.ask("SELECT 1 FROM parked_event WHERE state = 'retry'"))
    tried = len(service.ask("SELECT 1 FROM attempt"))

    service.write(5)
    eventually(lambda: len(service.ledger()) == 45)

    assert 1 <= tried <= 10  # at most once for each halving of the batch
    assert len(service.ask("SELECT 1 FROM attempt")) == tried


def test_a_timer_that_fails_stops_neither_the_service_nor_its_events(
    workers: Workers, service: ServiceDatabase
) -> None:
    process = workers.start()
    eventually(lambda: "contacts failing" in workers.log(), within=40)
    service.write(3)

    assert_each_handled_once_in_order(service, 3)
    assert process.poll() is None


def test_a_service_that_dies_takes_its_process_down(workers: Workers) -> None:
    """So that a supervisor sees it; a container that died unseen would leave its queue filling."""
    process = workers.start("broken")

    assert process.wait(60) == 1
    assert "LookupError" in workers.log()


def test_a_database_without_its_tables_is_waited_for(workers: Workers, service: ServiceDatabase) -> None:
    """A worker deployed before its migration is degraded, keeps the events, and goes on by itself."""
    service.ask("ALTER TABLE inbox RENAME TO not_yet")
    service.write(5)
    process = workers.start()
    eventually(lambda: workers.health() == "degraded" and "ProgrammingError" in workers.log(), within=60)

    service.ask("ALTER TABLE not_yet RENAME TO inbox")

    assert_each_handled_once_in_order(service, 5)
    assert process.poll() is None


@pytest.mark.parametrize("bus_address", ["amqp"], indirect=True)
def test_a_broker_that_goes_and_comes_back_costs_nothing(
    workers: Workers, service: ServiceDatabase, rabbit: RabbitBroker
) -> None:
    process = workers.start()
    service.write(50)
    assert_each_handled_once_in_order(service, 50)
    rabbit.control("stop_app")
    try:
        service.write(50)
        eventually(lambda: workers.health() == "degraded", within=40)
        eventually(lambda: len(events_of(service)) == 100)
    finally:
        rabbit.control("start_app")

    assert_each_handled_once_in_order(service, 100)
    assert process.poll() is None


def test_a_bus_that_is_not_there_at_start_makes_a_worker_degraded_not_dead(
    service: ServiceDatabase, tmp_path: Path
) -> None:
    for url in ("amqp://crm:crm@127.0.0.1:9/x", "pgmq://crm:crm@127.0.0.1:9/x"):
        folder = tmp_path / url[:4]
        folder.mkdir()
        alone = Workers(service.url, url, folder)
        try:
            process = alone.start()
            eventually(lambda one=alone: "crm_probe_in" in one.log(), within=40)  # type: ignore[misc]
            service.write(2)
            eventually(lambda: service.ask("SELECT 1 FROM outbox") == [], within=40)

            process.send_signal(signal.SIGTERM)

            assert process.wait(20) == 0, alone.log()
        finally:
            alone.end()


@pytest.mark.parametrize("bus_address", ["amqp"], indirect=True)
def test_names_and_limits_at_the_broker_are_the_documented_ones(
    workers: Workers, service: ServiceDatabase, rabbit: RabbitBroker, bus_address: BusAddress
) -> None:
    """Nothing of nameko's naming by methods, no prefetch by its number of workers, one active reader a queue."""
    service.write(1)
    workers.start()
    assert_each_handled_once_in_order(service, 1)
    vhost = bus_address.url.rsplit("/", 1)[1]

    queues = {queue["name"]: queue for queue in rabbit.ask("GET", f"/queues/{vhost}")}
    exchanges = {exchange["name"]: exchange["type"] for exchange in rabbit.ask("GET", f"/exchanges/{vhost}")}
    [reader] = eventually(lambda: rabbit.ask("GET", f"/consumers/{vhost}"))

    assert set(queues) == {"crm_probe_in", "crm_dead", "crm_unrouted"}
    assert queues["crm_probe_in"]["arguments"] == {"x-queue-type": "quorum", "x-single-active-consumer": True}
    ours = {name: kind for name, kind in exchanges.items() if name and not name.startswith("amq.")}
    assert ours == {"crm.events": "topic", "crm.dlx": "topic", "crm.unrouted": "fanout"}
    assert (reader["prefetch_count"], reader["ack_required"]) == (1_000, True)


def test_a_process_that_did_not_patch_runs_no_workers() -> None:
    with pytest.raises(PatchMissing):
        run_workers([], "pgmq://x@127.0.0.1/x")


def test_a_process_that_holds_grpc_cannot_become_a_worker() -> None:
    code = "import grpc; from chassis.bus.patch import patch; patch()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)

    assert done.returncode == 1
    assert PatchTooLate.__name__ in done.stderr
    assert patch.__doc__
