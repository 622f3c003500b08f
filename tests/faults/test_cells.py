"""Branches that are cells, cut off, flapping, bridged twice: headquarters hears all of it, in order, once."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest

from chassis.bus.bridge import BATCH, Bridge
from chassis.bus.bridge_lanes import Place
from chassis.bus.transport import Publisher
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.logged_event import LoggedEvent
from chassis.testing.bus import RabbitBroker
from chassis.testing.eventually import eventually
from tests.faults.cells import World, opened_world
from tests.faults.checkers import find_disordered, find_doubled, find_lost, find_unexpected, newest_of
from tests.faults.figures import Figures, Note
from tests.faults.lane import CUT_AFTER

pytestmark = pytest.mark.timeout(300)

CUT_SECONDS, FLAPS, FLAP_SECONDS = 2.0, 6, 0.3
RECORDS, VERSIONS = 25, 4
WITHIN = 60.0


def judge(world: World, recovered: float) -> Figures:
    """Hold what the writers were told against what headquarters got and did."""
    told, effects = world.adding_up.delivered, world.effects
    assert find_unexpected(told, newest_of(world.acknowledged)) == set()
    return Figures(
        len(world.acknowledged),
        len(find_lost(world.acknowledged, effects)),
        len(find_doubled(effects)),
        len(find_disordered(told)) + len(find_disordered(effects)),
        recovered,
    )


def await_all(world: World) -> float:
    """Wait until headquarters has done everything; answers the seconds."""
    began, wanted = time.monotonic(), set(world.acknowledged)
    eventually(lambda: wanted <= set(world.effects), within=WITHIN)
    return time.monotonic() - began


def flap(world: World) -> None:
    """The link up goes and comes, again and again."""
    for _ in range(FLAPS):
        world.proxy.takes.clear()
        world.proxy.cut()
        threading.Event().wait(FLAP_SECONDS)
        world.proxy.takes.set()
        threading.Event().wait(FLAP_SECONDS)


def test_cells_that_are_cut_off_flap_and_are_bridged_twice_lose_and_double_nothing(
    postgres: EmbeddedPostgres, rabbit: RabbitBroker, note_figures: Note
) -> None:
    with opened_world(postgres, rabbit, ("ural", "volga")) as world:
        world.headquarters.write(RECORDS, 1)
        for branch in world.branches:
            branch.write(RECORDS, VERSIONS)
        await_all(world)
        writing = [threading.Thread(target=branch.write, args=(RECORDS, VERSIONS)) for branch in world.branches]
        world.proxy.takes.clear()
        world.proxy.cut()
        for one in writing:
            one.start()
        threading.Event().wait(CUT_SECONDS)
        world.carry(world.branches[0], world.a_database())  # by mistake: it knows nothing of the first one's cursor
        flap(world)
        for one in writing:
            one.join()
        found = judge(world, await_all(world))
        down = {fact for witness in world.witnesses for fact in witness.delivered}
        homes = {home for witness in world.witnesses for home in witness.homes.values()}
        came = set(world.adding_up.homes.values())

    note_figures(found)
    assert len(world.adding_up.delivered) > found.acknowledged, "the second bridge told what was known"
    assert found.acknowledged == 2 * 2 * RECORDS * VERSIONS
    assert (found.lost, found.doubled, found.disordered) == (0, 0, 0)
    assert came == {"ural", "volga"}, "what came down goes nowhere, and nothing that came up comes back"
    assert (homes, down) == ({"hq"}, set(world.headquarters.acknowledged))


class HastyBridge(Bridge):
    """Wrong: moves its cursor before the far side has confirmed."""

    def _publish(self, telling: Any, events: Sequence[LoggedEvent], publisher: Publisher) -> None:
        self._move(telling, Place(telling.place.epoch, events[-1].position))
        super()._publish(telling, events, publisher)


def test_a_bridge_that_waits_for_no_confirm_is_caught(postgres: EmbeddedPostgres, rabbit: RabbitBroker) -> None:
    with opened_world(postgres, rabbit, ("ural",), HastyBridge) as world:
        world.proxy.cut_after = CUT_AFTER
        [branch] = world.branches
        branch.write(BATCH, 1)
        eventually(lambda: world.proxy.cuts, within=WITHIN)
        world.proxy.heal()
        branch.write(1, 1)
        eventually(lambda: world.acknowledged[-1] in world.effects, within=WITHIN)
        assert judge(world, 0.0).lost > 0
