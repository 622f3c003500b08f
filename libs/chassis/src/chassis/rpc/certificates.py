"""Encryption between services by gRPC, both sides known by certificates, where this process has some.

With them a server takes nobody who has no certificate of their authority, and a client believes nobody else.
"""

from __future__ import annotations

from typing import Any

import grpc

from chassis.certificates import read_certificates

Options = tuple[tuple[str, Any], ...]


def open_channel(address: str, options: Options = ()) -> grpc.Channel:
    """A channel to a service, encrypted where this process has certificates."""
    known = read_certificates()
    if known is None:
        return grpc.insecure_channel(address, options=options)
    shown = grpc.ssl_channel_credentials(known.authority, known.key, known.certificate)
    return grpc.secure_channel(address, shown, options=options)


def add_port(server: grpc.Server, address: str) -> int:
    """Let a server listen, encrypted where this process has certificates; answers the port."""
    known = read_certificates()
    if known is None:
        return int(server.add_insecure_port(address))
    pairs = [(known.key, known.certificate)]
    shown = grpc.ssl_server_credentials(pairs, known.authority, require_client_auth=True)
    return int(server.add_secure_port(address, shown))
