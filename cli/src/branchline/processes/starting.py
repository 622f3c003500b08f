"""How every process of the embedded platform begins and ends: tied to its supervisor, logging, stopping on SIGTERM."""

from __future__ import annotations

import os
import signal
import threading

from chassis.logs import start_logs
from chassis.parent_death import end_with_parent
from chassis.telemetry import start_telemetry


def begin(process: str) -> None:
    """Tie this process to the supervisor that started it, and start logs and traces."""
    supervisor = os.environ.get("BRANCHLINE_SUPERVISOR")
    if supervisor:
        end_with_parent(int(supervisor))
    start_logs(process, os.environ.get("LOG_LEVEL", "INFO"))
    start_telemetry(process, os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", ""))


def stop_signal() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    return stopping
