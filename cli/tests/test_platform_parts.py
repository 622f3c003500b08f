"""The supervisor's parts by themselves: who holds a folder, ports, back-off, logs, files with secrets."""

from __future__ import annotations

import json
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from branchline.platform.child import LONGEST_PAUSE, BackOff, describe_exit, keep_log_small
from branchline.platform.claim import AlreadyRunning, Holder, claim_folder, find_holder, is_same_process, stop_holder
from branchline.platform.environment import Addresses, environment_of
from branchline.platform.folder import DataFolder, choose_folder, read_json, write_json
from branchline.platform.ports import PortTaken, choose_ports
from branchline.platform.preparation import fingerprint, is_prepared, mark_prepared
from chassis.testing.eventually import eventually

HOLD = "import sys, time; from pathlib import Path; from branchline.platform.claim import claim_folder;\
from branchline.platform.folder import DataFolder\nwith claim_folder(DataFolder(Path(sys.argv[1]))): time.sleep(60)"
ADDRESSES = Addresses("postgresql://u:pw@127.0.0.1:1/{}", 2, 3, "")
SECRETS = {
    "token_private_key": "PRIVATE",
    "token_public_key": "PUBLIC",
    "service_secret": "SECRET",
    "follower_secret": "FOLLOW",
    "webhook_secret": "TELL",
    "webhook_key": "SEAL",
}


def test_a_folder_has_one_supervisor(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    assert find_holder(folder) is None
    with claim_folder(folder):
        found = find_holder(folder)
        assert found is not None
        assert is_same_process(found)
        with pytest.raises(AlreadyRunning), claim_folder(folder):
            pass
    assert find_holder(folder) is None


def test_a_supervisor_that_was_killed_holds_nothing_though_its_file_is_there(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)])
    eventually(lambda: find_holder(folder))
    holder.kill()
    holder.wait()
    assert read_json(folder.lock)["pid"] == holder.pid
    assert find_holder(folder) is None
    assert stop_holder(folder, 1) is None
    with claim_folder(folder):
        pass


def test_down_stops_the_holder_and_waits(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)])
    eventually(lambda: find_holder(folder))
    stopped = stop_holder(folder, 10)
    assert stopped is not None
    assert stopped.pid == holder.pid
    holder.wait(5)


def test_another_process_with_an_old_number_is_not_taken_for_the_supervisor() -> None:
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert not is_same_process(Holder(other.pid, start_time=1.0))
    other.communicate()


def test_back_off_doubles_up_to_five_seconds_and_starts_anew_after_a_steady_run() -> None:
    back_off, now, pauses = BackOff(), 1_000.0, []
    for _ in range(8):
        back_off.note_start(now)
        back_off.note_death(now)
        pauses.append(round(back_off.next_start - now, 3))
        now = back_off.next_start
    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]
    back_off.note_start(now)
    back_off.note_death(now + 31)
    assert round(back_off.next_start - now - 31, 3) == 0.2


def test_how_a_process_ended_is_said_in_words() -> None:
    assert describe_exit(-9) == "killed by SIGKILL"
    assert describe_exit(70) == "exit status 70"


def test_secrets_are_for_their_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    write_json(file, {"a": "b"})
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert read_json(file) == {"a": "b"}


def test_a_file_cut_in_writing_reads_as_empty(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_text('{"phase": "rea')
    assert read_json(file) == {}


def test_ports_are_kept_from_start_to_start(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    assert choose_ports(folder, 0) == choose_ports(folder, 0)


def test_an_asked_port_in_use_is_refused_and_a_usual_one_replaced(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port} is in use"):
            choose_ports(folder, port)
        write_json(folder.ports, {"port": port, "grpc_port": port})
        assert port not in choose_ports(folder, 0)


@pytest.mark.parametrize(
    ("process", "hidden"),
    [
        ("gateway", ["PRIVATE", "SECRET", "/contacts", "/directory"]),
        ("worker", ["PRIVATE", "SECRET", "FOLLOW"]),
        ("jobs", ["PRIVATE", "FOLLOW", "/contacts", "/directory"]),
    ],
)
def test_each_process_is_told_only_the_secrets_it_needs(process: str, hidden: list[str]) -> None:
    told = environment_of(process, ADDRESSES, SECRETS, "/data")
    own = {key: value for key, value in told.items() if key.endswith(("_URL", "_KEY", "_SECRET", "_SECRETS"))}
    assert [word for word in hidden if any(word in value for value in own.values())] == []


def test_rabbitmq_takes_the_place_of_the_embedded_bus() -> None:
    there = environment_of("worker", Addresses(ADDRESSES.server_url, 2, 3, "amqp://broker"), SECRETS, "/data")
    here = environment_of("worker", ADDRESSES, SECRETS, "/data")
    assert (there["BUS_URL"], here["BUS_URL"]) == ("amqp://broker", "pgmq://u:pw@127.0.0.1:1/bus")


def test_a_cluster_is_prepared_for_one_code_and_one_bus(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.postgres.mkdir()
    for file in (folder.secrets, folder.credentials):
        write_json(file, {})
    assert not is_prepared(folder, "pgmq")
    mark_prepared(folder, "pgmq")
    assert is_prepared(folder, "pgmq")
    assert not is_prepared(folder, "amqp")


def test_a_new_migration_asks_for_preparation(tmp_path: Path) -> None:
    for name in ("requirements.lock", "libs/chassis/src/chassis/schema.py", "libs/units/src/units/tables.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    before = fingerprint("pgmq", tmp_path)
    new = tmp_path / "services/deals/migrations/versions/0002_more.py"
    new.parent.mkdir(parents=True)
    new.write_text("more")
    assert fingerprint("pgmq", tmp_path) != before


def test_a_full_log_is_put_aside_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("branchline.platform.child.MAX_LOG_BYTES", 10)
    log = tmp_path / "api.log"
    log.write_text("0123456789ab")
    keep_log_small(log)
    assert (log.read_text(), log.with_suffix(".log.1").read_text()) == ("", "0123456789ab")


def test_a_named_folder_wins_over_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRANCHLINE_DATA", str(tmp_path / "b"))
    assert choose_folder(tmp_path / "a").path == tmp_path / "a"
    assert choose_folder(None).path == tmp_path / "b"


def test_lock_file_names_the_process(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    with claim_folder(folder):
        assert set(json.loads(folder.lock.read_text())) == {"pid", "start_time"}
