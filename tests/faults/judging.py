"""The verdict after a fault: the users' history held against the log, the deliveries, the effects and the source."""

from __future__ import annotations

from dataclasses import dataclass

from tests.faults.checkers import (
    Fact,
    find_apart,
    find_disordered,
    find_doubled,
    find_gaps,
    find_lost,
    find_unexpected,
    newest_of,
)
from tests.faults.figures import Figures, Note
from tests.faults.history import History
from tests.faults.site import Site

LATE, LATE_SHARE = "DEADLINE_EXCEEDED", 0.01
ENOUGH = 40  # acknowledged writes without which a test has shown nothing


@dataclass(frozen=True)
class Verdict:
    """How many writes were acknowledged, and what speaks against the platform. `repeated` deliveries are allowed."""

    acknowledged: int
    lost: int
    doubled: int
    disordered: int
    unexpected: int
    apart: int
    repeated: int

    @property
    def flawless(self) -> bool:
        """Tell whether every promise was kept."""
        return not (self.lost or self.doubled or self.disordered or self.unexpected or self.apart)


@dataclass(frozen=True)
class Told:
    """What the outsider was told so far, and the effects, each in its order."""

    delivered: list[Fact]
    effects: list[Fact]


def read_told(site: Site, history: History) -> Told:
    """What came of these records by now."""
    records = history.records
    return Told([one for one in site.witness.delivered if one[0] in records], site.effects(records))


def judge(site: Site, history: History, in_order: Told | None = None) -> Verdict:
    """Hold everything against the history; call it when all effects have come. `in_order` is as `settle` says."""
    records, acknowledged = history.records, history.acknowledged
    logged, told, source = site.logged(records), read_told(site, history), site.stored(records)
    delivered, effects, ordered = told.delivered, told.effects, in_order or told
    missing = [find_lost(acknowledged, one) | find_gaps(one) for one in (logged, delivered, effects)]
    return Verdict(
        acknowledged=len(acknowledged),
        lost=len(set[Fact]().union(*missing)),
        doubled=len(find_doubled(logged)) + len(find_doubled(effects)),
        disordered=sum(len(find_disordered(one)) for one in (logged, ordered.delivered, ordered.effects)),
        unexpected=len(find_unexpected([*logged, *delivered], source)),
        apart=len(find_apart(source, newest_of(effects))),
        repeated=len(delivered) - len(set(delivered)),
    )


def settle(
    site: Site, history: History, note_figures: Note, seconds: float | None = None, in_order: Told | None = None
) -> Verdict:
    """Wait until everything has come, keep the figures, and hold the platform to its promises.

    `seconds` where the test measured the recovery itself. `in_order` is what was told before a command told everything
    once more: what a fault has thrown away comes behind newer events then, and in copies the newest state wins.
    Errors: AssertionError.
    """
    waited = site.await_effects(history)
    found = judge(site, history, in_order)
    recovered = waited if seconds is None else seconds
    note_figures(Figures(found.acknowledged, found.lost, found.doubled, found.disordered, recovered))
    assert found.acknowledged >= ENOUGH
    assert found.flawless, found
    assert history.given_up() == []
    return found


def assert_unnoticed(history: History) -> None:
    """No call failed, but for a few that came too late where others use the machine too. Errors: AssertionError."""
    troubles = history.troubles()
    late = troubles.pop(LATE, 0)
    assert troubles == {}
    assert late <= LATE_SHARE * len(history.acknowledged)
