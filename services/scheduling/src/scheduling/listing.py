"""Lists of activities by time, page by page: each branch of a question is an index read of at most one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from chassis.access import OWN, READ
from chassis.database import UnitOfWork
from scheduling.queries import ORDER, SELECT_ACTIVITIES, WAITS_FOR_USER, activity_of, parts_of_caller, seen_by
from scheduling.records import CANCELLED, DONE, OPEN, Activity
from scheduling.tables import IDS, activity
from units.tables import unit
from units.visibility import get_unit, unit_ids_below, visible

_NARROW = ("owner_id", "person_id", "organization_id", "deal_id", "series_id", "waiting_user_id")


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


def list_activities(work: UnitOfWork, question: Question, size: int, after: Sequence[Any] | None) -> list[Activity]:
    """Up to `size` visible activities by start, after the key [start, id] of the last one. Errors: UnitNotKnown."""
    terms = [*_wanted(work, question), *_behind(question, after)]
    order = [column.desc() for column in ORDER] if question.latest_first else list(ORDER)
    if any(getattr(question, name) for name in _NARROW):
        found = sa.select(activity.c.id).where(seen_by(work), *terms).order_by(*order).limit(size)
    else:
        found = _of_branches(work, question, terms, order, size)
    rows = work.execute(SELECT_ACTIVITIES.where(activity.c.id.in_(found)).order_by(*order))
    return [activity_of(row) for row in rows]


def _of_branches(
    work: UnitOfWork,
    question: Question,
    terms: Sequence[sa.ColumnElement[bool]],
    order: Sequence[sa.ColumnElement[Any]],
    size: int,
) -> sa.Select[tuple[str]]:
    """The first of each visible unit and state, and of each part the caller has; then the first of these."""
    mine = list(parts_of_caller(work))
    if work.access.user_id and any(grant.scope == OWN for grant in work.access.grants_for(READ)):
        mine.append(activity.c.owner_id == work.access.user_id)
    branches = [_of_units(work, question, terms, order, size)]
    branches += [sa.select(*ORDER).where(part, *terms).order_by(*order).limit(size) for part in mine]
    either = sa.union(*(sa.select(branch.subquery()) for branch in branches)).subquery()
    by = [either.c.start_time, either.c.id]
    return sa.select(either.c.id).order_by(*([one.desc() for one in by] if question.latest_first else by)).limit(size)


def _of_units(
    work: UnitOfWork,
    question: Question,
    terms: Sequence[sa.ColumnElement[bool]],
    order: Sequence[sa.ColumnElement[Any]],
    size: int,
) -> sa.Select[Any]:
    states = (question.state,) if question.state else (OPEN,) if question.overdue else (OPEN, DONE, CANCELLED)
    state = sa.values(sa.column("state", sa.Text), name="each_state").data([(one,) for one in states])
    below = [unit.c.id.in_(unit_ids_below(get_unit(work, question.unit_id).path))] if question.unit_id else []
    place = sa.select(unit.c.id).where(visible(work.access, unit.c.id), *below).subquery("place")
    each = (
        sa.select(*ORDER)
        .where(activity.c.unit_id == place.c.id, activity.c.state == state.c.state, *terms)
        .order_by(*order)
        .limit(size)
        .lateral("each_place")
    )
    by = [column.desc() for column in each.c] if question.latest_first else list(each.c)
    return sa.select(each).select_from(place.join(state, sa.true()).join(each, sa.true())).order_by(*by).limit(size)


def _behind(question: Question, after: Sequence[Any] | None) -> list[sa.ColumnElement[bool]]:
    if not after:
        return []
    key = sa.tuple_(sa.literal(datetime.fromisoformat(str(after[0]))), sa.cast(str(after[1]), activity.c.id.type))
    return [sa.tuple_(*ORDER) < key if question.latest_first else sa.tuple_(*ORDER) > key]


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
        terms += [activity.c.waiting_user_id == question.waiting_user_id, activity.c.waiting_side == WAITS_FOR_USER]
    if question.due_from is not None:
        terms.append(activity.c.start_time >= question.due_from)
    if question.due_before is not None:
        terms.append(activity.c.start_time < question.due_before)
    if question.overdue:
        terms += [activity.c.state == OPEN, activity.c.stop_time <= work.now, activity.c.start_time <= work.now]
    return terms
