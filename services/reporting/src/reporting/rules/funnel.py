"""How far deals came: who reached a stage or a later one, counted from the stages each deal was in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

OPEN, WON, LOST = "open", "won", "lost"


@dataclass(frozen=True)
class Step:
    """A stage of a pipeline."""

    stage_id: str
    name: str
    kind: str
    position: int


@dataclass(frozen=True)
class Journey:
    """Deals that went the same way: where they are now, every stage they were in, and how many they are."""

    status: str
    stage_id: str
    entered: frozenset[str]
    deals: int


def steps_in_order(steps: Iterable[Step]) -> list[Step]:
    """Open stages by position, then the won ones, then the lost ones."""
    return sorted(steps, key=lambda step: ((OPEN, WON, LOST).index(step.kind), step.position, step.stage_id))


def later_open_stages(steps: Sequence[Step], step: Step) -> list[str]:
    """An open stage and those after it."""
    return [one.stage_id for one in steps if one.kind == OPEN and one.position >= step.position]


def ends_in(steps: Sequence[Step], step: Step, stage_id: str) -> bool:
    """Whether a deal that ended in `stage_id` counts for `step`; an unknown end counts for the first of its kind."""
    kin = [one.stage_id for one in steps if one.kind == step.kind]
    return stage_id == step.stage_id or (stage_id not in kin and kin[0] == step.stage_id)


def count_reached(steps: Sequence[Step], journeys: Iterable[Journey]) -> dict[str, int]:
    """How many deals reached each stage. Shapes: `steps` in order, as `steps_in_order` gives them.

    Every deal of the cohort reached the first stage. A won deal reached every open stage. Lost and open deals reached
    the furthest open stage they were in, and all before it. Won and lost stages count the deals that stand there now.
    """
    counts = dict.fromkeys((step.stage_id for step in steps), 0)
    for journey in journeys:
        for at, step in enumerate(steps):
            if _reached(steps, at, step, journey):
                counts[step.stage_id] += journey.deals
    return counts


def _reached(steps: Sequence[Step], at: int, step: Step, journey: Journey) -> bool:
    if step.kind != OPEN:
        return journey.status == step.kind and ends_in(steps, step, journey.stage_id)
    been = journey.entered | {journey.stage_id}
    return at == 0 or journey.status == WON or not been.isdisjoint(later_open_stages(steps, step))
