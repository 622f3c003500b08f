"""Which cards and interactions a caller may see: the one filter of get, list, search, count and match."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from chassis.access import CHANGE, CREATE, OWN, READ, Access, missing_grant
from chassis.database import UnitOfWork
from chassis.errors import NotPermitted
from chassis.ids import is_id
from units.known import IDS, seen_known, visible_known
from units.records import CUSTOMER
from units.tables import unit
from units.visibility import Sight, Unit, UnitNotKnown, get_unit, seen_in, unit_ids_below, unit_ids_under

FEW = 50  # units whose cards the index finds faster than all cards are looked through


def visible_cards(access: Access, table: Any, action: str = READ) -> sa.ColumnElement[bool]:
    """Predicate: cards that a unit of the caller's subtrees knows, and own cards.

    A card is known to several units, so this is `units.visibility.visible` for an array; the GIN index answers it.
    """
    return visible_known(access, CUSTOMER, table.c.unit_ids, table.c.owner_id, action)


def known_below(table: Any, unit_path: str) -> sa.ColumnElement[bool]:
    """Predicate: cards that the unit at `unit_path` or one below it knows."""
    below = sa.func.array(unit_ids_below(unit_path).scalar_subquery(), type_=IDS)
    known: sa.ColumnElement[bool] = table.c.unit_ids.overlap(below)
    return known


def seen_cards(sight: Sight, table: Any) -> sa.ColumnElement[bool]:
    """The predicate of `visible_cards` for a prepared statement, with the values of `units.visibility.sight_of`."""
    return seen_known(sight, table.c.unit_ids, table.c.owner_id)


def sees_many(unit_ids: Sequence[str]) -> bool:
    """Tell whether somebody sees so many units that cards are looked through faster than by the index of units."""
    return len(unit_ids) > FEW


def seen_by_many(sight: Sight, table: Any) -> sa.ColumnElement[bool]:
    """`seen_cards` for who sees many units: one look into a hash for a card that one unit knows, as most are.

    Arrays are compared unit by unit, a thousand times a card; no index helps where nearly all cards are seen.
    """
    home = seen_in(sight, table.c.unit_id)
    elsewhere = sa.and_(sa.func.cardinality(table.c.unit_ids) > 1, seen_cards(sight, table))
    return sa.or_(home, elsewhere, *([seen_cards(sight.own_only(), table)] if sight.own else []))


def known_under(table: Any, name: str) -> sa.ColumnElement[bool]:
    """`known_below` for the list of paths that a prepared statement is given under this name."""
    under = sa.func.array(unit_ids_under(name).scalar_subquery(), type_=IDS)
    known: sa.ColumnElement[bool] = table.c.unit_ids.overlap(under)
    return known


def owned_by(table: Any, name: str) -> sa.ColumnElement[bool]:
    """Cards of the owner that a prepared statement is given; said so that the index, which has owned cards, fits."""
    return sa.and_(table.c.owner_id == sa.bindparam(name, type_=sa.Text), table.c.owner_id != sa.literal_column("''"))


def acting_unit(work: UnitOfWork, unit_id: str, action: str = CREATE, records: str = CUSTOMER) -> Unit:
    """The unit a caller acts for: the one named, else the caller's own.

    Whoever may only act on own records does so in the own unit. Errors: UnitNotKnown, NotPermitted.
    """
    access, unit_id = work.access, unit_id or work.access.unit_id
    own = any(grant.scope == OWN for grant in access.grants_for(action, records))
    if own and unit_id == access.unit_id:
        found = get_unit(work, unit_id)
        if access.is_denied(action, found.path, records):
            raise missing_grant(action, records, found.path)
        return found
    return get_unit(work, unit_id, action, records)


def owner_by_default(work: UnitOfWork) -> str:
    """Who may only work on own records owns what they make; else nobody is named."""
    grants = work.access.grants_for(CREATE, CUSTOMER)
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


def require_action(work: UnitOfWork, table: sa.Table, record_id: str, action: str = CHANGE) -> None:
    """Errors: NotPermitted unless the caller may do `action` with this card."""
    allowed = sa.select(table.c.id).where(table.c.id == record_id, visible_cards(work.access, table, action))
    if work.execute(allowed).first() is None:
        raise NotPermitted(
            f"your positions do not allow to {action} this card",
            metadata={"action": action, "records": CUSTOMER, "record": record_id},
        )
