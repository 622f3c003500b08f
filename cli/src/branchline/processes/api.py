"""The api process: the gRPC servicers of every service behind one port."""

from __future__ import annotations

import logging
import os
from importlib import import_module

from branchline.platform.environment import SERVICES
from branchline.processes.starting import begin
from chassis.process import stop_signal
from chassis.rpc.doors import with_platform
from chassis.rpc.server import Servicer, start_server
from chassis.settings import load_settings
from chassis.tokens import TokenVerifier

log = logging.getLogger(__name__)
GRACE_SECONDS = 8.0
NEEDED = tuple(f"{name}.api" for name in SERVICES)  # imported before there are settings


def list_servicers() -> tuple[Servicer, ...]:
    """The servicers of every service, each with its own settings and database, and the doors beside."""
    found: list[Servicer] = []
    for name in SERVICES:
        settings = load_settings(import_module(f"{name}.settings").Settings, f"{name.upper()}_")
        found.extend(import_module(f"{name}.api").servicers(settings))
    return with_platform(found)


def main() -> None:
    """Serve until SIGTERM, then let running calls end."""
    begin("api")
    stopping = stop_signal()
    server, port = start_server(
        os.environ["GRPC_LISTEN"], list_servicers(), TokenVerifier(os.environ["TOKEN_PUBLIC_KEY"]), threads=24
    )
    log.info("serving", extra={"port": port})
    stopping.wait()
    server.stop(GRACE_SECONDS).wait()


if __name__ == "__main__":
    main()
