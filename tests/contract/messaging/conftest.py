"""What the messaging suite shares: both buses, a service's database with probes' effects, and made-up events."""

from __future__ import annotations

import pytest

from chassis.bus.transport import Bus, open_bus
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.testing.bus import BusAddress, bus_address, rabbit
from tests.contract.messaging.probes import ServiceDatabase, open_service

__all__ = ["bus_address", "rabbit"]


@pytest.fixture
def bus(bus_address: BusAddress) -> Bus:
    """An empty bus, once on each transport."""
    return open_bus(bus_address.url)


@pytest.fixture
def service(postgres: EmbeddedPostgres) -> ServiceDatabase:
    """A service's database with the tables of messaging and a ledger of what handlers did."""
    return open_service(postgres)
