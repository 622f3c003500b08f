"""Starts one process of imports: serve, work, jobs or migrate."""

from __future__ import annotations

import argparse
import os
import threading

from chassis.logs import start_logs
from chassis.settings import load_settings
from imports.settings import MIGRATIONS, PREFIX, Settings

STOP_SECONDS = 20


def main(arguments: list[str] | None = None) -> None:
    """Run the process the arguments name."""
    parser = argparse.ArgumentParser(prog="imports")
    parser.add_argument("action", choices=("serve", "work", "jobs", "migrate"))
    action = parser.parse_args(arguments).action
    if action == "work":
        from chassis.bus.patch import patch

        patch()
    start_logs(f"imports-{action}")
    {"serve": _serve, "work": _work, "jobs": _jobs, "migrate": _migrate}[action](load_settings(Settings, PREFIX))


def _serve(settings: Settings) -> None:
    from chassis.process import stop_signal
    from chassis.rpc.server import start_server
    from chassis.telemetry import start_telemetry
    from chassis.tokens import TokenVerifier
    from imports.api import servicers

    start_telemetry("imports-api", os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", ""))
    asked = stop_signal()
    server, _ = start_server(settings.grpc_listen, servicers(settings), TokenVerifier(settings.token_public_key))
    asked.wait()
    server.stop(STOP_SECONDS).wait()


def _work(settings: Settings) -> None:
    from chassis.bus.worker import run_workers
    from imports.worker import worker_service

    run_workers((worker_service(settings),), settings.bus_url)


def _jobs(settings: Settings) -> None:
    from chassis.process import stop_signal
    from chassis.telemetry import start_telemetry
    from imports.jobs import job_runner

    start_telemetry("imports-jobs", os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", ""))
    runner = job_runner(settings)
    asked = stop_signal()
    work = threading.Thread(target=runner.run, name="jobs")
    work.start()
    while work.is_alive() and not asked.wait(0.5):  # a runner that fell ends the process too
        pass
    runner.stop()
    work.join()


def _migrate(settings: Settings) -> None:
    from chassis.migrate import migrate

    migrate(settings.database_url, MIGRATIONS)


if __name__ == "__main__":
    main()
