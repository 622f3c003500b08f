"""Which ports of 127.0.0.1 a platform listens on: the same from start to start where they are free."""

from __future__ import annotations

import socket

from branchline.platform.folder import DataFolder, read_json, write_json

USUAL_PORT = 8480


class PortTaken(Exception):
    """The port that was asked for is in use."""


def choose_ports(folder: DataFolder, asked: int) -> tuple[int, int]:
    """The gateway's port and the api's, kept in the folder. Errors: PortTaken for an asked port that is in use."""
    kept = read_json(folder.ports)
    if asked and not is_free(asked):
        raise PortTaken(f"port {asked} is in use; choose another with --port")
    port = asked or _first_free(int(kept.get("port", 0)), USUAL_PORT)
    grpc_port = _first_free(int(kept.get("grpc_port", 0)))
    write_json(folder.ports, {"port": port, "grpc_port": grpc_port})
    return port, grpc_port


def is_free(port: int) -> bool:
    """Tell whether this port can be listened on now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _first_free(*wanted: int) -> int:
    for port in wanted:
        if port and is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
    return found
