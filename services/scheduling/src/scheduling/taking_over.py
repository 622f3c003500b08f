"""What a unit took over from one that was split: the open activities of those who went; what is done stays there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from chassis.projection import Delivered
from scheduling.events import tell_updated
from scheduling.planning import touch
from scheduling.queries import get_activities
from scheduling.records import OPEN, UPDATED
from scheduling.storing import keep_history, update_activities
from scheduling.tables import activity
from units.visibility import get_unit


def take_over_activities(work: UnitOfWork, deliveries: Sequence[Delivered]) -> None:
    """Handler of UnitUserMoved. A user has some thousand open activities at most, so that one transaction holds them.

    Errors: UnitNotKnown while news of the unit is on its way; the event is tried again then.
    """
    for delivery in deliveries:
        _take_over(work, delivery.message)


def _take_over(work: UnitOfWork, told: Any) -> None:
    into = get_unit(work, told.unit_id)
    c = activity.c
    theirs = sa.and_(c.owner_id == told.user_id, c.unit_id == told.from_unit_id, c.state == OPEN)
    found = list(work.execute(sa.select(c.id).where(theirs)).scalars())
    known = [one for one in get_activities(work, found, lock=True) if one.facts.unit_id == told.from_unit_id]
    taken = [touch(one, work, facts=replace(one.facts, unit_id=into.id)) for one in known if one.state == OPEN]
    if not taken:
        return
    update_activities(work, taken)
    keep_history(work, taken, UPDATED, "", ["unit_id"])
    for one in taken:
        tell_updated(work, one, into.path, ["unit_id"])
