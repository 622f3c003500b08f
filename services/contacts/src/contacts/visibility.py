"""Which cards and interactions a caller may see: the one filter of get, list, search, count and match."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from chassis.access import OWN, READ, SUBTREE, WRITE, Access
from chassis.database import UnitOfWork
from chassis.errors import NotPermitted
from chassis.ids import is_id
from units.tables import unit
from units.visibility import Sight, Unit, UnitNotKnown, get_unit, unit_ids_below, unit_ids_under

IDS = ARRAY(UUID(as_uuid=False))


def visible_cards(access: Access, table: Any, action: str = READ) -> sa.ColumnElement[bool]:
    """Predicate: cards that a unit of the caller's subtrees knows, and own cards.

    A card is known to several units, so this is `units.visibility.visible` for an array; the GIN index answers it.
    """
    if access.allows_everywhere(action):
        return sa.true()
    parts: list[sa.ColumnElement[bool]] = []
    for grant in dict.fromkeys(access.grants_for(action)):
        if grant.scope == SUBTREE and grant.unit_path:
            parts.append(known_below(table, grant.unit_path))
        elif grant.scope == OWN and access.user_id:
            parts.append(table.c.owner_id == access.user_id)
    return sa.or_(sa.false(), *parts)


def known_below(table: Any, unit_path: str) -> sa.ColumnElement[bool]:
    """Predicate: cards that the unit at `unit_path` or one below it knows."""
    below = sa.func.array(unit_ids_below(unit_path).scalar_subquery(), type_=IDS)
    known: sa.ColumnElement[bool] = table.c.unit_ids.overlap(below)
    return known


def seen_cards(sight: Sight, table: Any) -> sa.ColumnElement[bool]:
    """The predicate of `visible_cards` for a prepared statement, with the values of `units.visibility.sight_of`."""
    if sight.everything:
        return sa.true()
    parts = [known_under(table, "seen_paths")] if sight.units else []
    return sa.or_(sa.false(), *parts, *([owned_by(table, "seen_user")] if sight.own else []))


def known_under(table: Any, name: str) -> sa.ColumnElement[bool]:
    """`known_below` for the list of paths that a prepared statement is given under this name."""
    under = sa.func.array(unit_ids_under(name).scalar_subquery(), type_=IDS)
    known: sa.ColumnElement[bool] = table.c.unit_ids.overlap(under)
    return known


def owned_by(table: Any, name: str) -> sa.ColumnElement[bool]:
    """Cards of the owner that a prepared statement is given; said so that the index, which has owned cards, fits."""
    return sa.and_(table.c.owner_id == sa.bindparam(name, type_=sa.Text), table.c.owner_id != sa.literal_column("''"))


def acting_unit(work: UnitOfWork, unit_id: str, action: str = WRITE) -> Unit:
    """The unit a caller acts for: the one named, else the caller's own.

    Whoever may only act on own records does so in the own unit. Errors: UnitNotKnown, NotPermitted.
    """
    unit_id = unit_id or work.access.unit_id
    own = any(grant.scope == OWN for grant in work.access.grants_for(action))
    if own and unit_id == work.access.unit_id:
        return get_unit(work, unit_id)
    return get_unit(work, unit_id, action)


def owner_by_default(work: UnitOfWork) -> str:
    """Who may only work on own records owns what they make; else nobody is named."""
    grants = work.access.grants_for(WRITE)
    return work.access.user_id if grants and all(one.scope == OWN for one in grants) else ""


def reading_unit(work: UnitOfWork, card_unit_id: str) -> Unit:
    """The unit by whose country and area code written telephones are read: the caller's own, else the card's home."""
    wanted = [one for one in (work.access.unit_id, card_unit_id) if is_id(one)]
    names = ("id", "path", "name", "kind", "country_code", "area_code", "time_zone", "currency_code")
    columns = [unit.c[name] for name in names]
    rows = {row.id: row for row in work.execute(sa.select(*columns).where(unit.c.id.in_(wanted)))}
    found = next((rows[one] for one in wanted if one in rows), None)
    if found is None:
        raise UnitNotKnown(card_unit_id)
    return Unit(**found._mapping)


def require_action(work: UnitOfWork, table: sa.Table, record_id: str, action: str = WRITE) -> None:
    """Errors: NotPermitted unless the caller may do `action` with this card."""
    allowed = sa.select(table.c.id).where(table.c.id == record_id, visible_cards(work.access, table, action))
    if work.execute(allowed).first() is None:
        raise NotPermitted(f"your positions do not allow to {action} this card", metadata={"record": record_id})
