"""Who may see a segment: those who see everything that it is made from, since its members tell of that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from chassis.access import ALL, READ, SUBTREE, Access, is_below
from chassis.database import UnitOfWork
from chassis.ids import is_id
from contacts.errors import SegmentNotFound
from contacts.segments.conditions import Condition, asks_interactions, hidden_by
from contacts.tables import segment
from units.records import CUSTOMER, INTERACTION
from units.tables import unit


def find_segment(work: UnitOfWork, segment_id: str, *, for_change: bool = False) -> Any:
    """A visible segment with the path of its unit. Errors: SegmentNotFound."""
    wanted = select_segments().where(segment.c.id == segment_id)
    wanted = wanted.with_for_update(of=segment) if for_change else wanted
    row = work.execute(wanted).one_or_none() if is_id(segment_id) else None
    if row is None or not may_see(work.access, row.path, conditions_of(row)):
        raise SegmentNotFound(segment_id)
    return row


def select_segments() -> sa.Select[Any]:
    """Segments with the paths of their units."""
    return sa.select(segment, unit.c.path).select_from(segment.join(unit, unit.c.id == segment.c.unit_id))


def conditions_of(row: Any) -> list[Condition]:
    """The conditions of a stored segment."""
    return [Condition(*one) for one in row.conditions]


def may_see(access: Access, unit_path: str, conditions: Sequence[Condition]) -> bool:
    """Tell whether somebody sees all customers of the subtree, and all facts that conditions ask for."""
    kinds = [CUSTOMER, *([INTERACTION] if asks_interactions(conditions) else [])]
    whole = all(_sees_all(access, unit_path, kind) for kind in kinds)
    return whole and not any(access.hides(name) for name in hidden_by(conditions))


def _sees_all(access: Access, unit_path: str, kind: str) -> bool:
    """A team's grant speaks of one unit, a restriction below takes away: neither is the whole subtree."""
    grants = access.grants_for(READ, kind)
    granted = any(one.scope == ALL or (one.scope == SUBTREE and is_below(unit_path, one.unit_path)) for one in grants)
    denials = access.denials_for(READ, kind)
    return granted and not any(
        is_below(one.unit_path, unit_path) or is_below(unit_path, one.unit_path) for one in denials
    )
