"""Starts one process of a service: serve, work, jobs, migrate or prepare, or tells it of the past.

A service's `__main__` names its doors for it.

Doors are imported when they are asked for: a worker must never import grpc, an api process never the bus.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from chassis.bus.service import WorkerService
    from chassis.jobs import JobRunner
    from chassis.past import Tokens
    from chassis.rpc.server import Servicer

PAST = ("catch-up", "rebuild", "replay")
EPOCH = "new-epoch"
VERIFY = "verify-audit"
STOP_SECONDS = 10  # calls in hand end within this
HEALTH_FILE = "HEALTH_FILE"  # where a process without a port says how it is, for `chassis.check_health`
BEAT_SECONDS = 5.0


class ServiceSettings(Protocol):
    """The settings every service has."""

    @property
    def database_url(self) -> str: ...
    @property
    def token_public_key(self) -> str: ...
    @property
    def grpc_listen(self) -> str: ...
    @property
    def bus_url(self) -> str: ...


S = TypeVar("S", bound=ServiceSettings)


@dataclass(frozen=True)
class Doors(Generic[S]):
    """A service's doors. Each is a function that imports its door and opens it with the settings."""

    service: str
    settings: type[S]
    prefix: str
    migrations: Path
    servicers: Callable[[S], tuple[Servicer, ...]]
    worker: Callable[[S], WorkerService]
    jobs: Callable[[S], JobRunner] | None = None
    tokens: Callable[[], Tokens] | None = None  # what lets it read others' events by itself


def run(doors: Doors[S], arguments: Sequence[str] | None = None) -> int:
    """Run the process the arguments name until it is asked to stop; answers its exit code."""
    acts: dict[str, Callable[[Doors[S], S, Sequence[str]], int]] = {
        "serve": _serve, "work": _work, "migrate": _migrate, "prepare": _prepare, EPOCH: _epoch,
        VERIFY: _verify,
    }  # fmt: skip
    if doors.jobs:
        acts["jobs"] = _jobs
    if doors.tokens:
        acts |= dict.fromkeys(PAST, _past)
    parser = argparse.ArgumentParser(prog=doors.service)
    parser.add_argument("action", choices=sorted(acts))
    words = sys.argv[1:] if arguments is None else list(arguments)
    has_words = words[:1] and words[0] in (*PAST, EPOCH, VERIFY)
    action = parser.parse_args(words[:1] if has_words else words).action
    if action == "work":
        from chassis.bus.patch import patch

        patch()
    from chassis.process import start_process
    from chassis.settings import SettingsInvalid, load_settings

    try:
        start_process(f"{doors.service}-{action}")
        settings = load_settings(doors.settings, doors.prefix)
        return acts[action](doors, settings, words)
    except SettingsInvalid as trouble:
        sys.stderr.write(f"{doors.service}: {trouble}\n")
        return 2


def _serve(doors: Doors[S], settings: S, _words: Sequence[str]) -> int:
    from chassis.process import stop_signal
    from chassis.rpc.doors import with_platform
    from chassis.rpc.server import start_server
    from chassis.tokens import TokenVerifier

    stopping = stop_signal()
    every = with_platform(doors.servicers(settings))
    server, _port = start_server(settings.grpc_listen, every, TokenVerifier(settings.token_public_key))
    stopping.wait()
    server.stop(STOP_SECONDS).wait()
    return 0


def _work(doors: Doors[S], settings: S, _words: Sequence[str]) -> int:
    from chassis.bus.worker import run_workers

    file = os.environ.get(HEALTH_FILE)  # exits by itself when a service died
    run_workers((doors.worker(settings),), settings.bus_url, Path(file) if file else None)
    return 0


def _jobs(doors: Doors[S], settings: S, _words: Sequence[str]) -> int:
    import threading

    from chassis.process import stop_signal

    assert doors.jobs is not None
    runner, stopping = doors.jobs(settings), stop_signal()
    work = threading.Thread(target=runner.run, name="jobs")
    work.start()
    _beat()
    while work.is_alive() and not stopping.wait(BEAT_SECONDS):
        _beat()
    runner.stop()
    work.join()
    return 0


def _past(doors: Doors[S], settings: S, _words: Sequence[str]) -> int:
    from chassis.past import run_past

    assert doors.tokens is not None
    return run_past(doors.worker(settings), doors.prefix, doors.tokens(), _words)


def _epoch(doors: Doors[S], settings: S, words: Sequence[str]) -> int:
    from chassis.new_epoch import run_new_epoch

    return run_new_epoch(doors.worker(settings), settings.bus_url, words)


def _verify(doors: Doors[S], settings: S, words: Sequence[str]) -> int:
    from chassis.audit.run_verify import run_verify
    from chassis.database import Database

    return run_verify(Database(settings.database_url, doors.service, pool_size=1), words)


def _beat() -> None:
    """Say that the process still turns round."""
    if HEALTH_FILE in os.environ:
        Path(os.environ[HEALTH_FILE]).touch()


def _prepare(doors: Doors[S], settings: S, words: Sequence[str]) -> int:
    """Make everything ready for the service's processes: the newest schema and, on a bus, the service's queues.

    To be done for every service before any of them works, so that no event is published before its readers' queues
    stand.
    """
    _migrate(doors, settings, words)
    if settings.bus_url:
        from chassis.bus.dividing import divided
        from chassis.bus.transport import open_bus

        bus = open_bus(settings.bus_url)
        bus.declare(divided(doors.worker(settings).consumers, bus))
    return 0


def _migrate(doors: Doors[S], settings: S, _words: Sequence[str]) -> int:
    from chassis.migrate import migrate

    migrate(settings.database_url, doors.migrations)
    return 0
