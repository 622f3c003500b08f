"""A consumer with several queues: each record in one of them, workers that share them, and another number of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chassis.bus.dividing import divided
from chassis.bus.sharing import Share
from chassis.bus.transport import TopologyMismatch, open_bus
from chassis.ids import new_id
from chassis.naming import PARTITIONS, QUEUES, NameInvalid, binding, narrow, partition_of
from chassis.settings import SettingsInvalid
from chassis.testing.bus import BusAddress, RabbitBroker
from chassis.testing.eventually import eventually
from tests.contract.messaging.probes import ServiceDatabase, a_consumer
from tests.contract.messaging.processes import Workers
from tests.contract.messaging.test_worker import assert_each_handled_once_in_order

PEOPLE = 40
PATIENCE = 120  # seconds for what takes ten where nothing else runs


@pytest.fixture
def address(rabbit: RabbitBroker) -> BusAddress:
    """An empty virtual host."""
    return BusAddress("amqp", rabbit.fresh_vhost())


@pytest.fixture
def workers(service: ServiceDatabase, address: BusAddress, tmp_path: Path) -> Iterator[Workers]:
    """Worker processes; what still runs ends with the test."""
    made = Workers(service.url, address.url, tmp_path)
    yield made
    made.end()


class History:
    """Events of many people, a few at a time."""

    def __init__(self, service: ServiceDatabase) -> None:
        self._service, self._people, self._version = service, [new_id() for _ in range(PEOPLE)], 0

    def write(self, each: int = 5) -> int:
        """More events of each; answers how many there are now."""
        for person in self._people:
            self._service.write(each, aggregate_id=person, first_version=self._version + 1)
        self._version += each
        return self._version * PEOPLE


def queues_at(rabbit: RabbitBroker, address: BusAddress) -> dict[str, Any]:
    """The probe's queues that hold events, as the broker tells of them."""
    told = rabbit.ask("GET", f"/queues/{address.url.rsplit('/', 1)[1]}")
    return {one["name"]: one for one in told if one["name"].startswith("crm_probe_in") and one["name"][-1].isdigit()}


@pytest.mark.parametrize("queues", QUEUES[1:])
def test_each_partition_is_in_one_queue_and_each_queue_has_as_many(queues: int) -> None:
    [consumer] = divided([a_consumer()], open_bus("pgmq://x@127.0.0.1/x"))
    assert consumer.parts == (consumer,), "a bus that is read by one process divides nothing"
    routes = [part.routes for part in replace(a_consumer(), queues=queues).parts]

    taken = [pattern for one in routes for pattern in one]

    assert sorted(taken) == sorted({narrow(binding("contacts"), partition) for partition in range(PARTITIONS)})
    assert {len(one) for one in routes} == {PARTITIONS // queues}


def test_a_binding_that_names_its_partition_cannot_be_shared_out() -> None:
    for pattern in ("crm.contacts.#", "crm.contacts.person.created.v1.p03.#"):
        with pytest.raises(NameInvalid, match="partition"):
            narrow(pattern, 1)


def test_a_number_that_would_give_one_queue_more_than_others_is_refused(
    address: BusAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROBE_QUEUES", "3")

    with pytest.raises(SettingsInvalid, match="PROBE_QUEUES is 3"):
        divided([a_consumer()], open_bus(address.url))
    monkeypatch.setenv("PROBE_QUEUES", "2")
    with pytest.raises(SettingsInvalid, match="in one queue"):
        divided([replace(a_consumer(), divisible=False)], open_bus(address.url))


def test_a_process_reads_no_more_than_its_share_and_takes_over_what_nobody_reads() -> None:
    share = Share(4)
    assert not share.take(0), "the others are not counted yet"
    share.note(1, [0, 0, 0, 0])
    assert [share.take(part) for part in range(4)] == [True] * 4

    share.note(2, [1, 1, 1, 1])
    assert [part for part in (0, 1, 2, 3) if share.must_give(part)] == [3]
    share.give(3)
    assert not share.take(3)
    assert share.must_give(2)
    share.give(2)
    assert not any(share.must_give(part) for part in (0, 1))

    share.note(1, [1, 1, 0, 0])
    assert share.take(2)
    assert share.take(3)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("rabbit", ["4"], indirect=True)
def test_workers_divide_four_queues_and_each_record_keeps_its_order(workers: Workers, service: ServiceDatabase) -> None:
    history = History(service)
    first = workers.start(queues=4)
    assert_each_handled_once_in_order(service, history.write(), PATIENCE)
    others = [workers.start(queues=4) for _ in range(2)]

    def divide() -> bool:
        written = history.write(1)
        eventually(lambda: len(service.ledger()) >= written, within=PATIENCE)
        return len({one.process for one in service.ledger()[-PEOPLE:]}) > 1

    eventually(divide, within=PATIENCE)
    first.kill()
    written = history.write()
    assert_each_handled_once_in_order(service, written, PATIENCE)
    for other in others:
        os.kill(other.pid, signal.SIGTERM)
        assert other.wait(20) == 0, workers.log()


@pytest.mark.timeout(600)
def test_another_number_of_queues_loses_nothing_doubles_nothing_and_keeps_the_order(
    workers: Workers, service: ServiceDatabase, rabbit: RabbitBroker, address: BusAddress
) -> None:
    history = History(service)
    before = workers.start(queues=1)
    assert_each_handled_once_in_order(service, history.write(), PATIENCE)

    after = workers.start(queues=4)
    history.write()
    eventually(lambda: "waits until nobody reads crm_probe_in" in workers.log(), within=PATIENCE)
    assert not queues_at(rabbit, address), "nothing is changed while somebody reads the old queue"
    before.kill()
    written = history.write()

    assert_each_handled_once_in_order(service, written, PATIENCE)
    eventually(lambda: len(queues_at(rabbit, address)) == 4, within=PATIENCE)
    after.kill()
    after.wait()
    history.write()
    workers.start(queues=1)
    assert_each_handled_once_in_order(service, history.write(), PATIENCE)
    eventually(lambda: not queues_at(rabbit, address), within=PATIENCE)


def test_a_queue_that_stands_in_another_form_is_told_with_the_way_out(
    rabbit: RabbitBroker, address: BusAddress
) -> None:
    vhost = address.url.rsplit("/", 1)[1]
    rabbit.ask("PUT", f"/queues/{vhost}/crm_probe_in", {"durable": True, "arguments": {"x-queue-type": "classic"}})

    with pytest.raises(TopologyMismatch, match=r"crm_probe_in stands in another form.*delete the queue"):
        open_bus(address.url).declare([a_consumer()])


def test_a_record_is_always_in_the_same_partition() -> None:
    person = new_id()

    assert {partition_of(person) for _ in range(3)} == {partition_of(person)}
    assert {partition_of(new_id()) for _ in range(1_000)} == set(range(PARTITIONS))
