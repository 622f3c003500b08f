"""A backup is one moment of all services; put back, everything is as it was, and events go on in a new epoch."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from branchline.platform.claim import stop_holder
from branchline.platform.folder import DataFolder
from branchline.platform.preparation import MARK
from branchline.rest import connect
from chassis.testing.eventually import eventually
from tests.e2e.conftest import STOP_SECONDS
from tests.e2e.office import Office
from tests.e2e.platforms import CommandLine

pytestmark = pytest.mark.timeout(600)
BUSY_SECONDS = 60.0  # of a machine that does much else
PERSONS = 12


def make_person(office: Office, name: str) -> dict[str, Any]:
    """Record a person."""
    body = {"display_name": name, "unit_id": office.company}
    made: dict[str, Any] = office.rest.post("/persons", body, key=str(uuid.uuid4()))["person"]
    return made


def rename(office: Office, person_id: str, name: str) -> None:
    """Give a person another name, as whoever read it last."""
    found = office.rest.get(f"/persons/{person_id}")
    headers = {"Idempotency-Key": str(uuid.uuid4()), "If-Match": f'"{found["etag"]}"'}
    answer = office.rest.call("PATCH", f"/persons/{person_id}", json={"display_name": name}, headers=headers)
    assert answer.status_code == 200, answer.text


def reported(office: Office) -> tuple[int, str]:
    """How many persons reporting has, and the digest of all it keeps."""
    found = office.rest.get("/freshness", with_digest="true")
    return int(found["counts"]["person"]), str(found["digest"])


@pytest.fixture(scope="module")
def backup(platform: DataFolder, office: Office, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A backup of the running platform with some persons, and what the command said."""
    for number in range(PERSONS):
        make_person(office, f"Person {number}")
    eventually(lambda: reported(office)[0] == PERSONS, within=BUSY_SECONDS)
    folder = tmp_path_factory.mktemp("safe") / "monday"
    return folder, CommandLine(platform.path).json("backup", str(folder))


@pytest.fixture(scope="module")
def restored(backup: tuple[Path, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A second platform, filled from the backup on a machine that had nothing."""
    command_line = CommandLine(tmp_path_factory.mktemp("elsewhere") / "data")
    told = command_line.json("restore", str(backup[0]))
    assert set(told["epochs"].values()) == {2}
    command_line.start()
    with connect(DataFolder(command_line.data)) as rest:
        yield Office(rest)
    stop_holder(DataFolder(command_line.data), STOP_SECONDS)
    shutil.rmtree(command_line.data, ignore_errors=True)


def test_a_backup_counts_what_it_holds_and_keeps_no_open_session(backup: tuple[Path, Any]) -> None:
    folder, told = backup
    assert told["stores"]["contacts"]["tables"]["person"]["rows"] == PERSONS
    assert "web_session" not in told["stores"]["gateway"]["tables"]
    assert {path.stat().st_mode & 0o077 for path in folder.iterdir()} == {0}


def test_elsewhere_everything_is_as_it_was(office: Office, restored: Office) -> None:
    assert reported(restored) == reported(office)
    names = [{one["display_name"] for one in each.rest.pages("/persons", "persons")} for each in (office, restored)]
    assert names[0] == names[1] == {f"Person {number}" for number in range(PERSONS)}


def test_elsewhere_events_go_on_in_a_new_epoch(restored: Office) -> None:
    person = next(iter(restored.rest.pages("/persons", "persons")))
    feed = "/services/contacts/events"
    last = int(restored.rest.get(feed, after_position=2**62)["last_position"])
    rename(restored, person["id"], "Renamed after it")
    events = eventually(lambda: restored.rest.get(feed, after_position=last)["events"], within=BUSY_SECONDS)
    assert [(one["epoch"], one["aggregate_id"]) for one in events] == [(2, person["id"])]
    make_person(restored, "Came after it")
    eventually(lambda: reported(restored)[0] == PERSONS + 1, within=BUSY_SECONDS)


def test_what_happened_since_is_gone_when_the_backup_replaces_it(
    platform: DataFolder, office: Office, backup: tuple[Path, Any]
) -> None:
    before = reported(office)
    person = next(iter(office.rest.pages("/persons", "persons")))
    for number in range(3):  # versions that the next life of the record will give again
        rename(office, person["id"], f"In a lost life {number}")
    make_person(office, "In a lost life")
    eventually(lambda: reported(office)[0] == PERSONS + 1, within=BUSY_SECONDS)
    command_line = CommandLine(platform.path)
    running = command_line.run("restore", str(backup[0]), "--replace", "--json")
    assert (running.status, running.data["error"]["reason"]) == (1, "RUNNING")
    command_line.json("down")
    full = command_line.run("restore", str(backup[0]), "--json")
    assert (full.status, full.data["error"]["reason"]) == (1, "NOT_EMPTY")
    assert (platform.postgres / MARK).exists()  # what is refused has not begun
    command_line.json("restore", str(backup[0]), "--replace")
    command_line.start()
    with connect(platform) as rest:
        again = Office(rest)
        assert reported(again) == before
        rename(again, person["id"], "In its second life")
        changed = eventually(lambda: reported(again)[1] != before[1], within=BUSY_SECONDS)
        assert changed


def test_a_changed_file_is_no_backup(platform: DataFolder, backup: tuple[Path, Any], tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(backup[0], copy)
    with (copy / "deals.dump").open("r+b") as file:
        file.seek(100)
        file.write(b"\0\0")
    refused = CommandLine(tmp_path / "data").run("restore", str(copy), "--json")
    assert (refused.status, refused.data["error"]["reason"]) == (1, "BACKUP_DAMAGED")


def test_a_backup_overwrites_nothing(platform: DataFolder, backup: tuple[Path, Any]) -> None:
    refused = CommandLine(platform.path).run("backup", str(backup[0]), "--json")
    assert (refused.status, refused.data["error"]["reason"]) == (1, "BACKUP_EXISTS")
