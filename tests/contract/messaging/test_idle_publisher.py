"""A publisher with nothing to say stays connected: the next event is not the one that finds out."""

from __future__ import annotations

import time

import pytest

from chassis.bus import amqp, amqp_connecting
from chassis.bus.transport import Publisher, PublishInDoubt, open_bus
from chassis.testing.bus import RabbitBroker
from chassis.testing.eventually import eventually
from tests.contract.messaging.probes import SOURCE, an_event

BEAT = 2  # seconds; the broker closes what was silent for twice that


def publish(publisher: Publisher) -> int:
    """Publish one event that nobody wants."""
    publisher.begin(SOURCE, [an_event(1, "crm.contacts.person.created.v1.p00.hq.e")])
    return publisher.finish()


def wait_long(publisher: Publisher, resting: bool) -> None:
    """Let more time pass than the broker waits, with or without resting."""
    end = time.monotonic() + 5 * BEAT

    def is_over() -> bool:
        if resting:
            publisher.rest()
        return time.monotonic() > end

    eventually(is_over, within=6 * BEAT, every=0.1)


@pytest.fixture
def publisher(rabbit: RabbitBroker, monkeypatch: pytest.MonkeyPatch) -> Publisher:
    """A publisher that promised the broker a sign of life often."""
    for module in (amqp, amqp_connecting):  # where a connection is made, and where it is kept alive
        monkeypatch.setattr(module, "HEARTBEAT_SECONDS", BEAT)
    bus = open_bus(rabbit.fresh_vhost())
    bus.declare([])
    return bus.publisher()


def test_a_publisher_that_rests_is_still_connected(publisher: Publisher) -> None:
    wait_long(publisher, resting=True)

    assert publish(publisher) == 1
    publisher.close()


def test_one_that_only_waits_has_been_cut_off(publisher: Publisher) -> None:
    wait_long(publisher, resting=False)

    with pytest.raises(PublishInDoubt):
        publish(publisher)
