"""Every process is killed in the check and in the load of 20,000 rows, and the run ends with exactly the right base."""

from __future__ import annotations

import os
import signal
import time
import uuid
from pathlib import Path

import pytest

from branchline.bench.customers import PERSONS_A_COMPANY, write_workbook
from branchline.platform.folder import DataFolder, read_json
from branchline.runs import AT_WORK, FATES, Wanted, check_file, counts_of, list_rows, read_run
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.testing.eventually import eventually
from tests.e2e.office import Office, Run
from tests.faults.replaying import digest_of_replay

pytestmark = pytest.mark.timeout(900)

ROWS = 20_000
SEED = 11
# The gateway last: while it is away nobody sees how far the load is, which goes on and may end meanwhile.
PROCESSES = ("worker", "api", "jobs", "postgres", "gateway")
PATIENCE = 600.0  # seconds, of a busy machine; a quiet one needs a tenth


def pid_of(folder: DataFolder, name: str) -> int:
    """The number of a process; 0 while it is down."""
    return next(int(one["pid"] or 0) for one in read_json(folder.state)["processes"] if one["name"] == name)


def kill_in_turn(office: Office, folder: DataFolder, run_id: str) -> list[str]:
    """Kill one process after each further seventh of the load; answers who was killed while rows were loading."""
    killed = []
    for number, name in enumerate(PROCESSES, 1):
        wanted = number / (len(PROCESSES) + 2)
        run = eventually(lambda share=wanted: reached(office, run_id, share), within=PATIENCE, every=0.1)  # type: ignore[misc]
        if run["state"] != "loading":
            break
        os.kill(pid_of(folder, name), signal.SIGKILL)
        killed.append(name)
    return killed


def reached(office: Office, run_id: str, share: float) -> Run:
    run = read_run(office.rest, run_id)
    return run if run["state"] not in AT_WORK or float(run["progress"]) >= share else {}


class KillsInTheCheck:
    """Hears how far a check is and kills one process each time it gets that far again."""

    def __init__(self, folder: DataFolder) -> None:
        self.folder, self.left, self.killed = folder, list(PROCESSES), dict[str, int]()

    def __call__(self, message: str, share: float | None) -> None:
        if not self.left or not message.endswith(": checking") or not 0.02 * len(self.killed) < (share or 0.0):
            return
        if any(pid_of(self.folder, name) in (0, pid) for name, pid in self.killed.items()):
            return  # not up again
        name = self.left.pop(0)
        self.killed[name] = pid_of(self.folder, name)
        os.kill(self.killed[name], signal.SIGKILL)


def test_a_run_ends_right_whatever_is_killed(office: Office, platform: DataFolder, tmp_path: Path) -> None:
    file = tmp_path / "customers.xlsx"
    write_workbook(file, ROWS, SEED)
    kills = KillsInTheCheck(platform)
    run = check_file(office.rest, Wanted(file, office.company, "persons"), kills)
    assert list(kills.killed) == list(PROCESSES)
    assert (run["state"], run["blocked"]) == ("waiting", False), run["message"]
    assert sum(counts_of(run, "expected")[fate] for fate in FATES) == ROWS
    office.rest.post(f"/runs/{run['id']}/confirm", key=str(uuid.uuid4()))

    assert kill_in_turn(office, platform, run["id"]) == list(PROCESSES)
    done = eventually(lambda: ended(office, run["id"]), within=PATIENCE, every=0.5)

    assert done["state"] == "finished", done["message"]
    counts = counts_of(done, "actual")
    assert counts["rows_read"] == ROWS == sum(counts[fate] for fate in FATES)
    assert counts["refused"] == counts["updated"] == 0
    created = {row["record_id"] for row in list_rows(office.rest, run["id"], "created")}
    assert len(created) == counts["created"]
    office.settle(PATIENCE)
    total = office.total("customers")
    assert int(total["persons"]) == counts["created"]
    assert int(total["organizations"]) == ROWS // PERSONS_A_COMPANY + 1
    lag = office.rest.get("/services/contacts/lag")
    events = int(lag["last_position"])
    assert events == cards_and_changes(office)
    assert lag["waiting"] == []


def test_reporting_is_what_a_replay_of_all_events_makes(office: Office, postgres: EmbeddedPostgres) -> None:
    told = office.rest.get("/freshness", with_digest="true")
    assert told["digest"] == digest_of_replay(office.rest, postgres)
    for service in ("directory", "contacts", "deals", "scheduling", "imports", "reporting"):
        assert office.rest.get(f"/services/{service}/parked_events")["parked"] == []


def ended(office: Office, run_id: str) -> Run:
    run = read_run(office.rest, run_id)
    return {} if run["state"] in AT_WORK else run


def cards_and_changes(office: Office) -> int:
    """How many events the cards' versions stand for: one a version, none lost, none doubled."""
    persons = sum(int(one["etag"]) for one in office.rest.pages("/persons", "persons", page_size=500))
    organizations = sum(int(one["etag"]) for one in office.rest.pages("/organizations", "organizations", page_size=500))
    return persons + organizations


def test_the_same_file_read_again_changes_nothing(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "customers.xlsx"
    write_workbook(file, ROWS, SEED)
    begun = time.monotonic()
    counts = office.load(file, office.company, "persons")
    assert counts["unchanged"] == ROWS, (counts, time.monotonic() - begun)
