"""The next open activity of many customers and deals at once, as boards and lists show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID

from chassis.database import UnitOfWork
from chassis.ids import is_id
from scheduling.errors import invalid
from scheduling.queries import ORDER, SELECT_ACTIVITIES, activity_of, seen_by
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
    branches = [_first_of_each(work, name, ids) for name in TARGETS if (ids := _known_form(name, asked[name]))]
    if not branches:
        return []
    each = sa.union_all(*branches).subquery("each")
    columns = (each.c.target, each.c.target_id, each.c.open_count)
    found = SELECT_ACTIVITIES.add_columns(*columns).join(each, each.c.id == activity.c.id)
    return [NextStep(row.target, row.target_id, activity_of(row), row.open_count) for row in work.execute(found)]


def _known_form(name: str, ids: Sequence[str]) -> list[str]:
    for number, one in enumerate(ids):
        if not is_id(one):
            raise invalid(f"{name}s[{number}]", f"is {one[:60]!r}, which is no id; use one that a service has given")
    return list(dict.fromkeys(ids))


def _first_of_each(work: UnitOfWork, name: str, ids: Sequence[str]) -> sa.Select[Any]:
    """An index read for each id: its open activities by time, of which the first is taken and all are counted."""
    asked = sa.column("id", UUID(as_uuid=False))
    target = sa.func.unnest(sa.cast(list(ids), IDS)).table_valued(asked, name=f"{name}_asked").render_derived()
    first = (
        sa.select(activity.c.id, sa.func.count().over().label("open_count"))
        .where(activity.c[name] == target.c.id, activity.c.state == OPEN, seen_by(work))
        .order_by(*ORDER)
        .limit(1)
        .lateral(f"{name}_first")
    )
    told = (first.c.id, sa.literal(name).label("target"), target.c.id.label("target_id"), first.c.open_count)
    return sa.select(*told).select_from(target.join(first, sa.true()))
