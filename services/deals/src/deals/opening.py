"""Opening a deal: what happens when a person records one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from chassis.access import CREATE
from chassis.database import UnitOfWork
from chassis.ids import new_id
from crm.deals.v1 import deals_pb2 as pb
from deals.catalogue import read_catalogue
from deals.composing import Door, compose_facts, tell_steps
from deals.customers import require_customers
from deals.events import tell_opened
from deals.records import Deal
from deals.storing import insert_deals
from units.records import DEAL
from units.visibility import get_unit


def open_deal(work: UnitOfWork, said: pb.Deal) -> Deal:
    """Record a deal in a stage, by default the first of the default pipeline, in the caller's unit.

    Errors: FieldInvalid, PipelineNotFound, StageNotFound, ProductNotFound, FractionNotAllowed, LossReasonRequired,
    UnitNotKnown, NotPermitted.
    """
    place = get_unit(work, said.unit_id or work.access.unit_id)
    work.access.require(CREATE, place.path, said.owner_id, DEAL)
    catalogue = read_catalogue(work, (line.product_id for line in said.line_items))
    today = day_in(work.now, place.time_zone)
    door = Door(catalogue, place.time_zone, work.access.user_id, today, work.now)
    facts = compose_facts(said, place.id, door)
    facts = require_customers(work, facts)
    facts = replace(facts, stage_history=tell_steps(facts, door))
    stage = catalogue.pipelines.stages[facts.stage_id]
    opened = Deal(new_id(), 1, stage, facts, work.access.user_id, "", work.now, work.now)
    insert_deals(work, [opened])
    tell_opened(work, opened, place.path)
    return opened


def day_in(moment: datetime, zone: str) -> date:
    """The calendar day of a moment in a zone, in UTC where the unit has none."""
    return moment.astimezone(ZoneInfo(zone or "UTC")).date()
