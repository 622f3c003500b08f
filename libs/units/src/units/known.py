"""The one filter for records that several units know at once: `units.visibility.seen_in` for an array of units."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from chassis.access import READ, Access
from units.visibility import Sight, Values, denied_unit_ids, granted_unit_ids, own_in, sight_of

IDS = ARRAY(UUID(as_uuid=False))


def visible_known(
    access: Access, records: str, units_column: Any, owner_column: sa.ColumnElement[str], action: str = READ
) -> sa.ColumnElement[bool]:
    """A predicate: records that a unit of the caller's knows, and own ones."""
    sight, values = sight_of(access, records, action)
    return seen_known(sight, units_column, owner_column, values)


def seen_known(
    sight: Sight, units_column: Any, owner_column: sa.ColumnElement[str], values: Values | None = None
) -> sa.ColumnElement[bool]:
    """The predicate of `visible_known` for a prepared statement, with the values of `units.visibility.sight_of`.

    A restricted unit takes its knowledge away, not that of other units: what also these know is seen through them.
    """
    if sight.everything:
        return sa.true()
    own, denied = own_known(sight, owner_column, values), denied_unit_ids(sight, values)
    if not denied:
        granted = [units_column.overlap(_array(ids)) for ids in granted_unit_ids(sight, values)]
        return sa.or_(sa.false(), *([sa.true()] if sight.all else granted), *own)
    taken = sa.union_all(*denied)
    elsewhere = sa.not_(units_column.contained_by(_array(taken)))
    granted = [units_column.overlap(_array(ids.except_(taken))) for ids in granted_unit_ids(sight, values)]
    return sa.or_(sa.false(), *([elsewhere] if sight.all else granted), *(sa.and_(one, elsewhere) for one in own))


def own_known(
    sight: Sight, owner_column: sa.ColumnElement[str], values: Values | None = None
) -> list[sa.ColumnElement[bool]]:
    """`own_in`, said so that an index of the owned ones alone fits where nobody is an empty text."""
    own = own_in(sight, owner_column, values)
    if not isinstance(owner_column.type, sa.Text):
        return own
    return [sa.and_(one, owner_column != sa.literal_column("''")) for one in own]


def _array(ids: Any) -> sa.ColumnElement[Any]:
    return sa.func.array(ids.scalar_subquery(), type_=IDS)
