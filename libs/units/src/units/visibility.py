"""The one filter: which rows a caller may see, by unit subtree and ownership; and what a unit id means here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.access import ALL, OWN, READ, SUBTREE, TEAM, Access, covers, is_below
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


def get_unit(work: UnitOfWork, unit_id: str, action: str = READ, records: str = "") -> Unit:
    """The unit, in which the caller must be allowed `action` on records of this kind.

    Errors: UnitNotKnown, NotPermitted (not for reading: a unit of which nothing may be read is not known).
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
        work.access.require_in(action, row.path, records)
    return Unit(*row)


def _may_read_something_in(access: Access, path: str) -> bool:
    """Of whatever kind: which records there are is said by each service's filter, not by the name of the unit."""
    grants = [grant for grant in access.grants if grant.action == READ]
    return any(grant.scope in (OWN, ALL) or covers(grant, path) or is_below(grant.unit_path, path) for grant in grants)


def unit_ids_below(path: str) -> sa.Select[tuple[str]]:
    """The ids of a unit and all below it, as a sub-query."""
    below = unit.c.path.startswith(path + ".", autoescape=True)  # `_` is a letter of paths and a wildcard of LIKE
    return sa.select(unit.c.id).where(sa.or_(unit.c.path == path, below))


def visible(
    access: Access,
    records: str,
    unit_column: sa.ColumnElement[str],
    owner_column: sa.ColumnElement[str] | None = None,
    action: str = READ,
) -> sa.ColumnElement[bool]:
    """A predicate: rows of the units the caller may see, and own rows; `records` says of what kind the rows are.

    It is the same for get, list, search, count and report. Without an `owner_column` a grant on own rows shows none.
    """
    sight, values = sight_of(access, records, action)
    return seen_in(sight, unit_column, owner_column, values)


Values = Mapping[str, Any]


@dataclass(frozen=True)
class Sight:
    """What a caller may see, apart from who asks and where: statements are prepared once for each, not for each user.

    `everything` is seen without a look at units; `all` says that no unit need be granted, `units` that whole subtrees
    are seen, `teams` units without what is below; `own` that own records are, `others` also those of colleagues who
    are away. `denied` takes away from all of these what restrictions speak of.
    """

    everything: bool = False
    all: bool = False
    units: bool = False
    teams: bool = False
    own: bool = False
    others: bool = False
    denied: bool = False

    def own_only(self) -> Sight:
        """The part of it that shows own records."""
        return Sight(own=self.own, others=self.others, denied=self.denied)


def sight_of(access: Access, records: str, action: str = READ) -> tuple[Sight, dict[str, Any]]:
    """A caller's sight of records of a kind, and the values that a statement made for it needs.

    They are `seen_paths`, `seen_teams`, `seen_user`, `seen_others` and `denied_paths`.
    """
    if access.allows_everywhere(action, records):
        return Sight(everything=True), {}
    grants = access.grants_for(action, records)
    paths = list(dict.fromkeys(one.unit_path for one in grants if one.scope == SUBTREE and one.unit_path))
    teams = list(dict.fromkeys(one.unit_path for one in grants if one.scope == TEAM and one.unit_path))
    denied = [one.unit_path for one in access.denials_for(action, records)]
    own = bool(access.user_id) and any(grant.scope == OWN for grant in grants)
    sight = Sight(
        all=any(grant.scope == ALL for grant in grants),
        units=bool(paths),
        teams=bool(teams),
        own=own,
        others=own and bool(access.stands_in_for),
        denied=bool(denied),
    )
    values = {"seen_paths": paths, "seen_user": access.user_id}
    if teams or denied or sight.others:
        values |= {"seen_teams": teams, "denied_paths": denied, "seen_others": list(access.stands_in_for)}
    return sight, values


def seen_in(
    sight: Sight,
    unit_column: sa.ColumnElement[str],
    owner_column: sa.ColumnElement[str] | None = None,
    values: Values | None = None,
) -> sa.ColumnElement[bool]:
    """The predicate of `visible` for a prepared statement, which is given the values of `sight_of` when it runs.

    With `values` they are in it already, for a statement that is made only once.
    """
    if sight.everything:
        return sa.true()
    granted: list[sa.ColumnElement[bool]] = [sa.true()] if sight.all else []
    granted += [unit_column.in_(ids) for ids in granted_unit_ids(sight, values)]
    seen = sa.or_(sa.false(), *granted, *own_in(sight, owner_column, values))
    return sa.and_(seen, *(unit_column.not_in(ids) for ids in denied_unit_ids(sight, values)))


def own_in(
    sight: Sight, owner_column: sa.ColumnElement[str] | None, values: Values | None = None
) -> list[sa.ColumnElement[bool]]:
    """The predicates any of which makes a row an own one, where the sight shows these; units are not looked at."""
    if owner_column is None or not sight.own:
        return []
    own = [owner_column == _bound("seen_user", owner_column.type, values)]
    if sight.others:
        own.append(owner_column == sa.any_(_bound("seen_others", ARRAY(owner_column.type), values)))
    return own


def granted_unit_ids(sight: Sight, values: Values | None = None) -> list[sa.Select[tuple[str]]]:
    """The ids of the units that the sight grants, by subtree and by themselves, as sub-queries."""
    found = _below("seen_paths", values) if sight.units else []
    if sight.teams:
        found.append(sa.select(unit.c.id).where(unit.c.path == sa.any_(_bound("seen_teams", ARRAY(sa.Text), values))))
    return found if not sight.all else []


def denied_unit_ids(sight: Sight, values: Values | None = None) -> list[sa.Select[tuple[str]]]:
    """The ids of the units that restrictions speak of, as sub-queries."""
    return _below("denied_paths", values) if sight.denied else []


def _below(name: str, values: Values | None) -> list[sa.Select[tuple[str]]]:
    """A planner that reads the paths knows how many units lie below; where it cannot, it is one statement for all."""
    return [unit_ids_under(name)] if values is None else [unit_ids_below(path) for path in values[name]]


def _bound(name: str, kind: Any, values: Values | None) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=kind) if values is None else sa.bindparam(name, values[name], kind, unique=True)


def seen_among(
    sight: Sight, unit_column: sa.ColumnElement[str], owner_column: sa.ColumnElement[str]
) -> sa.ColumnElement[bool]:
    """`seen_in` for a statement that is planned for its values: given `seen_units`, a planner knows how many they are.

    Only then will it take an index for the few rows of a branch among those of the whole company.
    """
    if sight.everything:
        return sa.true()
    by_units = sight.units or sight.teams or sight.all
    terms = [unit_column == sa.any_(sa.bindparam("seen_units", type_=ARRAY(unit.c.id.type)))] if by_units else []
    seen = sa.or_(sa.false(), *terms, *own_in(sight, owner_column))
    return sa.and_(seen, *(unit_column.not_in(ids) for ids in denied_unit_ids(sight)))


def units_seen(work: UnitOfWork, sight: Sight, values: Mapping[str, Any]) -> list[str]:
    """The ids of the units whose records a sight shows: `seen_units` for `seen_among`."""
    if sight.everything or not (sight.units or sight.teams or sight.all):
        return []
    return [row.id for row in work.fetch(_units_seen(sight), values)]


@lru_cache(maxsize=64)
def _units_seen(sight: Sight) -> Prepared:
    return Prepared(sa.select(unit.c.id).where(seen_in(sight, unit.c.id)))


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
