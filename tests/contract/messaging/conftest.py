"""What the messaging suite shares: both buses, a service's database with probes' effects, and made-up events.

What depends on the broker itself runs on the oldest version too; the rest stands on that and would show nothing more.
"""

from __future__ import annotations

import pytest

from chassis.bus.transport import Bus, open_bus
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.testing.bus import KINDS, OLD, BusAddress, RabbitBroker, make_bus, rabbit_3_10
from chassis.testing.bus import rabbit as rabbit_4
from tests.contract.messaging.probes import ServiceDatabase, open_service

__all__ = ["rabbit_3_10", "rabbit_4"]
OLD_TOO = ("test_delivery", "test_routing", "test_definitions", "test_troubled_broker", "test_partitions")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let a test run on every bus it is for, unless it says itself on which."""
    said = {mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")}
    old_too = metafunc.module.__name__.rpartition(".")[2] in OLD_TOO
    if "bus_address" in metafunc.fixturenames:
        if "bus_address" not in said:
            metafunc.parametrize("bus_address", (*KINDS, OLD) if old_too else KINDS, indirect=True)
    elif old_too and "rabbit" in metafunc.fixturenames and "rabbit" not in said:
        metafunc.parametrize("rabbit", ("4", "3_10"), indirect=True)


@pytest.fixture
def rabbit(request: pytest.FixtureRequest) -> RabbitBroker:
    """A broker; version 4 where a test does not say."""
    broker: RabbitBroker = request.getfixturevalue(f"rabbit_{getattr(request, 'param', '4')}")
    return broker


@pytest.fixture
def bus_address(request: pytest.FixtureRequest, postgres: EmbeddedPostgres) -> BusAddress:
    """An empty bus, once on each transport."""
    return make_bus(request, postgres, request.param)


@pytest.fixture
def bus(bus_address: BusAddress) -> Bus:
    """An empty bus, once on each transport."""
    return open_bus(bus_address.url)


@pytest.fixture
def service(postgres: EmbeddedPostgres) -> ServiceDatabase:
    """A service's database with the tables of messaging and a ledger of what handlers did."""
    return open_service(postgres)
