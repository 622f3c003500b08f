"""With certificates of one private authority parts know each other; plain and strange callers are turned away."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx2
import pytest
import uvicorn
from grpc_health.v1 import health_pb2, health_pb2_grpc

from branchline.app import run
from branchline.deployment.certificates import make_certificates
from branchline.exits import Exit
from chassis.certificates import FOLDER
from chassis.check_health import find_trouble
from chassis.rpc.certificates import open_channel
from chassis.rpc.server import start_server
from chassis.settings import SettingsInvalid
from chassis.testing.eventually import eventually
from chassis.tokens import TokenVerifier, generate_key, public_key_of
from gateway.serving import files_of

OK = health_pb2.HealthCheckResponse.SERVING


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates of an installation."""
    folder = tmp_path_factory.mktemp("ours")
    make_certificates(folder, [".crm.svc"])
    return folder


@pytest.fixture
def port(ours: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a service that shows the certificate of contacts."""
    monkeypatch.setenv(FOLDER, str(ours / "contacts"))
    server, port = start_server("127.0.0.1:0", (), TokenVerifier(public_key_of(generate_key())))
    yield port
    server.stop(None).wait()


def ask(channel: grpc.Channel) -> str:
    """What a caller is answered."""
    with channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)
        except grpc.RpcError as trouble:
            return str(trouble.code().name)
    return "well" if answer.status == OK else "unwell"


def test_a_part_with_a_certificate_of_ours_is_answered(ours: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER, str(ours / "imports"))
    assert ask(open_channel(f"localhost:{port}")) == "well"
    monkeypatch.setenv("GRPC_LISTEN", f"0.0.0.0:{port}")
    assert find_trouble("serve") == ""


def test_a_plain_caller_is_turned_away(port: int) -> None:
    assert ask(grpc.insecure_channel(f"localhost:{port}")) == "UNAVAILABLE"


def test_a_caller_without_a_certificate_is_turned_away(ours: Path, port: int) -> None:
    believing = grpc.ssl_channel_credentials((ours / "contacts" / "authority.pem").read_bytes())
    assert ask(grpc.secure_channel(f"localhost:{port}", believing)) == "UNAVAILABLE"


def test_a_part_of_another_authority_is_turned_away_and_believes_us_no_more(
    port: int, tmp_path: Path, ours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_certificates(tmp_path)
    strange = (tmp_path / "imports" / name for name in ("key.pem", "certificate.pem"))
    shown = grpc.ssl_channel_credentials(
        (ours / "imports" / "authority.pem").read_bytes(), *(one.read_bytes() for one in strange)
    )
    assert ask(grpc.secure_channel(f"localhost:{port}", shown)) == "UNAVAILABLE"
    monkeypatch.setenv(FOLDER, str(tmp_path / "imports"))
    assert ask(open_channel(f"localhost:{port}")) == "UNAVAILABLE"


def test_a_certificate_is_good_under_its_own_names_only(ours: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER, str(ours / "imports"))
    for name, told in (("contacts-api", "well"), ("contacts-api.crm.svc", "well"), ("deals-api", "UNAVAILABLE")):
        options = (("grpc.ssl_target_name_override", name),)
        assert ask(open_channel(f"localhost:{port}", options)) == told, name


def test_a_folder_without_certificates_is_said_to_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path))
    with pytest.raises(SettingsInvalid, match="authority.pem"):
        open_channel("localhost:1")


def test_the_authority_stays_when_certificates_are_made_anew(tmp_path: Path) -> None:
    words = ["deployment", "certificates", str(tmp_path)]
    assert run(words) == Exit.OK
    first = {name: (tmp_path / "deals" / name).read_bytes() for name in ("authority.pem", "certificate.pem")}
    assert run(words) == Exit.OK
    again = {name: (tmp_path / "deals" / name).read_bytes() for name in first}
    assert (first["authority.pem"] == again["authority.pem"], first == again) == (True, False)
    assert (tmp_path / "authority" / "key.pem").stat().st_mode & 0o077 == 0
    assert not (tmp_path / "deals" / "authority.key").exists()


def test_a_gateway_with_a_folder_speaks_https_and_no_plain_http(ours: Path) -> None:
    async def app(scope: object, receive: object, send: object) -> None: ...

    import threading

    config = uvicorn.Config(app, port=0, log_config=None, lifespan="off", **files_of(str(ours / "gateway")))
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    eventually(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    believing = ssl.create_default_context(cafile=str(ours / "gateway" / "authority.pem"))
    assert httpx2.get(f"https://localhost:{port}/", verify=believing).status_code == 500
    with pytest.raises(httpx2.TransportError):
        httpx2.get(f"http://localhost:{port}/")
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"https://localhost:{port}/")
    server.should_exit = True
    thread.join(10)
