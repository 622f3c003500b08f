"""A bridge's settings come from the environment and from files, and say all that is wrong with them at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from branchline.exits import Failure
from branchline.processes.bridge import BridgeSettings, read_settings
from branchline.screen import Screen
from chassis.settings import FOLDER

NEEDED = {
    "BRIDGE_CELL": "ural",
    "BRIDGE_DATABASE_URL": "postgresql+psycopg://bridge@here/bridge",
    "BRIDGE_CARRIES": "contacts",
    "CONTACTS_DATABASE_URL": "postgresql+psycopg://contacts@here/contacts",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """What a branch says itself; headquarters' broker is named in a file that headquarters gave."""
    far = tmp_path / "far"
    far.mkdir()
    (far / "far_bus_url").write_text("amqps://cell-ural:secret@hq/crm\n")
    for name, value in {**NEEDED, FOLDER: str(tmp_path), "FAR_FOLDER": str(far)}.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def read() -> BridgeSettings:
    """The settings of a process that is told no data folder."""
    return read_settings(Screen())


def test_what_headquarters_gave_is_read_from_its_folder(environment: pytest.MonkeyPatch) -> None:
    found = read()
    assert (found.cell, found.far_cell) == ("ural", "hq")
    assert found.far_bus_url == "amqps://cell-ural:secret@hq/crm"


def test_two_cells_of_one_word_are_refused(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BRIDGE_CELL", "hq")
    with pytest.raises(Failure, match="a word of its own"):
        read()


def test_every_trouble_is_named_at_once(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BRIDGE_CARRIES", "contacts,deals,weather")
    environment.setenv("BRIDGE_BRINGS", "deals")
    with pytest.raises(Failure) as refused:
        read()
    said = str(refused.value)
    for part in ("'weather'", "DEALS_DATABASE_URL", "FAR_DEALS_ADDRESS", "FAR_FOLLOWER_SECRET", "BUS_URL"):
        assert part in said
