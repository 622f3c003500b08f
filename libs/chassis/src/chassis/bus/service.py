"""What a service says of its worker side: its database, its consumers, its timers. Imports nothing that runs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chassis.bus.consumer import Consumer
from chassis.database import Database


@dataclass(frozen=True)
class Timer:
    """Something to do every so many seconds, on a native thread; each process that runs the worker does it."""

    name: str
    seconds: float
    act: Callable[[], None]


@dataclass(frozen=True)
class WorkerService:
    """One service's part of a worker: its database, what it reads, whether its events are published here."""

    name: str
    database: Database
    consumers: tuple[Consumer, ...] = ()
    relay: bool = True
    timers: tuple[Timer, ...] = ()
