"""What a source says anew of a deal we know, and what follows for the deal: decisions on plain values, no I/O.

Only what the source says otherwise than before is news. So a change made here stays until the source itself says
something new about that very field.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from deals import rules
from deals.composing import Door, price_facts, tell_steps
from deals.first_pipeline import NOT_STATED
from deals.records import Deal, Facts, Step

_SILENT_WHEN_EMPTY = (
    "title", "organization_id", "person_id", "owner_id", "open_date", "loss_comment", "business_line", "external_id",
    "line_items",
)  # fmt: skip
_BOUND_TO_STAGE = ("close_date", "loss_reason", "loss_comment")
_MONEY = ("amount", "currency", "line_items")
# What a move changes; everything else that changes with it is told as an update of its own.
OF_A_MOVE = frozenset(("pipeline_id", "stage_id", "stage_history", *_BOUND_TO_STAGE))


@dataclass(frozen=True)
class Outcome:
    """The deal after the news, with its next version; `changed` are the facts that are different, `moved` the stage."""

    deal: Deal
    changed: tuple[str, ...]
    moved: bool

    @property
    def updates(self) -> tuple[str, ...]:
        """The changed facts that a move does not tell."""
        return tuple(name for name in self.changed if name not in OF_A_MOVE) if self.moved else self.changed


def hear(before: Facts, row: Facts) -> Facts:
    """What the source says now: the row, and where the row is silent, what was said before. Errors: FieldInvalid."""
    same_stage = row.stage_id == before.stage_id
    kept = {name: getattr(before, name) for name in _SILENT_WHEN_EMPTY if not getattr(row, name)}
    if row.amount is None:
        kept |= {"amount": before.amount, "currency": row.currency or before.currency}
    if same_stage and row.close_date is None:
        kept["close_date"] = before.close_date
    if same_stage and row.loss_reason == NOT_STATED:
        kept["loss_reason"] = before.loss_reason
    if not row.loss_reason:
        kept["loss_comment"] = ""
    if same_stage and not row.stage_history:
        kept["stage_history"] = before.stage_history
    kept["attributes"] = tuple(sorted((dict(before.attributes) | dict(row.attributes)).items()))
    heard = replace(row, **kept)
    rules.check_order(heard.open_date, heard.close_date)
    return price_facts(heard)


def follow(current: Deal, before: Facts, after: Facts, door: Door, run_id: str, now: datetime) -> Outcome:
    """What the deal becomes when its source, which said `before`, says `after`. Errors: FieldInvalid."""
    said = {name for name in Facts.__slots__ if getattr(before, name) != getattr(after, name)}
    stage_said = before.stage_id != after.stage_id
    moved = stage_said and current.facts.stage_id != after.stage_id
    wanted = said - {"stage_history"}
    if wanted & set(_MONEY):
        wanted |= set(_MONEY)
    if stage_said:
        wanted |= {"stage_id", "pipeline_id", *_BOUND_TO_STAGE}
    elif current.facts.stage_id != after.stage_id:
        wanted -= set(_BOUND_TO_STAGE)  # of a stage in which the deal is no more
    facts = replace(current.facts, **{name: getattr(after, name) for name in wanted})
    facts = replace(facts, stage_history=_follow_steps(current, before, after, door, moved, now))
    rules.check_order(facts.open_date, facts.close_date)
    changed = tuple(name for name in Facts.__slots__ if getattr(facts, name) != getattr(current.facts, name))
    stage = door.catalogue.pipelines.stages[facts.stage_id]
    outcome = Outcome(replace(current, facts=facts, stage=stage, run_id=run_id, update_time=now), changed, moved)
    version = current.version + bool(outcome.updates) + moved
    return replace(outcome, deal=replace(outcome.deal, version=version))


def _follow_steps(
    current: Deal, before: Facts, after: Facts, door: Door, moved: bool, now: datetime
) -> tuple[Step, ...]:
    recorded = current.facts.stage_history
    told, tells = tell_steps(before, door), tell_steps(after, door)
    if moved:
        knows_the_way = bool(after.stage_history) and recorded == told
        stage = door.catalogue.pipelines.stages[after.stage_id]
        return tells if knows_the_way else rules.continue_history(recorded, told, tells, stage, now)
    if told == tells or before.stage_id != after.stage_id:
        return recorded
    return rules.correct_history(recorded, told, tells)
