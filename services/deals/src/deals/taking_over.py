"""What a unit took over from one that was split: the open deals of those who went; what is closed stays there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import sqlalchemy as sa

from chassis.database import UnitOfWork
from deals.events import tell_updated
from deals.queries import lock_deals
from deals.records import OPEN
from deals.storing import update_deals
from deals.tables import deal
from units.visibility import get_unit


class Delivered(Protocol):
    """What the handler needs to know of a delivered event."""

    @property
    def message(self) -> Any: ...


def take_over_deals(work: UnitOfWork, deliveries: Sequence[Delivered]) -> None:
    """Handler of UnitUserMoved. A user has some thousand open deals at most, so that one transaction holds them.

    Errors: UnitNotKnown while news of the unit is on its way; the event is tried again then.
    """
    for delivery in deliveries:
        _take_over(work, delivery.message)


def _take_over(work: UnitOfWork, told: Any) -> None:
    into = get_unit(work, told.unit_id)
    theirs = sa.and_(deal.c.owner_id == told.user_id, deal.c.unit_id == told.from_unit_id, deal.c.status == OPEN)
    found = list(work.execute(sa.select(deal.c.id).where(theirs)).scalars())
    locked = [one for one, _ in lock_deals(work, found).values() if one.facts.unit_id == told.from_unit_id]
    taken = [
        replace(
            one, version=one.version + 1, facts=replace(one.facts, unit_id=into.id), update_time=work.now, run_id=""
        )
        for one in locked
    ]
    update_deals(work, taken)
    for one in taken:
        tell_updated(work, one, into.path, ["unit_id"], one.version)
