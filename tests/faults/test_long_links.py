"""People work while the link to the broker hangs, breaks, is slow or narrow, and while a part stands still."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from chassis.testing.bus import RabbitBroker
from chassis.testing.eventually import eventually
from tests.faults.figures import Note
from tests.faults.history import History
from tests.faults.judging import assert_unnoticed, settle
from tests.faults.proxy import FaultProxy
from tests.faults.site import Site, on_this_machine
from tests.faults.writing import people_at_work

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

FAULT_SECONDS = 30.0
CALM_SECONDS = 3.0
RESETS_EVERY = 2.0
FROZEN_SECONDS = 45.0  # longer than two heartbeats: the broker gives the connection up
ALARM_SECONDS = 60.0
RECOVERY_SECONDS = 20.0  # a hanging link is noticed within two heartbeats


def wait(seconds: float) -> None:
    """Let the fault last."""
    threading.Event().wait(seconds)


def hang(proxy: FaultProxy) -> None:
    """Nothing passes and nobody is told."""
    proxy.flows.clear()
    wait(FAULT_SECONDS)


def break_often(proxy: FaultProxy) -> None:
    """Every connection is reset, again and again."""
    for _ in range(int(FAULT_SECONDS / RESETS_EVERY)):
        proxy.cut()
        wait(RESETS_EVERY)


def slow_down(proxy: FaultProxy) -> None:
    """Half a second each way, more or less."""
    proxy.delay, proxy.jitter = 0.5, 0.2
    wait(FAULT_SECONDS)


def narrow(proxy: FaultProxy) -> None:
    """64 KB a second."""
    proxy.rate = 64_000
    wait(FAULT_SECONDS)


def slice_up(proxy: FaultProxy) -> None:
    """Seven bytes at a time."""
    proxy.piece = 7
    wait(FAULT_SECONDS)


def at_fault(site: Site, history: History, fault: Callable[[FaultProxy], None]) -> float:
    """People work before, during and after the fault; answers the seconds from its end until all had its effect."""
    with people_at_work(site.rest, site.office.company, history):
        wait(CALM_SECONDS)
        try:
            fault(site.proxy)
        finally:
            site.proxy.heal()
        recovered = site.await_effects(history)
    assert_unnoticed(history)
    return recovered


def test_a_link_that_hangs_for_half_a_minute(site: Site, history: History, note_figures: Note) -> None:
    recovered = at_fault(site, history, hang)
    settle(site, history, note_figures, recovered)
    assert recovered < on_this_machine(RECOVERY_SECONDS)


def test_a_link_that_is_reset_every_two_seconds(site: Site, history: History, note_figures: Note) -> None:
    recovered = at_fault(site, history, break_often)
    settle(site, history, note_figures, recovered)
    assert recovered < on_this_machine(RECOVERY_SECONDS)


def test_a_link_with_half_a_second_of_delay(site: Site, history: History, note_figures: Note) -> None:
    settle(site, history, note_figures, at_fault(site, history, slow_down))


def test_a_link_of_64_kilobytes_a_second(site: Site, history: History, note_figures: Note) -> None:
    settle(site, history, note_figures, at_fault(site, history, narrow))


def test_a_link_that_passes_seven_bytes_at_a_time(site: Site, history: History, note_figures: Note) -> None:
    settle(site, history, note_figures, at_fault(site, history, slice_up))


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """A process stands still, its connections open."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_worker_that_stood_still_wakes_up_and_harms_nothing(site: Site, history: History, note_figures: Note) -> None:
    """It is the relay of every service and the reader of every queue but the ledger's."""
    with people_at_work(site.rest, site.office.company, history):
        wait(CALM_SECONDS)
        with frozen(site.pid_of("worker")):
            wait(FROZEN_SECONDS)
        recovered = site.await_effects(history)

    settle(site, history, note_figures, recovered)
    assert_unnoticed(history)


def test_a_reader_that_stood_still_is_replaced_and_harms_nothing_when_it_wakes(
    site: Site, history: History, note_figures: Note
) -> None:
    sleeper = site.ledgers.running[0]
    site.ledgers.start()
    eventually(lambda: site.readers() == 2, within=60, every=0.2)
    with people_at_work(site.rest, site.office.company, history), frozen(sleeper.pid):
        eventually(lambda: site.readers() == 1, within=120, every=1.0)  # the broker has given it up
        gap = site.await_effects(history)
        wait(CALM_SECONDS)

    settle(site, history, note_figures, gap)


def test_an_alarm_of_the_broker_holds_up_nobody_but_the_relay(
    site: Site, rabbit: RabbitBroker, history: History, note_figures: Note
) -> None:
    with people_at_work(site.rest, site.office.company, history):
        wait(CALM_SECONDS)
        rabbit.control("set_disk_free_limit", "100000GB")
        try:
            eventually(lambda: "disk" in rabbit.control("eval", "rabbit_alarm:get_alarms()."), within=30, every=0.5)
            wait(ALARM_SECONDS)
        finally:
            rabbit.control("set_disk_free_limit", "50MB")
        eventually(lambda: "disk" not in rabbit.control("eval", "rabbit_alarm:get_alarms()."), within=60, every=0.5)
        lifted = time.monotonic()
        site.await_effects(history)
        recovered = time.monotonic() - lifted

    settle(site, history, note_figures, recovered)
    assert_unnoticed(history)
    assert recovered < on_this_machine(RECOVERY_SECONDS)
