"""The one filter: which rows a caller may see, by unit subtree and ownership; and what a unit id means here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

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


@dataclass(frozen=True)
class Sight:
    """What a caller may see, apart from who asks and where: statements are prepared once for each, not for each user.

    `units` says that whole subtrees are seen, `own` that own records are.
    """

    everything: bool = False
    units: bool = False
    own: bool = False


def sight_of(access: Access, action: str = READ) -> tuple[Sight, dict[str, Any]]:
    """A caller's sight, and the values that a statement made for it needs: `seen_paths`, `seen_user`."""
    if access.allows_everywhere(action):
        return Sight(everything=True), {}
    grants = access.grants_for(action)
    paths = [grant.unit_path for grant in grants if grant.scope == SUBTREE and grant.unit_path]
    own = bool(access.user_id) and any(grant.scope == OWN for grant in grants)
    return Sight(units=bool(paths), own=own), {"seen_paths": paths, "seen_user": access.user_id}


def seen_in(
    sight: Sight, unit_column: sa.ColumnElement[str], owner_column: sa.ColumnElement[str] | None = None
) -> sa.ColumnElement[bool]:
    """The predicate of `visible` for a prepared statement, which is given the values of `sight_of` when it runs."""
    if sight.everything:
        return sa.true()
    terms: list[sa.ColumnElement[bool]] = []
    if sight.units:
        terms.append(unit_column.in_(unit_ids_under("seen_paths")))
    if sight.own and owner_column is not None:
        terms.append(owner_column == sa.bindparam("seen_user", type_=owner_column.type))
    return sa.or_(*terms) if terms else sa.false()


def seen_among(
    sight: Sight, unit_column: sa.ColumnElement[str], owner_column: sa.ColumnElement[str]
) -> sa.ColumnElement[bool]:
    """`seen_in` for a statement that is planned for its values: given `seen_units`, a planner knows how many they are.

    Only then will it take an index for the few rows of a branch among those of the whole company.
    """
    if sight.everything:
        return sa.true()
    terms: list[sa.ColumnElement[bool]] = []
    if sight.units:
        terms.append(unit_column == sa.any_(sa.bindparam("seen_units", type_=ARRAY(unit.c.id.type))))
    if sight.own:
        terms.append(owner_column == sa.bindparam("seen_user", type_=owner_column.type))
    return sa.or_(sa.false(), *terms)


def units_under(work: UnitOfWork, paths: Sequence[str]) -> list[str]:
    """The ids of the units at these paths and of all below them."""
    return [row.id for row in work.fetch(_UNDER, {"paths": list(paths)})] if paths else []


def unit_ids_under(name: str) -> sa.Select[tuple[str]]:
    """`unit_ids_below` for the list of paths that a prepared statement is given under this name."""
    tops = sa.func.unnest(sa.bindparam(name, type_=ARRAY(sa.Text))).table_valued(sa.column("path", sa.Text), name=name)
    tops = tops.render_derived()
    path, top = unit.c.path, tops.c.path
    # In the order of the index, byte by byte, what begins with "hq." lies from "hq." up to "hq/", its next sign.
    below = sa.and_(path.op("~>=~")(sa.func.concat(top, ".")), path.op("~<~")(sa.func.concat(top, "/")))
    return sa.select(unit.c.id).join_from(tops, unit, sa.or_(path == top, below))


_UNDER = Prepared(unit_ids_under("paths"))
