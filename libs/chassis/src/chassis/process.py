"""How a process begins and ends: logs and traces from its environment, and the signal that asks it to stop."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from opentelemetry.sdk.trace import TracerProvider

from chassis.logs import start_logs
from chassis.settings import SettingsInvalid, load_settings
from chassis.telemetry import start_telemetry

TURN_SECONDS = 0.0005
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True)
class ProcessSettings:
    """What every process reads: traces go to the endpoint (`http://host:4318`) when one is given, in this share."""

    log_level: str = "INFO"
    otel_exporter_otlp_endpoint: str = ""
    otel_traces_sampler_arg: float = 0.05


def start_process(name: str, environ: Mapping[str, str] | None = None) -> TracerProvider:
    """Start logs and traces of a process that calls itself `name`, as `contacts-serve`. Errors: SettingsInvalid."""
    settings = load_settings(ProcessSettings, "", environ)
    if not 0 <= settings.otel_traces_sampler_arg <= 1:
        raise SettingsInvalid(f"settings: OTEL_TRACES_SAMPLER_ARG is {settings.otel_traces_sampler_arg}; use 0 to 1")
    start_logs(name, settings.log_level)
    _collect_seldom()
    return start_telemetry(name, settings.otel_exporter_otlp_endpoint, settings.otel_traces_sampler_arg)


def _collect_seldom() -> None:
    """Let the garbage collector rest: a batch of a thousand rows is a hundred thousand objects that live to its end.

    Looking through them after each 700 new ones, Python's default, took a fifth of an import's time.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def take_short_turns() -> None:
    """Let a thread that has its answer from the database go on soon, though another one calculates.

    Python lets that other one run on for five milliseconds, which a page of a dozen statements pays a dozen times.
    """
    sys.setswitchinterval(TURN_SECONDS)


def stop_signal() -> threading.Event:
    """An event that SIGTERM and SIGINT set; to be asked for by the main thread, once.

    The handlers themselves do nothing. One that set the event would hang where the main thread holds the event's lock,
    and would not run if the signal came just before the main thread began to wait; a byte in a pipe comes always.
    """
    asked = threading.Event()
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: None)
    threading.Thread(target=_listen, args=(reading, asked), name="stop", daemon=True).start()
    return asked


def _listen(reading: int, asked: threading.Event) -> None:
    while not set(STOP_SIGNALS) & set(os.read(reading, 64)):
        pass
    asked.set()
