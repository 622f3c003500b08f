"""What a unit took over from one that was split: the customers of those who went, each seen there from now on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import sqlalchemy as sa

from chassis.database import UnitOfWork
from contacts.queries import load_cards
from contacts.storing import update_cards
from contacts.tables import organization, person
from units.visibility import Unit, get_unit


class Delivered(Protocol):
    """What the handler needs to know of a delivered event."""

    @property
    def message(self) -> Any: ...


def take_over_customers(work: UnitOfWork, deliveries: Sequence[Delivered]) -> None:
    """Handler of UnitUserMoved. A user has some thousand customers at most, so that one transaction holds them.

    Errors: UnitNotKnown while news of the unit is on its way; the event is tried again then.
    """
    for delivery in deliveries:
        into = get_unit(work, delivery.message.unit_id)
        for table in (person, organization):
            _take_over(work, table, delivery.message, into)


def _take_over(work: UnitOfWork, table: sa.Table, told: Any, into: Unit) -> None:
    theirs = sa.and_(table.c.owner_id == told.user_id, table.c.unit_id == told.from_unit_id)
    found = list(work.execute(sa.select(table.c.id).where(theirs).order_by(table.c.id)).scalars())
    cards = [one for one in load_cards(work, table, found).values() if one.unit_id == told.from_unit_id]
    for card in cards:
        card.unit_ids = sorted({*card.unit_ids, into.id} - {told.from_unit_id})
        card.unit_id, card.unit_path = into.id, into.path
    if cards:
        mine = table.c.id.in_([card.id for card in cards])
        work.execute(sa.update(table).where(mine).values(unit_id=into.id))
    update_cards(work, [(card, ["unit_id", "unit_ids"]) for card in cards])
