"""Planning an activity: what happens when somebody writes down what is to be done."""

from __future__ import annotations

from dataclasses import replace

from chassis.access import CREATE
from chassis.database import UnitOfWork
from chassis.ids import new_id
from crm.scheduling.v1 import scheduling_pb2 as pb
from scheduling import rules
from scheduling.composing import compose_facts, compose_id, compose_waiting, require_links
from scheduling.current_links import lead_links
from scheduling.errors import invalid
from scheduling.events import tell_created
from scheduling.queries import get_activity
from scheduling.records import ASSIGNED, CREATED, OPEN, Activity, Facts, Series, Waiting
from scheduling.storing import insert_activity, keep_history, notify, store_notifications
from units.records import ACTIVITY
from units.visibility import Unit, get_unit


def plan_activity(work: UnitOfWork, said: pb.Activity) -> Activity:
    """Record an activity, by default the caller's own in the caller's unit. Its owner is told when somebody else plans.

    Errors: FieldInvalid, UnitNotKnown, NotPermitted.
    """
    place = get_unit(work, said.unit_id or work.access.unit_id)
    owner_id = compose_id("activity.owner_id", said.owner_id) or work.access.user_id
    if not owner_id:
        raise invalid("activity.owner_id", "is empty; say who is to do it")
    require_plan(work, place, owner_id)
    facts = lead_links(work, compose_facts(said, place, owner_id))
    require_links(work, facts)
    waiting = compose_waiting(work, said.waiting, owner_id, "activity.waiting")
    planned = begin(work, facts, waiting, begin_series(facts))
    insert_activity(work, planned)
    keep_history(work, [planned], CREATED)
    tell_created(work, planned, place.path)
    store_notifications(work, notify(work, [owner_id], ASSIGNED, planned))
    return get_activity(work, planned.id)


def require_plan(work: UnitOfWork, place: Unit, owner_id: str) -> None:
    """Errors: NotPermitted unless the caller may write in the unit, or plans for themselves or in the own unit.

    Whoever may write own records may also ask a colleague of the own unit to do something.
    """
    access = work.access
    asks_near = bool(access.user_id) and place.id == access.unit_id
    access.require(CREATE, place.path, access.user_id if asks_near else owner_id, ACTIVITY)


def begin(work: UnitOfWork, facts: Facts, waiting: Waiting, series: Series | None) -> Activity:
    """A new open activity with its reminder and alert to come."""
    remind, lapse = rules.tell_times(facts, work.now)
    return Activity(
        id=new_id(),
        version=1,
        revision=1,
        facts=facts,
        state=OPEN,
        waiting=waiting,
        closing=None,
        series=series,
        remind_time=remind,
        lapse_time=lapse,
        creator_id=work.access.user_id,
        create_time=work.now,
        update_time=work.now,
    )


def begin_series(facts: Facts) -> Series | None:
    """The series whose rhythm begins with these facts; None for what does not repeat."""
    return None if facts.repetition is None else Series(new_id(), 1, rules.local_start(facts.due))


def touch(known: Activity, work: UnitOfWork, **changed: object) -> Activity:
    """The activity with something that people changed: a new version and a new etag."""
    return replace(
        known,
        version=known.version + 1,
        revision=known.revision + 1,
        update_time=work.now,
        **changed,  # type: ignore[arg-type]
    )
