"""With `amqps://` a worker speaks to its own broker alone, encrypted, and shows it who it is."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from branchline.deployment.certificates import make_certificates
from chassis.bus.transport import BusLost, PublishInDoubt, open_bus
from chassis.certificates import FOLDER
from chassis.testing.bus import PASSWORD, USER, missing_engine, require, running
from chassis.testing.eventually import eventually
from chassis.testing.rabbit import ContainerRabbit
from tests.contract.messaging.probes import SOURCE, a_consumer, an_event

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = ROOT / "infra" / "rabbitmq" / "encrypted.conf"
PORT, SIZE = 5671, 50_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates of an installation, and of a stranger's beside it."""
    found = tmp_path_factory.mktemp("certificates")
    make_certificates(found / "ours")
    make_certificates(found / "strange")
    return found


@pytest.fixture(scope="module")
def broker(folder: Path) -> Iterator[str]:
    """Where a broker with the shipped settings listens."""
    require(missing_engine())
    files = {"/etc/rabbitmq/conf.d/95-encrypted.conf": SHIPPED, "/run/certificates": folder / "ours" / "rabbitmq"}
    started = ContainerRabbit(files=files, listens=PORT)
    for one in running(started):
        yield f"{USER}:{PASSWORD}@localhost:{one.port}//"


def test_events_go_through_an_encrypted_connection(broker: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER, str(folder / "ours" / "contacts"))
    bus, consumer = open_bus(f"amqps://{broker}"), a_consumer()
    bus.declare([consumer])
    publisher, receiver = bus.publisher(), bus.receiver(consumer)
    assert receiver is not None
    events = [an_event(number, name="x" * SIZE) for number in range(1, 21)]

    publisher.begin(SOURCE, events)
    publisher.finish()

    found: list[int] = []
    while len(found) < len(events):
        batch = eventually(lambda: receiver.receive(50, 0.05))
        found += [len(one.body) for one in batch]
        receiver.ack(batch)
    assert min(found) > SIZE, "messages larger than one record of TLS come whole"
    publisher.close()
    receiver.close()


GREEN = """
from chassis.bus.patch import patch

patch()
import sys
import eventlet
from chassis.bus.transport import open_bus
from tests.contract.messaging.probes import SOURCE, a_consumer, an_event

def go():
    bus, consumer = open_bus(sys.argv[1]), a_consumer()
    bus.declare([consumer])
    publisher, receiver = bus.publisher(), bus.receiver(consumer)
    publisher.begin(SOURCE, [an_event(1), an_event(2, name="x" * 50_000)])
    publisher.finish()
    found = []
    while len(found) < 2:
        batch = receiver.receive(10, 0.2)
        found += batch
        receiver.ack(batch)
        assert receiver.receive(10, 0.05) == [] or len(found) < 2
    publisher.rest()
    return len(found)

beats = []
eventlet.spawn(lambda: [(beats.append(1), eventlet.sleep(0.01)) for _ in range(100)])
print(eventlet.spawn(go).wait(), len(beats) > 5)
"""


def test_a_worker_does_it_on_its_green_sockets(broker: str, folder: Path) -> None:
    words = [sys.executable, "-c", GREEN, f"amqps://{broker}"]
    environment = {**os.environ, FOLDER: str(folder / "ours" / "contacts")}

    done = subprocess.run(words, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert done.stdout.split() == ["2", "True"], done.stderr[-2_000:]


@pytest.mark.parametrize("shown", ["strange/contacts", ""])
def test_neither_a_strange_broker_nor_a_strange_worker_is_spoken_to(
    shown: str, broker: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER, str(folder / shown) if shown else "")

    with pytest.raises(BusLost):
        open_bus(f"amqps://{broker}").declare([a_consumer()])


def test_a_broker_under_another_name_is_not_believed(
    broker: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part's certificate is good under the part's names: whoever took one is not the broker."""
    monkeypatch.setenv(FOLDER, str(folder / "ours" / "contacts"))
    look_up = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _, *more, **named: look_up("127.0.0.1", *more, **named))

    with pytest.raises(BusLost, match="certificate"):
        open_bus(f"amqps://{broker.replace('localhost', 'broker.test')}").declare([a_consumer()])


def test_a_plain_connection_is_not_taken(broker: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER, str(folder / "ours" / "contacts"))

    with pytest.raises((BusLost, PublishInDoubt)):
        open_bus(f"amqp://{broker}").declare([a_consumer()])
