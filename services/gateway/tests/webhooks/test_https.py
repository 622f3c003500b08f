"""Deliveries over TLS: a receiver is believed where its certificate is the name's and signed by somebody we trust."""

from __future__ import annotations

import datetime as dt
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.webhooks import rules
from gateway.webhooks.addresses import read_networks
from gateway.webhooks.sending import Post

NAME = "hooks.example"
BEFORE, AFTER = dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2100, 1, 1, tzinfo=dt.UTC)


class Answers(BaseHTTPRequestHandler):
    """Takes everything."""

    def do_POST(self) -> None:
        """Read it, and say so."""
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


def certificate(name: str, key: ec.EllipticCurvePrivateKey, by: ec.EllipticCurvePrivateKey, *, is_house: bool) -> bytes:
    """A certificate of a name, signed by the house's own authority, as OpenSSL reads it."""
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the house")])
    subject = issuer if is_house else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEFORE)
        .not_valid_after(AFTER)
        .add_extension(x509.BasicConstraints(ca=is_house, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(by, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A receiver with a certificate of the house: its port, and the file of the authority."""
    authority, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "ca.pem").write_bytes(certificate("house.example", authority, authority, is_house=True))
    (tmp_path / "own.pem").write_bytes(certificate(NAME, own, authority, is_house=False))
    plain = serialization.NoEncryption()
    key = own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (tmp_path / "key.pem").write_bytes(key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "own.pem", tmp_path / "key.pem")
    server = HTTPServer(("127.0.0.1", 0), Answers)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port, tmp_path / "ca.pem"
    server.shutdown()
    server.server_close()
    thread.join(5)


def send(port: int, name: str = NAME) -> str:
    """What becomes of a delivery to the receiver under a name."""
    post = Post(read_networks("127.0.0.0/8"), resolve=lambda _host, _port: ["127.0.0.1"])
    return post.send(f"https://{name}:{port}/in", {"Content-Type": "application/json"}, b"{}").result


def test_a_receiver_is_told_where_the_operator_trusts_who_signed_it(
    house: tuple[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, authority = house
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    assert send(port) == rules.DELIVERED


def test_nothing_is_said_to_a_receiver_of_an_unknown_authority_or_of_another_name(
    house: tuple[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, authority = house
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    assert send(port) == rules.UNREACHABLE
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    assert send(port, "other.example") == rules.UNREACHABLE
