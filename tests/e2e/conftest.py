"""One platform of real processes a test module, on the bus inside PostgreSQL, stopped and thrown away after it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from branchline.platform.claim import stop_holder
from branchline.platform.folder import DataFolder
from branchline.platform.launch import start_detached
from branchline.rest import connect
from tests.e2e.office import Office
from tests.e2e.platforms import CommandLine

COMPANY = {"company": "Company", "code": "hq", "country_code": "US", "currency_code": "USD", "time_zone": "UTC"}
STOP_SECONDS = 30.0


@pytest.fixture(scope="module")
def platform() -> Iterator[DataFolder]:
    """The folder of a started platform."""
    path = Path(tempfile.mkdtemp(prefix="branchline-e2e-"))
    folder = DataFolder(path)
    start_detached(folder, 0, "", COMPANY, lambda _: None)
    yield folder
    stop_holder(folder, STOP_SECONDS)
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def office(platform: DataFolder) -> Iterator[Office]:
    """Its administrator at work."""
    with connect(platform) as rest:
        yield Office(rest)


@pytest.fixture(scope="module")
def command_line() -> Iterator[CommandLine]:
    """The command line over a folder in which nothing has been started yet."""
    folder = Path(tempfile.mkdtemp(prefix="branchline-e2e-"))
    made = CommandLine(folder / "data")
    yield made
    made.run("down")
    shutil.rmtree(folder, ignore_errors=True)
