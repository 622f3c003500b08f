"""Moving a deal to another stage: who, when and, where it is lost, why."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from google.protobuf import json_format

from chassis.access import CHANGE
from chassis.database import UnitOfWork
from chassis.errors import StaleEtag
from deals import rules
from deals.catalogue import read_catalogue
from deals.composing import Door, compose_id, compose_loss
from deals.errors import StageNotFound, invalid
from deals.events import tell_moved
from deals.messages import deal_message
from deals.opening import day_in
from deals.queries import get_deal
from deals.records import OPEN, Deal, Stage, Step
from deals.storing import update_deals
from units.records import DEAL
from units.visibility import get_unit


def move_deal(
    work: UnitOfWork, deal_id: str, stage_id: str, etag: str, loss_reason: str, loss_comment: str, day: date | None
) -> Deal:
    """Enter a stage of the deal's pipeline, on `day` or today; the present stage changes nothing.

    A reopened deal has no day of closing and no loss reason any more; its history keeps every step.
    Errors: DealNotFound, NotPermitted, StaleEtag, StageNotFound, LossReasonRequired, FieldInvalid.
    """
    known = get_deal(work, deal_id, lock=True)
    place = get_unit(work, known.facts.unit_id)
    work.access.require(CHANGE, place.path, known.facts.owner_id, DEAL)
    check_etag(known, etag)
    catalogue = read_catalogue(work, ())
    stage = catalogue.pipelines.stages.get(compose_id("stage_id", stage_id))
    home = catalogue.pipelines.by_id[known.facts.pipeline_id]
    if stage is None or stage.pipeline_id != home.id:
        raise StageNotFound(stage_id, home.name, [one.name for one in home.stages])
    if stage.id == known.facts.stage_id:
        return known
    today = day_in(work.now, place.time_zone)
    door = Door(catalogue, place.time_zone, work.access.user_id, today, work.now)
    reason, comment = compose_loss(stage, loss_reason, loss_comment, door)
    step = _step_of(known, stage, day, door)
    facts = replace(
        known.facts,
        stage_id=stage.id,
        stage_history=(*known.facts.stage_history, step),
        close_date=None if stage.kind == OPEN else (day or today),
        loss_reason=reason,
        loss_comment=comment,
    )
    rules.check_order(facts.open_date, facts.close_date)
    moved = replace(known, version=known.version + 1, stage=stage, facts=facts, update_time=work.now, run_id="")
    update_deals(work, [moved])
    tell_moved(work, moved, place.path, known.facts.stage_id)
    return moved


def check_etag(known: Deal, etag: str) -> None:
    """Errors: StaleEtag with the current values when a caller saw another version; an empty etag is not checked."""
    if etag and etag != str(known.version):
        raise StaleEtag(
            "the deal has changed since you read it; look at it again",
            metadata={"current": json_format.MessageToJson(deal_message(known), indent=None)},
        )


def _step_of(known: Deal, stage: Stage, day: date | None, door: Door) -> Step:
    """The new step: now, or noon of the day given. Errors: FieldInvalid before the last known step or in the future."""
    if day is None or day == door.today:
        return Step(stage.id, stage.name, door.now, door.user_id)
    rules.check_day("change_date", day)
    times = [step.change_time for step in known.facts.stage_history if step.change_time is not None]
    last = max((day_in(moment, door.zone) for moment in times), default=None)
    if last is not None and day < last:
        raise invalid("change_date", f"is {day}, before the deal's last step on {last}")
    if door.today is not None and day > door.today:
        raise invalid("change_date", f"is {day}, which is still to come; today is {door.today}")
    moment = rules.noon_of(day, door.zone)
    latest = max((time for time in times), default=moment)
    return Step(stage.id, stage.name, max(filter(None, (moment, latest))), door.user_id)
