"""The next open activity of many customers and deals at once, as boards and lists show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID

from chassis.database import UnitOfWork
from chassis.ids import is_id
from chassis.prepared import Prepared
from scheduling.errors import invalid
from scheduling.queries import ORDER, SELECT_ACTIVITIES, Look, activity_of, look_of, seen_with
from scheduling.records import OPEN, Activity
from scheduling.tables import IDS, activity

MAX_IDS = 500
TARGETS = ("person_id", "organization_id", "deal_id")


@dataclass(frozen=True)
class NextStep:
    """What is next for `id`, which stands in the column `target`; `open_count` counts all open ones."""

    target: str
    id: str
    activity: Activity
    open_count: int


def find_next_steps(work: UnitOfWork, asked: Mapping[str, Sequence[str]]) -> list[NextStep]:
    """The visible open activity of each id that is due first, all by one statement. Errors: FieldInvalid."""
    total = sum(len(ids) for ids in asked.values())
    if total > MAX_IDS:
        raise invalid("person_ids", f"and the others have {total} ids together; ask for at most {MAX_IDS} at once")
    known = {name: ids for name in TARGETS if (ids := _known_form(name, asked[name]))}
    if not known:
        return []
    look, values = look_of(work.access)
    rows = work.fetch(_next_steps(look, tuple(known)), {**values, **known})
    return [NextStep(row.target, row.target_id, activity_of(row), row.open_count) for row in rows]


@lru_cache(maxsize=64)
def _next_steps(look: Look, names: tuple[str, ...]) -> Prepared:
    each = sa.union_all(*(_first_of_each(look, name) for name in names)).subquery("each")
    columns = (each.c.target, each.c.target_id, each.c.open_count)
    return Prepared(SELECT_ACTIVITIES.add_columns(*columns).join(each, each.c.id == activity.c.id))


def _known_form(name: str, ids: Sequence[str]) -> list[str]:
    for number, one in enumerate(ids):
        if not is_id(one):
            raise invalid(f"{name}s[{number}]", f"is {one[:60]!r}, which is no id; use one that a service has given")
    return list(dict.fromkeys(ids))


def _first_of_each(look: Look, name: str) -> sa.Select[Any]:
    """An index read for each id: its open activities by time, of which the first is taken and all are counted."""
    asked = sa.column("id", UUID(as_uuid=False))
    ids = sa.bindparam(name, type_=IDS)
    target = sa.func.unnest(ids).table_valued(asked, name=f"{name}_asked").render_derived()
    first = (
        sa.select(activity.c.id, sa.func.count().over().label("open_count"))
        .where(activity.c[name] == target.c.id, activity.c.state == OPEN, seen_with(look))
        .order_by(*ORDER)
        .limit(1)
        .lateral(f"{name}_first")
    )
    told = (first.c.id, sa.literal(name).label("target"), target.c.id.label("target_id"), first.c.open_count)
    return sa.select(*told).select_from(target.join(first, sa.true()))
