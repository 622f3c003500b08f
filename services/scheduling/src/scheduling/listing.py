"""Lists of activities by time, page by page: each branch of a question is an index read of at most one page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from chassis.prepared import Prepared
from scheduling.queries import (
    ORDER,
    SELECT_ACTIVITIES,
    WAITS_FOR_USER,
    Look,
    activity_of,
    look_of,
    parts_with,
    seen_with,
)
from scheduling.records import CANCELLED, DONE, OPEN, Activity
from scheduling.tables import IDS, activity
from units.merges import find_survivors
from units.tables import unit
from units.visibility import get_unit, seen_in, unit_ids_under

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
    question = lead_question(work, question)
    look, values = look_of(work.access)
    values |= {**_values_of(work, question), "size": size}
    if after:
        values |= {"after_time": datetime.fromisoformat(str(after[0])), "after_id": str(after[1])}
    return [activity_of(row) for row in work.fetch(_read_page(look, _shape_of(question, bool(after))), values)]


def lead_question(work: UnitOfWork, question: Question) -> Question:
    """The question with the survivors in the place of merged customers, for whoever kept an old id."""
    led = find_survivors(work, [question.person_id, question.organization_id])
    person_id, organization_id = (led.get(one, one) for one in (question.person_id, question.organization_id))
    return replace(question, person_id=person_id, organization_id=organization_id) if led else question


@dataclass(frozen=True)
class _Shape:
    """A question apart from its values: statements are prepared once for each."""

    names: frozenset[str]
    latest_first: bool
    further: bool

    @property
    def order(self) -> list[sa.ColumnElement[Any]]:
        return self.turn(ORDER)

    def turn(self, columns: Iterable[sa.ColumnElement[Any]]) -> list[sa.ColumnElement[Any]]:
        """Columns in the direction asked for."""
        return [one.desc() if self.latest_first else one for one in columns]


def _shape_of(question: Question, further: bool) -> _Shape:
    given = (one.name for one in fields(question) if one.name != "latest_first" and getattr(question, one.name))
    return _Shape(frozenset(given), question.latest_first, further)


def _values_of(work: UnitOfWork, question: Question) -> dict[str, Any]:
    """Errors: UnitNotKnown."""
    values = {f"asked_{one.name}": getattr(question, one.name) for one in fields(question)}
    if question.unit_id:
        values["asked_paths"] = [get_unit(work, question.unit_id).path]
    return {**values, "asked_guests": [question.person_id], "moment": work.now}


@lru_cache(maxsize=256)
def _read_page(look: Look, shape: _Shape) -> Prepared:
    terms = [*_wanted(shape), *_behind(shape)]
    if shape.names.intersection(_NARROW):
        found = sa.select(activity.c.id).where(seen_with(look), *terms).order_by(*shape.order).limit(_SIZE)
    else:
        found = _of_branches(look, shape, terms)
    return Prepared(SELECT_ACTIVITIES.where(activity.c.id.in_(found)).order_by(*shape.order))


def _of_branches(look: Look, shape: _Shape, terms: Sequence[sa.ColumnElement[bool]]) -> sa.Select[tuple[str]]:
    """The first of each visible unit and state, and of each part the caller has; then the first of these."""
    mine = list(parts_with(look))
    if look.sight.own:
        mine.append(seen_in(look.sight.own_only(), activity.c.unit_id, activity.c.owner_id))
    branches = [_of_units(look, shape, terms)]
    branches += [sa.select(*ORDER).where(part, *terms).order_by(*shape.order).limit(_SIZE) for part in mine]
    either = sa.union(*(sa.select(branch.subquery()) for branch in branches)).subquery()
    return sa.select(either.c.id).order_by(*shape.turn([either.c.start_time, either.c.id])).limit(_SIZE)


def _of_units(look: Look, shape: _Shape, terms: Sequence[sa.ColumnElement[bool]]) -> sa.Select[Any]:
    states: list[Any] = [OPEN] if "overdue" in shape.names else [OPEN, DONE, CANCELLED]
    if "state" in shape.names:
        states = [_asked("state", activity.c.state)]
    state = sa.values(sa.column("state", sa.Text), name="each_state").data([(one,) for one in states])
    below = [unit.c.id.in_(unit_ids_under("asked_paths"))] if "unit_id" in shape.names else []
    place = sa.select(unit.c.id).where(seen_in(look.sight, unit.c.id), *below).subquery("place")
    each = (
        sa.select(*ORDER)
        .where(activity.c.unit_id == place.c.id, activity.c.state == state.c.state, *terms)
        .order_by(*shape.order)
        .limit(_SIZE)
        .lateral("each_place")
    )
    source = place.join(state, sa.true()).join(each, sa.true())
    return sa.select(each).select_from(source).order_by(*shape.turn(each.c)).limit(_SIZE)


def _asked(name: str, column: sa.ColumnElement[Any]) -> sa.BindParameter[Any]:
    return sa.bindparam(f"asked_{name}", type_=column.type)


def _behind(shape: _Shape) -> list[sa.ColumnElement[bool]]:
    if not shape.further:
        return []
    start, id = activity.c.start_time, activity.c.id
    key = sa.tuple_(sa.bindparam("after_time", type_=start.type), sa.bindparam("after_id", type_=id.type))
    return [sa.tuple_(start, id) < key if shape.latest_first else sa.tuple_(start, id) > key]


_MOMENT = sa.bindparam("moment", type_=activity.c.start_time.type)
_SIZE: sa.BindParameter[int] = sa.bindparam("size", type_=sa.Integer)
_TERMS: dict[str, list[sa.ColumnElement[bool]]] = {
    **{
        name: [activity.c[name] == _asked(name, activity.c[name])]
        for name in ("owner_id", "organization_id", "deal_id", "series_id", "state", "kind")
    },
    "person_id": [
        sa.or_(
            activity.c.person_id == _asked("person_id", activity.c.person_id),
            activity.c.participant_person_ids.contains(sa.bindparam("asked_guests", type_=IDS)),
        )
    ],
    "unit_id": [activity.c.unit_id.in_(unit_ids_under("asked_paths"))],
    "waiting_user_id": [
        activity.c.waiting_user_id == _asked("waiting_user_id", activity.c.waiting_user_id),
        activity.c.waiting_side == WAITS_FOR_USER,
    ],
    "due_from": [activity.c.start_time >= _asked("due_from", activity.c.start_time)],
    "due_before": [activity.c.start_time < _asked("due_before", activity.c.start_time)],
    "overdue": [activity.c.state == OPEN, activity.c.stop_time <= _MOMENT, activity.c.start_time <= _MOMENT],
}


def _wanted(shape: _Shape) -> list[sa.ColumnElement[bool]]:
    return [term for name in sorted(shape.names) for term in _TERMS[name]]
