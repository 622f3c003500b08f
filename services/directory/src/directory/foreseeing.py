"""What would follow from a reorganization: how much of the tree changes, and who reads the records before and after."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from chassis.access import READ, SUBTREE, TEAM
from chassis.database import UnitOfWork
from directory import moving_people
from directory.queries import day_in_unit
from directory.tables import permission, position, role, unit, user
from directory.visibility import below

MOST_NAMES = 20


@dataclass(frozen=True)
class Preview:
    """What follows; `losing` and `gaining` are how many read from above only before or only afterwards."""

    units: int
    people: int
    positions: int
    path_before: str
    path_after: str
    losing: int
    losing_names: tuple[str, ...]
    gaining: int
    gaining_names: tuple[str, ...]


def foresee(work: UnitOfWork, kind: str, row: Any, into: Any, code: str, user_ids: Collection[str]) -> Preview:
    """The preview of a reorganization that was found possible; the tree is as before."""
    above = row.path.rpartition(".")[0]
    after = {
        "move": f"{into.path}.{row.code}" if into else "",
        "merge": f"{into.path}.{row.code}" if into else "",
        "split": f"{above}.{code}",
        "close": row.path,
    }[kind]
    before = _readers(work, _chain(row.path))
    kept = _readers(work, _chain(into.path if into else above))
    staying = {one: name for one, name in _readers(work, [row.path]).items() if kind != "split" or one in user_ids}
    later = before if kind == "close" else kept | staying
    losing = sorted(before[one] for one in before.keys() - later.keys())
    gaining = sorted(later[one] for one in later.keys() - before.keys())
    inside = sa.select(unit.c.id).where(below(row.path))
    held = (
        sa.select(sa.func.count(position.c.user_id.distinct()))
        .join(unit, unit.c.id == position.c.unit_id)
        .where(below(row.path), sa.or_(position.c.end_date.is_(None), position.c.end_date > day_in_unit(work.now)))
    )
    going = [one for one in moving_people.positions_in(work, row.id) if kind == "merge" or one.user_id in user_ids]
    return Preview(
        units=1
        if kind == "split"
        else work.execute(sa.select(sa.func.count()).select_from(inside.subquery())).scalar_one(),
        people=work.execute(held).scalar_one(),
        positions=len(going) if kind in ("merge", "split") else 0,
        path_before=row.path,
        path_after=after,
        losing=len(losing),
        losing_names=tuple(losing[:MOST_NAMES]),
        gaining=len(gaining),
        gaining_names=tuple(gaining[:MOST_NAMES]),
    )


def _chain(path: str) -> list[str]:
    """The unit at a path and those above it."""
    return [path.rsplit(".", depth)[0] for depth in range(path.count(".") + 1)]


def _readers(work: UnitOfWork, paths: list[str]) -> dict[str, str]:
    """Who reads whole subtrees by a position now in one of these units, with their names."""
    local = day_in_unit(work.now)
    reads = sa.and_(permission.c.action == READ, permission.c.scope.in_((SUBTREE, TEAM)))
    found = (
        sa.select(user.c.id, user.c.display_name)
        .distinct()
        .join_from(position, user, user.c.id == position.c.user_id)
        .join(unit, unit.c.id == position.c.unit_id)
        .join(role, role.c.code == position.c.role)
        .join(permission, sa.and_(permission.c.role_id == role.c.id, reads))
        .where(
            unit.c.path.in_(paths),
            user.c.active,
            sa.or_(position.c.start_date.is_(None), position.c.start_date <= local),
            sa.or_(position.c.end_date.is_(None), position.c.end_date > local),
        )
    )
    return {row.id: row.display_name for row in work.execute(found)}
