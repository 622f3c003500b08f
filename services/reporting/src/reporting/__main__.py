"""Starts one process of reporting: serve, work or migrate."""

from __future__ import annotations

import argparse
import signal
import threading

from chassis.logs import start_logs
from chassis.settings import load_settings
from reporting.settings import MIGRATIONS, PREFIX, Settings

STOP_SECONDS = 10


def main(arguments: list[str] | None = None) -> None:
    """Run the process the arguments name."""
    parser = argparse.ArgumentParser(prog="reporting")
    parser.add_argument("action", choices=("serve", "work", "migrate"))
    action = parser.parse_args(arguments).action
    if action == "work":
        from chassis.bus.patch import patch

        patch()
    start_logs(f"reporting-{action}")
    {"serve": _serve, "work": _work, "migrate": _migrate}[action](load_settings(Settings, PREFIX))


def _serve(settings: Settings) -> None:
    from chassis.rpc.server import start_server
    from chassis.telemetry import start_telemetry
    from chassis.tokens import TokenVerifier
    from reporting.api import servicers

    start_telemetry("reporting-api", settings.otel_exporter_otlp_endpoint)
    server, _ = start_server(settings.grpc_listen, servicers(settings), TokenVerifier(settings.token_public_key))
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    asked.wait()
    server.stop(STOP_SECONDS).wait()


def _work(settings: Settings) -> None:
    from chassis.bus.worker import run_workers
    from reporting.worker import worker_service

    run_workers((worker_service(settings),), settings.bus_url)


def _migrate(settings: Settings) -> None:
    from chassis.migrate import migrate

    migrate(settings.database_url, MIGRATIONS)


if __name__ == "__main__":
    main()
