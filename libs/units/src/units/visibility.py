"""The one filter: which rows a caller may see, by unit subtree and ownership; and what a unit id means here."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from chassis.access import ALL, OWN, READ, SUBTREE, Access
from chassis.database import UnitOfWork
from chassis.errors import DomainError, Kind
from chassis.ids import is_id
from chassis.prepared import Prepared
from units.tables import unit


class UnitNotKnown(DomainError):
    """News of this unit has not arrived here, or there is no such unit."""

    kind = Kind.NOT_FOUND
    reason = "UNIT_NOT_KNOWN"

    def __init__(self, unit_id: str) -> None:
        super().__init__(f"no unit {unit_id!r} is known here", metadata={"unit": unit_id})


@dataclass(frozen=True)
class Unit:
    """A unit as this service knows it."""

    id: str
    path: str
    name: str
    kind: str
    country_code: str
    area_code: str
    time_zone: str
    currency_code: str


_NAMES = ("id", "path", "name", "kind", "country_code", "area_code", "time_zone", "currency_code")
_ONE = Prepared(sa.select(*(unit.c[name] for name in _NAMES)).where(unit.c.id == sa.bindparam("unit_id")))


def get_unit(work: UnitOfWork, unit_id: str, action: str = READ) -> Unit:
    """The unit, in which the caller must be allowed `action`.

    Errors: UnitNotKnown, NotPermitted (not for reading: a unit that may not be read is not known).
    """
    if not is_id(unit_id):
        raise UnitNotKnown(unit_id)
    found = work.fetch(_ONE, {"unit_id": unit_id})
    if not found:
        raise UnitNotKnown(unit_id)
    row = found[0]
    if action == READ and not _may_read_something_in(work.access, row.path):
        raise UnitNotKnown(unit_id)
    if action != READ:
        work.access.require_in(action, row.path)
    return Unit(*row)


def _may_read_something_in(access: Access, path: str) -> bool:
    return access.allows_in(READ, path) or any(
        grant.scope == OWN or (grant.unit_path + ".").startswith(path + ".") for grant in access.grants_for(READ)
    )


def unit_ids_below(path: str) -> sa.Select[tuple[str]]:
    """The ids of a unit and all below it, as a sub-query."""
    below = unit.c.path.startswith(path + ".", autoescape=True)  # `_` is a letter of paths and a wildcard of LIKE
    return sa.select(unit.c.id).where(sa.or_(unit.c.path == path, below))


def visible(
    access: Access,
    unit_column: sa.ColumnElement[str],
    owner_column: sa.ColumnElement[str] | None = None,
    action: str = READ,
) -> sa.ColumnElement[bool]:
    """A predicate: rows of the units the caller may see, and own rows.

    It is the same for get, list, search, count and report. Without an `owner_column` a grant on own rows shows none.
    """
    if access.allows_everywhere(action):
        return sa.true()
    terms: list[sa.ColumnElement[bool]] = []
    for grant in access.grants_for(action):
        if grant.scope == SUBTREE and grant.unit_path:
            terms.append(unit_column.in_(unit_ids_below(grant.unit_path)))
        elif grant.scope == OWN and owner_column is not None and access.user_id:
            terms.append(owner_column == access.user_id)
        elif grant.scope == ALL:
            return sa.true()
    return sa.or_(*terms) if terms else sa.false()
