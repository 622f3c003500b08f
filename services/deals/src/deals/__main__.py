"""Starts one process of deals: serve, work or migrate."""

from __future__ import annotations

import argparse

from chassis.logs import start_logs
from chassis.settings import load_settings
from deals.settings import MIGRATIONS, PREFIX, Settings

STOP_SECONDS = 10


def main(arguments: list[str] | None = None) -> None:
    """Run the process the arguments name."""
    parser = argparse.ArgumentParser(prog="deals")
    parser.add_argument("action", choices=("serve", "work", "migrate"))
    action = parser.parse_args(arguments).action
    if action == "work":
        from chassis.bus.patch import patch

        patch()
    start_logs(f"deals-{action}")
    {"serve": _serve, "work": _work, "migrate": _migrate}[action](load_settings(Settings, PREFIX))


def _serve(settings: Settings) -> None:
    from chassis.process import stop_signal
    from chassis.rpc.server import start_server
    from chassis.telemetry import start_telemetry
    from chassis.tokens import TokenVerifier
    from deals.api import servicers

    asked = stop_signal()
    start_telemetry("deals-api", settings.otel_exporter_otlp_endpoint)
    server, _ = start_server(settings.grpc_listen, servicers(settings), TokenVerifier(settings.token_public_key))
    asked.wait()
    server.stop(STOP_SECONDS).wait()


def _work(settings: Settings) -> None:
    from chassis.bus.worker import run_workers
    from deals.worker import worker_service

    run_workers((worker_service(settings),), settings.bus_url)


def _migrate(settings: Settings) -> None:
    from chassis.migrate import migrate

    migrate(settings.database_url, MIGRATIONS)


if __name__ == "__main__":
    main()
