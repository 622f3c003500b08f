"""Which units and users a caller may see: the one filter of every read of the directory."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from chassis.access import ALL, READ, SUBTREE, TEAM, Access, Grant
from directory.tables import position, unit, user
from units.records import STAFF


def below(path: str) -> sa.ColumnElement[bool]:
    """Predicate: the unit at `path` and all units below it."""
    return sa.or_(unit.c.path == path, unit.c.path.like(path.replace("_", r"\_") + ".%", escape="\\"))


def visible_units(access: Access) -> sa.ColumnElement[bool]:
    """Predicate: units in which the caller may read something, and those above them, so that a path can be read."""
    grants = [grant for grant in access.grants if grant.action == READ]
    if any(grant.scope == ALL for grant in grants):
        return sa.true()
    paths = {grant.unit_path for grant in grants if grant.scope == SUBTREE and grant.unit_path}
    teams = {grant.unit_path for grant in grants if grant.scope == TEAM and grant.unit_path}
    above = {path.rsplit(".", depth)[0] for path in paths | teams for depth in range(1, path.count(".") + 1)}
    return sa.or_(sa.false(), *(below(path) for path in sorted(paths)), unit.c.path.in_(sorted(above | teams)))


def visible_users(access: Access) -> sa.ColumnElement[bool]:
    """Predicate: the caller, and users with a position, past or present, in units whose staff the caller may read.

    A restriction hides those who never were anywhere else.
    """
    if access.allows_everywhere(READ, STAFF):
        return sa.true()
    own = user.c.id == access.user_id if access.user_id else sa.false()
    grants = access.grants_for(READ, STAFF)
    seen: list[sa.ColumnElement[bool]] = [sa.true()] if any(one.scope == ALL for one in grants) else []
    seen += [below(path) for path in _paths(grants, SUBTREE)]
    seen += [unit.c.path == path for path in _paths(grants, TEAM)]
    denied = [sa.not_(below(one.unit_path)) for one in access.denials_for(READ, STAFF)]
    return sa.or_(own, _holds_position_where(sa.or_(sa.false(), *seen), *denied) if seen else sa.false())


def holds_position_in(path: str) -> sa.ColumnElement[bool]:
    """Predicate: users with a position, past or present, in the unit at `path` or below."""
    return _holds_position_where(below(path))


def _holds_position_where(*units: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    held = sa.select(position.c.user_id).join(unit, unit.c.id == position.c.unit_id).where(*units)
    return user.c.id.in_(held)


def _paths(grants: Iterable[Grant], scope: str) -> list[str]:
    return sorted({grant.unit_path for grant in grants if grant.scope == scope and grant.unit_path})
