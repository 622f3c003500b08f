"""The bridge as a process, and what it reads at headquarters' doors."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from branchline.app import run
from chassis.access import follower_access
from chassis.bus.bridge import Bridge, Lane
from chassis.bus.bridge_lanes import Cursors
from chassis.bus.events import open_envelope
from chassis.bus.relay import begin_epoch, number_waiting
from chassis.bus.transport import open_bus
from chassis.cells import CELL_HEADER
from chassis.database import Database
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.event_feed import Chosen
from chassis.rpc.event_source import RemoteSource
from chassis.rpc.events_door import events_servicer
from chassis.rpc.server import start_server
from chassis.testing.bus import make_bus
from chassis.testing.eventually import eventually
from chassis.testing.postgres import fresh_database
from chassis.tokens import TokenSigner, TokenVerifier, generate_key, public_key_of
from tests.contract.messaging.probes import ServiceDatabase
from tests.contract.messaging.test_cells import CELL, WITHIN, Branch, carry_all, leading, read, reporting

PERSONS = Chosen(types=("crm.contacts.events.v1.PersonCreated",))


@pytest.fixture
def remote(service: ServiceDatabase) -> Iterator[RemoteSource]:
    """Headquarters' contacts behind its door, as a bridge asks there."""
    key = generate_key()
    verifier = TokenVerifier(public_key_of(key))
    server, port = start_server("127.0.0.1:0", (events_servicer({"contacts": service.database}),), verifier)
    source = RemoteSource("contacts", f"127.0.0.1:{port}", lambda: TokenSigner(key).sign(follower_access("cell-ural")))
    yield source
    source.close()
    server.stop(0).wait()


def test_what_headquarters_says_comes_down_from_its_door_and_is_marked_as_its(
    request: pytest.FixtureRequest, postgres: EmbeddedPostgres, service: ServiceDatabase, remote: RemoteSource
) -> None:
    bus, consumer = open_bus(make_bus(request, postgres, "pgmq").url), reporting()
    bus.declare([consumer])
    own = Database(fresh_database(postgres, "bridge"), "bridge")
    bridge = Bridge("hq", [Lane(remote, PERSONS)], Cursors(own, "down", ["contacts"]))
    service.write(3)
    number_waiting(service.database)
    with leading(bridge):
        assert carry_all(bridge, bus) == 3
        begin_epoch(service.database)
        service.write(1)
        number_waiting(service.database)
        assert carry_all(bridge, bus) == 0, "the door says that this epoch is over"
        carry_all(bridge, bus)

    told = [open_envelope(one) for one in read(bus, consumer, 7)]
    assert {one.headers[CELL_HEADER] for one in told} == {"hq"}
    assert [one.epoch for one in told] == [1] * 3 + [2] * 4


def test_a_bridge_runs_says_how_far_it_is_tells_again_and_stops(
    request: pytest.FixtureRequest,
    postgres: EmbeddedPostgres,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    address, branch, consumer = make_bus(request, postgres, "pgmq"), Branch(postgres), reporting()
    bus = open_bus(address.url)
    bus.declare([consumer])
    branch.write(2)
    settings = {
        "SETTINGS_FOLDER": str(tmp_path), "BRIDGE_CELL": CELL, "BRIDGE_CARRIES": "contacts",
        "BRIDGE_DATABASE_URL": branch.own.url, "CONTACTS_DATABASE_URL": branch.contacts.url,
        "FAR_BUS_URL": address.url, "HEALTH_FILE": str(tmp_path / "health"),
    }  # fmt: skip
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    running = subprocess.Popen([sys.executable, "-m", "branchline", "bridge", "run"])
    try:
        assert len(read(bus, consumer, 2)) == 2
        eventually(lambda: branch.position == 2, within=WITHIN)
        assert run(["bridge", "status", "--json"]) == 0
        [lane] = json.loads(capsys.readouterr().out)["lanes"]
        assert (lane["direction"], lane["service"], lane["position"], lane["behind"]) == ("up", "contacts", 2, 0)
        assert run(["bridge", "again"]) == 0
        assert len(read(bus, consumer, 2)) == 2
        assert json.loads((tmp_path / "health").read_text())["state"] in ("ok", "degraded")
    finally:
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 0
