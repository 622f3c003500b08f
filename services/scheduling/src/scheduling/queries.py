"""Reads of activities: SQL in, activities out, with the names known here; and the one filter of what a caller sees."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from chassis.access import READ
from chassis.database import UnitOfWork
from chassis.ids import is_id
from scheduling.errors import ActivityNotFound
from scheduling.records import OPEN, Activity, Closing, Due, Facts, Names, Repetition, Series, Waiting
from scheduling.tables import IDS, activity, deal, organization, person, user
from units.tables import unit
from units.visibility import Unit, get_unit, unit_ids_below, visible

_OWNER, _WAITED = user.alias("owner"), user.alias("waited")
SELECT_ACTIVITIES = sa.select(
    activity,
    _OWNER.c.display_name.label("owner_name"),
    _WAITED.c.display_name.label("waiting_name"),
    person.c.display_name.label("person_name"),
    organization.c.display_name.label("organization_name"),
    deal.c.title.label("deal_title"),
).select_from(
    activity.outerjoin(_OWNER, _OWNER.c.id == activity.c.owner_id)
    .outerjoin(_WAITED, _WAITED.c.id == activity.c.waiting_user_id)
    .outerjoin(person, person.c.id == activity.c.person_id)
    .outerjoin(organization, organization.c.id == activity.c.organization_id)
    .outerjoin(deal, deal.c.id == activity.c.deal_id)
)
ORDER = (activity.c.start_time, activity.c.id)


@dataclass(frozen=True)
class Question:
    """Which activities are asked for; empty means any. Times are in [due_from, due_before)."""

    owner_id: str = ""
    unit_id: str = ""
    person_id: str = ""
    organization_id: str = ""
    deal_id: str = ""
    series_id: str = ""
    waiting_user_id: str = ""
    state: str = ""
    kind: str = ""
    due_from: datetime | None = None
    due_before: datetime | None = None
    overdue: bool = False
    latest_first: bool = False


def seen_by(work: UnitOfWork) -> sa.ColumnElement[bool]:
    """A predicate: activities of the caller's units, own ones, and those in which the caller has a part.

    A part has who takes part, whose move it is, and who planned it.
    """
    access = work.access
    seen = visible(access, activity.c.unit_id, activity.c.owner_id)
    if not access.user_id or not access.grants_for(READ) or access.allows_everywhere(READ):
        return seen
    return sa.or_(
        seen,
        activity.c.participant_user_ids.contains(sa.cast([access.user_id], IDS)),
        activity.c.waiting_user_id == access.user_id,
        activity.c.creator_id == access.user_id,
    )


def get_activity(work: UnitOfWork, activity_id: str, lock: bool = False) -> Activity:
    """The activity, when the caller may read it; `lock` takes its row. Errors: ActivityNotFound."""
    if not is_id(activity_id):
        raise ActivityNotFound(activity_id)
    seen = seen_by(work)
    if lock:
        # First and by itself: a statement that waited for a row still sees the others as they were before.
        work.execute(sa.select(activity.c.id).where(activity.c.id == activity_id, seen).with_for_update())
    row = work.execute(SELECT_ACTIVITIES.where(activity.c.id == activity_id, seen)).one_or_none()
    if row is None:
        raise ActivityNotFound(activity_id)
    return activity_of(row)


def get_activities(work: UnitOfWork, ids: Collection[str], lock: bool = False) -> list[Activity]:
    """Those of the activities that the caller may read, by id; `lock` takes their rows in that order."""
    wanted = activity.c.id.in_([one for one in ids if is_id(one)])
    seen = seen_by(work)
    if lock:
        work.execute(sa.select(activity.c.id).where(wanted, seen).order_by(activity.c.id).with_for_update())
    return [activity_of(row) for row in work.execute(SELECT_ACTIVITIES.where(wanted, seen).order_by(activity.c.id))]


def list_activities(work: UnitOfWork, question: Question, size: int, after: Sequence[Any] | None) -> list[Activity]:
    """Up to `size` visible activities by start, after the key [start, id] of the last one. Errors: UnitNotKnown."""
    terms = [seen_by(work), *_wanted(work, question)]
    order: list[sa.ColumnElement[Any]] = list(ORDER)
    if question.latest_first:
        order = [column.desc() for column in order]
    if after:
        key = sa.tuple_(sa.literal(datetime.fromisoformat(str(after[0]))), sa.cast(str(after[1]), activity.c.id.type))
        terms.append(sa.tuple_(*ORDER) < key if question.latest_first else sa.tuple_(*ORDER) > key)
    found = sa.select(activity.c.id).where(*terms).order_by(*order).limit(size)
    rows = work.execute(SELECT_ACTIVITIES.where(activity.c.id.in_(found)).order_by(*order))
    return [activity_of(row) for row in rows]


def _wanted(work: UnitOfWork, question: Question) -> list[sa.ColumnElement[bool]]:
    terms: list[sa.ColumnElement[bool]] = []
    for name in ("owner_id", "organization_id", "deal_id", "series_id", "state", "kind"):
        asked = getattr(question, name)
        if asked:
            terms.append(activity.c[name] == asked)
    if question.person_id:
        guests = activity.c.participant_person_ids.contains(sa.cast([question.person_id], IDS))
        terms.append(sa.or_(activity.c.person_id == question.person_id, guests))
    if question.unit_id:
        terms.append(activity.c.unit_id.in_(unit_ids_below(get_unit(work, question.unit_id).path)))
    if question.waiting_user_id:
        terms += [activity.c.waiting_user_id == question.waiting_user_id, activity.c.waiting_side == "user"]
    if question.due_from is not None:
        terms.append(activity.c.start_time >= question.due_from)
    if question.due_before is not None:
        terms.append(activity.c.start_time < question.due_before)
    if question.overdue:
        terms += [activity.c.state == OPEN, activity.c.stop_time <= work.now]
    return terms


def paths_of(work: UnitOfWork, unit_ids: Collection[str]) -> dict[str, str]:
    """The paths of units by id, whoever may read them."""
    rows = work.execute(sa.select(unit.c.id, unit.c.path).where(unit.c.id.in_(unit_ids)))
    return {row.id: row.path for row in rows}


def place_of(work: UnitOfWork, known: Activity) -> Unit:
    """The unit of an activity that the caller sees, also where the unit itself may not be read."""
    columns = (unit.c[one.name] for one in fields(Unit))
    return Unit(**work.execute(sa.select(*columns).where(unit.c.id == known.facts.unit_id)).one()._mapping)


def names_of(work: UnitOfWork, user_ids: Collection[str]) -> dict[str, str]:
    """The names of users by id, as far as known here."""
    wanted = [one for one in user_ids if is_id(one)]
    rows = work.execute(sa.select(user.c.id, user.c.display_name).where(user.c.id.in_(wanted)))
    return {row.id: row.display_name for row in rows}


def activity_of(row: Any) -> Activity:
    """A row of SELECT_ACTIVITIES, or of the table alone, as an activity."""
    return Activity(
        id=row.id,
        version=row.version,
        revision=row.revision,
        facts=_facts_of(row),
        state=row.state,
        waiting=Waiting(row.waiting_side, row.waiting_user_id or "", row.waiting_note, row.waiting_time),
        closing=Closing(row.outcome, row.summary, row.close_time, row.closer_id or "") if row.close_time else None,
        series=Series(row.series_id, row.occurrence, row.first_local) if row.series_id else None,
        remind_time=row.remind_time,
        lapse_time=row.lapse_time,
        creator_id=row.creator_id or "",
        create_time=row.create_time,
        update_time=row.update_time,
        names=_names_of(row),
    )


def _facts_of(row: Any) -> Facts:
    rhythm = None
    if row.repeat_every:
        rhythm = Repetition(row.repeat_every, row.repeat_unit, row.repeat_until, row.repeat_count)
    return Facts(
        kind=row.kind,
        subject=row.subject,
        description=row.description,
        unit_id=row.unit_id,
        owner_id=row.owner_id,
        participant_user_ids=tuple(row.participant_user_ids),
        participant_person_ids=tuple(row.participant_person_ids),
        due=Due(row.due_time, row.due_date, row.end_time, row.time_zone),
        person_id=row.person_id or "",
        organization_id=row.organization_id or "",
        deal_id=row.deal_id or "",
        priority=row.priority,
        reminder_minutes=row.reminder_minutes,
        repetition=rhythm,
    )


def _names_of(row: Any) -> Names:
    shown = row._mapping
    return Names(
        *(
            shown.get(name) or ""
            for name in ("owner_name", "waiting_name", "person_name", "organization_name", "deal_title")
        )
    )
