"""Two branch cells: the link to headquarters is cut for ten minutes while people write, then flaps, then goes twice."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.testing.bus import RabbitBroker
from chassis.testing.eventually import eventually
from tests.faults.cells import Cell, World, opened_world
from tests.faults.figures import Note
from tests.faults.site import on_this_machine
from tests.faults.test_cells import judge

pytestmark = [pytest.mark.long, pytest.mark.timeout(1_800)]

CALM_SECONDS, CUT_SECONDS = 30.0, 600.0
FLAPS, FLAP_SECONDS = 12, 5.0
RECORDS, VERSIONS, WRITES_A_SECOND = 2, 5, 25.0  # of each branch
LEAST_BEHIND = 10_000  # events, when the link comes back
WITHIN_A_TEN_THOUSAND = 300.0  # seconds
SLOWER = 1.5  # times: the slowest of twenty writes without a link, against those before


@dataclass
class Office:
    """People of one branch who write at their pace; `taken` are seconds, each with when it was."""

    branch: Cell
    stopping: threading.Event = field(default_factory=threading.Event)
    taken: list[tuple[float, float]] = field(default_factory=list)
    trouble: list[BaseException] = field(default_factory=list)

    def work(self) -> None:
        """Write until stopped."""
        try:
            while not self.stopping.is_set():
                began = time.monotonic()
                self.branch.write(RECORDS, VERSIONS)
                self.taken.append((began, time.monotonic() - began))
                self.stopping.wait(max(RECORDS * VERSIONS / WRITES_A_SECOND - self.taken[-1][1], 0.0))
        except BaseException as trouble:
            self.trouble.append(trouble)
            raise

    def slowest(self, start: float, end: float) -> float:
        """What all but one in twenty of the writes took that began between two moments."""
        return statistics.quantiles([seconds for at, seconds in self.taken if start <= at < end], n=20)[-1]


@contextmanager
def offices_at_work(world: World) -> Iterator[list[Office]]:
    """People write in every branch inside."""
    offices = [Office(branch) for branch in world.branches]
    threads = [threading.Thread(target=one.work) for one in offices]
    for one in threads:
        one.start()
    try:
        yield offices
    finally:
        for office in offices:
            office.stopping.set()
        for one in threads:
            one.join(60)
    assert not any(office.trouble for office in offices), "nobody in a branch had an error"


def cut(world: World) -> None:
    """No link up any more."""
    world.proxy.takes.clear()
    world.proxy.cut()


def await_events(world: World, within: float) -> float:
    """Wait until headquarters has done all that was acknowledged by now; answers the seconds."""
    began, wanted = time.monotonic(), set(world.acknowledged)
    eventually(lambda: wanted <= set(world.effects), within=within, every=1.0)
    return time.monotonic() - began


def test_ten_minutes_without_headquarters_cost_a_branch_nothing_and_all_of_it_is_told_afterwards(
    postgres: EmbeddedPostgres, rabbit: RabbitBroker, note_figures: Note
) -> None:
    with opened_world(postgres, rabbit, ("ural", "volga")) as world:
        world.headquarters.write(10, 1)
        with offices_at_work(world) as offices:
            began = time.monotonic()
            threading.Event().wait(CALM_SECONDS)
            cut(world)
            cut_at = time.monotonic()
            threading.Event().wait(CUT_SECONDS)
            healed_at = time.monotonic()
            behind = len(world.acknowledged) - len(world.effects)
            world.proxy.takes.set()
            caught_up = await_events(world, on_this_machine(behind / 10_000 * WITHIN_A_TEN_THOUSAND))
            for office in offices:
                before, without = office.slowest(began, cut_at), office.slowest(cut_at, healed_at)
                assert without < on_this_machine(before * SLOWER), "without a link people work as fast as ever"
            world.carry(world.branches[0], world.a_database())  # by mistake: it knows nothing of the first one's cursor
            for _ in range(FLAPS):
                cut(world)
                threading.Event().wait(FLAP_SECONDS)
                world.proxy.takes.set()
                threading.Event().wait(FLAP_SECONDS)
        await_events(world, on_this_machine(WITHIN_A_TEN_THOUSAND))
        found = judge(world, caught_up)
        down = {fact for witness in world.witnesses for fact in witness.delivered}
        came, homes = set(world.adding_up.homes.values()), {h for one in world.witnesses for h in one.homes.values()}

    note_figures(found)
    assert behind >= LEAST_BEHIND, "the cut was a cut, and people went on"
    assert len(world.adding_up.delivered) > found.acknowledged, "the second bridge told what was known"
    assert (found.lost, found.doubled, found.disordered) == (0, 0, 0)
    assert came == {"ural", "volga"}, "what came down goes nowhere, and nothing that came up comes back"
    assert (homes, down) == ({"hq"}, set(world.headquarters.acknowledged))
