"""Starts one process of the directory: serve, work, migrate, or bootstrap for the first administrator."""

from __future__ import annotations

import argparse
from pathlib import Path

from chassis.logs import start_logs
from chassis.settings import load_settings
from directory.settings import MIGRATIONS, PREFIX, Settings

STOP_SECONDS = 10


def main(arguments: list[str] | None = None) -> None:
    """Run the process the arguments name."""
    parser = argparse.ArgumentParser(prog="directory")
    actions = parser.add_subparsers(dest="action", required=True)
    for name in ("serve", "work", "migrate"):
        actions.add_parser(name)
    first = actions.add_parser("bootstrap", help="make the company and its first administrator, once")
    for option, standard in (("company", ""), ("code", "hq"), ("country", ""), ("currency", ""), ("zone", "UTC")):
        first.add_argument(f"--{option}", default=standard, required=not standard)
    first.add_argument("--login", required=True)
    first.add_argument("--password-file", type=Path, required=True)
    options = parser.parse_args(arguments)
    if options.action == "work":
        from chassis.bus.patch import patch

        patch()
    start_logs(f"directory-{options.action}")
    settings = load_settings(Settings, PREFIX)
    if options.action == "bootstrap":
        _bootstrap(settings, options)
    else:
        {"serve": _serve, "work": _work, "migrate": _migrate}[options.action](settings)


def _serve(settings: Settings) -> None:
    from chassis.process import stop_signal
    from chassis.rpc.events_door import events_servicer
    from chassis.rpc.server import start_server
    from chassis.telemetry import start_telemetry
    from chassis.tokens import TokenVerifier, public_key_of
    from directory.api import servicers

    asked = stop_signal()
    start_telemetry("directory-api", settings.otel_exporter_otlp_endpoint)
    doors = servicers(settings)
    events = events_servicer({"directory": doors[0].implementation.database})
    verifier = TokenVerifier(settings.token_public_key or public_key_of(settings.token_private_key))
    server, _ = start_server(settings.grpc_listen, (*doors, events), verifier)
    asked.wait()
    server.stop(STOP_SECONDS).wait()


def _work(settings: Settings) -> None:
    from chassis.bus.worker import run_workers
    from directory.worker import worker_service

    run_workers((worker_service(settings),), settings.bus_url)


def _migrate(settings: Settings) -> None:
    from chassis.migrate import migrate

    migrate(settings.database_url, MIGRATIONS)


def _bootstrap(settings: Settings, options: argparse.Namespace) -> None:
    from chassis.database import Database
    from directory.bootstrap import FirstFacts, bootstrap

    facts = FirstFacts(
        company=options.company,
        code=options.code,
        country_code=options.country,
        currency_code=options.currency,
        time_zone=options.zone,
        login=options.login,
        password=options.password_file.read_text().strip("\r\n"),
    )
    bootstrap(Database(settings.database_url, "directory"), facts)


if __name__ == "__main__":
    main()
