"""Reads of activities: SQL in, activities out, with the names known here; and the one filter of what a caller sees."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from chassis.access import READ, Access
from chassis.database import UnitOfWork
from chassis.ids import is_id
from scheduling.errors import ActivityNotFound
from scheduling.records import Activity, Closing, Due, Facts, Names, Repetition, Series, Waiting
from scheduling.tables import IDS, activity, deal, organization, person, user
from units.records import ACTIVITY
from units.tables import unit
from units.visibility import Sight, Unit, seen_in, sight_of, visible

WAITS_FOR_USER: sa.ColumnElement[str] = sa.literal_column(
    "'user'"
)  # as the index has it: a bound value would not match its condition
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


def seen_by(work: UnitOfWork) -> sa.ColumnElement[bool]:
    """A predicate: activities of the caller's units, own ones, and those in which the caller has a part.

    A part has who takes part, whose move it is, and who planned it.
    """
    return sa.or_(visible(work.access, ACTIVITY, activity.c.unit_id, activity.c.owner_id), *parts_of_caller(work))


@dataclass(frozen=True)
class Look:
    """How a caller sees activities, apart from who that is: statements are prepared once for each.

    `has_part` says that the caller also sees those in which they have a part.
    """

    sight: Sight
    has_part: bool


def look_of(access: Access) -> tuple[Look, dict[str, Any]]:
    """A caller's look, and the values that a statement made for it needs."""
    sight, values = sight_of(access, ACTIVITY)
    has_part = bool(access.user_id and access.grants_for(READ, ACTIVITY)) and not sight.everything
    return Look(sight, has_part), {**values, "seen_user": access.user_id, "seen_users": [access.user_id]}


def seen_with(look: Look) -> sa.ColumnElement[bool]:
    """The predicate of `seen_by` for a prepared statement."""
    return sa.or_(seen_in(look.sight, activity.c.unit_id, activity.c.owner_id), *parts_with(look))


def parts_with(look: Look) -> list[sa.ColumnElement[bool]]:
    """The predicates of `parts_of_caller` for a prepared statement."""
    if not look.has_part:
        return []
    me = sa.bindparam("seen_user", type_=activity.c.owner_id.type)
    return [
        activity.c.participant_user_ids.contains(sa.bindparam("seen_users", type_=IDS)),
        sa.and_(activity.c.waiting_user_id == me, activity.c.waiting_side == WAITS_FOR_USER),
        activity.c.creator_id == me,
    ]


def parts_of_caller(work: UnitOfWork) -> list[sa.ColumnElement[bool]]:
    """The predicates any of which gives the caller a part in an activity: apart, each has its own index."""
    user_id = work.access.user_id
    if not user_id or not work.access.grants_for(READ, ACTIVITY) or work.access.allows_everywhere(READ, ACTIVITY):
        return []
    return [
        activity.c.participant_user_ids.contains(sa.cast([user_id], IDS)),
        sa.and_(activity.c.waiting_user_id == user_id, activity.c.waiting_side == WAITS_FOR_USER),
        activity.c.creator_id == user_id,
    ]


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
    return Names(
        *(
            getattr(row, name, None) or ""
            for name in ("owner_name", "waiting_name", "person_name", "organization_name", "deal_title")
        )
    )
