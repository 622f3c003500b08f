"""Starts the gateway: `python -m gateway serve`."""

from __future__ import annotations

import argparse

from chassis.logs import start_logs
from chassis.settings import load_settings
from chassis.telemetry import start_telemetry
from gateway.serving import serve
from gateway.settings import PREFIX, Settings


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="gateway")
    parser.add_argument("action", choices=("serve",))
    parser.parse_args()
    settings = load_settings(Settings, PREFIX)
    start_logs("gateway")
    start_telemetry("gateway", settings.otel_exporter_otlp_endpoint)
    serve(settings)


if __name__ == "__main__":
    main()
