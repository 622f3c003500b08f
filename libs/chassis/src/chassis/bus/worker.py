"""A worker process: the nameko services that read and publish for one or more of our services.

`patch()` must be the first statement of the process, before this module is imported.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import eventlet
from eventlet import patcher
from nameko.extensions import register_entrypoint
from nameko.runners import ServiceRunner

from chassis.audit.keeping import AUDIT_SECONDS, AuditKeeper
from chassis.bus.consumer import Consumer
from chassis.bus.dividing import divided
from chassis.bus.entrypoints import BatchSubscription, DepthLoop, RelayLoop, TimerLoop
from chassis.bus.health import WorkerHealth
from chassis.bus.housekeeping import keep_house, read_event_days
from chassis.bus.patch import allow_native_threads, native
from chassis.bus.service import Timer, WorkerService
from chassis.bus.sharing import Share, ShareLoop
from chassis.bus.subscription import Subscription
from chassis.bus.transport import Bus, DividingBus, open_bus
from chassis.bus.watching import WATCH_SECONDS, watch_messaging
from chassis.database import Database

log = logging.getLogger(__name__)
RETRY_POLL_SECONDS = 1.0
HOUSEKEEPING_SECONDS = 3_600.0
BEAT_SECONDS = 5.0
GRACE_SECONDS = 15.0  # batches in hand end within this, then they are given up and delivered again
LAST_SECONDS = 20.0  # promise: a stopped worker is gone by then
STUCK = 70  # exit code when a native thread would not end


class PatchMissing(RuntimeError):
    """`chassis.bus.patch.patch()` was not the first statement of this process."""


def run_workers(services: Sequence[WorkerService], bus_url: str, health_file: Path | None = None) -> None:
    """Run until SIGTERM or SIGINT. A bus or database that is not there is waited for.

    Errors: what killed a service, so that the process ends with another code than 0 and its supervisor starts it again;
    PatchMissing; SettingsInvalid; ValueError for a URL of no known bus.
    """
    if not patcher.is_monkey_patched("socket"):
        raise PatchMissing("call chassis.bus.patch.patch() before anything else is imported")
    stopping = threading.Event()
    bus, health = open_bus(bus_url), WorkerHealth(health_file)
    services = [replace(one, consumers=divided(one.consumers, bus)) for one in services]
    queues = sum(consumer.queues for service in services for consumer in service.consumers)
    loops = queues + sum(2 * len(one.consumers) + len(one.timers) + 6 for one in services)
    allow_native_threads(loops)
    runner = ServiceRunner({"max_workers": loops})
    readers = [consumer for service in services for consumer in service.consumers]
    for service in services:
        runner.add_service(service_class(service, readers, bus, health, stopping))
    _stop_on_signals(runner, stopping)
    runner.start()
    eventlet.spawn_n(_beat, health)
    runner.wait()


def service_class(
    service: WorkerService, readers: Sequence[Consumer], bus: Bus, health: WorkerHealth, stopping: threading.Event
) -> type:
    """The nameko service of `service`: one method an extension; no name on the bus depends on a method's name.

    `readers` are all consumers of this process: their queues stand before any of its relays publishes.
    """
    methods: dict[str, Any] = {"name": service.name}
    for consumer in service.consumers:
        methods |= _reading_methods(consumer, service.database, bus, health, stopping)
    if service.consumers:
        methods["depth"] = _method(_nothing, DepthLoop(service.name, service.consumers, bus, health, stopping))
    if service.relay:
        methods["publish"] = _method(_nothing, RelayLoop(service.database, readers, bus, health, stopping))
    days = read_event_days(service.name)
    house = Timer("housekeeping", HOUSEKEEPING_SECONDS, lambda: keep_house(service.database, days))
    watch = Timer("watch", WATCH_SECONDS, lambda: watch_messaging(service.database, service.consumers))
    audit = Timer("audit", AUDIT_SECONDS, AuditKeeper(service.database).keep)
    for timer in (*service.timers, house, watch, audit):
        loop = TimerLoop(f"{service.name} {timer.name}", timer.seconds, timer.act, health, stopping)
        methods[f"timer_{timer.name}"] = _method(_nothing, loop)
    return type(f"{service.name.title()}Worker", (), methods)


def _reading_methods(
    consumer: Consumer, database: Database, bus: Bus, health: WorkerHealth, stopping: threading.Event
) -> dict[str, Any]:
    """A method for each queue of a consumer, one for its retries, and one that shares several queues out."""
    subscription = Subscription(consumer, database, stopping)
    retry = TimerLoop(f"{consumer.name} retry", RETRY_POLL_SECONDS, subscription.retry_due, health, stopping)
    methods = {f"retry_{consumer.name}": _method(_nothing, retry)}
    share = None
    if consumer.queues > 1 and isinstance(bus, DividingBus):
        share = Share(consumer.queues)
        methods[f"share_{consumer.name}"] = _method(_nothing, ShareLoop(consumer, share, bus, health, stopping))
    for part in consumer.parts:
        reading = BatchSubscription(part, bus, health, stopping, share)
        methods[f"take_{part.queue}"] = _method(lambda batch: native(subscription.handle, batch), reading)
    return methods


def _method(act: Callable[..., Any], entrypoint: Any) -> Callable[..., Any]:
    def method(_self: Any, *args: Any) -> Any:
        return act(*args)

    register_entrypoint(method, entrypoint)
    return method


def _beat(health: WorkerHealth) -> None:
    while True:
        health.beat()
        eventlet.sleep(BEAT_SECONDS)


def _nothing() -> None:
    """A loop that works by itself has no method to call."""


def _stop_on_signals(runner: ServiceRunner, stopping: threading.Event) -> None:
    def stop() -> None:
        try:
            with eventlet.Timeout(GRACE_SECONDS):
                runner.stop()
        except eventlet.Timeout:
            log.warning("not stopped in time; giving up what is in hand")
            runner.kill()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        if not stopping.is_set():
            stopping.set()
            watchdog = threading.Timer(LAST_SECONDS, os._exit, (STUCK,))
            watchdog.daemon = True
            watchdog.start()
            eventlet.spawn_n(stop)

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
