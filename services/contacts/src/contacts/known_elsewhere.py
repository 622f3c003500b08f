"""A customer who is known where the caller may not look: that is said, with the unit to ask, and nothing more."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from chassis.access import READ
from chassis.database import UnitOfWork
from contacts.cards import AnyCard
from contacts.deciding import CREATED, REFUSED, Joined
from contacts.errors import KnownElsewhere
from contacts.queries import ids
from contacts.storing import type_of
from units.records import CUSTOMER
from units.tables import unit


def require_no_hidden(work: UnitOfWork, joined: Joined, unit_id: str) -> None:
    """Errors: KnownElsewhere where an entry was joined to a card that the caller could not see before."""
    card = joined.card
    if card is None or joined.fate in (CREATED, REFUSED):
        return
    unit_ids = [one for one in card.unit_ids if one != unit_id or "unit_ids" not in joined.changed]
    owner_id = "" if "owner_id" in joined.changed else card.owner_id
    if not sees(work, unit_ids, owner_id):
        raise known_elsewhere(work, card)


def sees(work: UnitOfWork, unit_ids: Collection[str], owner_id: str) -> bool:
    """Whether the caller may read a card that these units know: `contacts.visibility` for a card in hand."""
    access = work.access
    if access.allows_everywhere(READ, CUSTOMER):
        return True
    paths = work.execute(sa.select(unit.c.path).where(unit.c.id == sa.any_(ids(unit_ids)))).scalars()
    return any(access.allows(READ, path, owner_id, CUSTOMER) for path in paths)


def known_elsewhere(work: UnitOfWork, card: AnyCard) -> KnownElsewhere:
    """The refusal that names the unit the card is at home in."""
    home = work.execute(sa.select(unit.c.name).where(unit.c.id == card.unit_id)).scalar()
    return KnownElsewhere(type_of(card), card.unit_id, home or "")
