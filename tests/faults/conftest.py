"""The platform of real processes, as the end-to-end tests have it, and one on RabbitMQ that may be broken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.testing.bus import rabbit
from chassis.testing.rabbit import ContainerRabbit
from tests.e2e.conftest import office, platform
from tests.faults.history import History
from tests.faults.site import Site, opened_site

__all__ = ["office", "platform", "rabbit"]


@pytest.fixture(scope="module")
def site(rabbit: ContainerRabbit) -> Iterator[Site]:  # noqa: F811 (a fixture is found by its name)
    """A whole platform on RabbitMQ, one a module."""
    with opened_site(rabbit) as opened:
        yield opened


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    """What the users of this test were told."""
    made = History(tmp_path / "history.jsonl")
    yield made
    made.close()
