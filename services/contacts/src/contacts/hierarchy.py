"""Which organization stands above which; nobody ever stands above itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from chassis.database import UnitOfWork
from contacts.queries import ids
from contacts.tables import organization


def lines_above(work: UnitOfWork, organization_ids: Iterable[str]) -> dict[str, str]:
    """For these organizations and all above them: the one directly above, in one statement."""
    c = organization.c
    line = sa.select(c.id, c.parent_id).where(c.id == sa.any_(ids(organization_ids))).cte("line", recursive=True)
    line = line.union(sa.select(c.id, c.parent_id).where(c.id == line.c.parent_id))
    above = sa.select(line.c.id, line.c.parent_id).where(line.c.parent_id.is_not(None))
    return {row.id: row.parent_id for row in work.execute(above)}


def stands_below(above: Mapping[str, str], organization_id: str, top_id: str) -> bool:
    """Whether the organization is `top_id` or stands below it."""
    passed: set[str] = set()
    while organization_id and organization_id not in passed:
        if organization_id == top_id:
            return True
        passed.add(organization_id)
        organization_id = above.get(organization_id, "")
    return False
