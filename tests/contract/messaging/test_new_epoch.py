"""After a restore: what waits at the broker goes, and the service's events are newer than all before."""

from __future__ import annotations

import json

import pytest

from chassis.bus.service import WorkerService
from chassis.bus.transport import open_bus
from chassis.new_epoch import run_new_epoch
from chassis.testing.bus import RabbitBroker
from tests.contract.messaging.probes import ServiceDatabase, a_consumer, an_event
from tests.contract.messaging.test_delivery import open_reader, publish

WORDS = ("new-epoch", "--yes")


def epoch_of(service: ServiceDatabase) -> int:
    """The epoch of what is said next."""
    return int(service.ask("SELECT epoch FROM relay_state")[0].epoch)


def test_a_new_epoch_empties_the_queues_once_nobody_reads_them(
    service: ServiceDatabase, rabbit: RabbitBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    url, consumer = rabbit.fresh_vhost(), a_consumer()
    bus, worker = open_bus(url), WorkerService("contacts", service.database, (consumer,))
    bus.declare([consumer])
    reader = open_reader(bus)
    publish(bus, [an_event(position) for position in (1, 2, 3)])

    assert run_new_epoch(worker, url, WORDS) == 1
    assert "somebody reads crm_probe_in" in capsys.readouterr().err
    assert epoch_of(service) == 1

    reader.close()
    assert run_new_epoch(worker, url, WORDS) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"service": "contacts", "epoch": 2, "emptied": {"crm_probe_in": 3}}
    assert bus.count_messages([consumer]) == [0]
    assert epoch_of(service) == 2


def test_a_new_epoch_is_begun_on_purpose_only(service: ServiceDatabase) -> None:
    with pytest.raises(SystemExit):
        run_new_epoch(WorkerService("contacts", service.database), "amqp://nobody@nowhere/x", ("new-epoch",))
    assert epoch_of(service) == 1
