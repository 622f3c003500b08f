"""Which units and users a caller may see: the one filter of every read of the directory."""

from __future__ import annotations

import sqlalchemy as sa

from chassis.access import READ, SUBTREE, Access
from directory.tables import position, unit, user


def below(path: str) -> sa.ColumnElement[bool]:
    """Predicate: the unit at `path` and all units below it."""
    return sa.or_(unit.c.path == path, unit.c.path.like(path.replace("_", r"\_") + ".%", escape="\\"))


def visible_units(access: Access) -> sa.ColumnElement[bool]:
    """Predicate: units in the caller's subtrees, and the units above them, so that a path can be read."""
    if access.allows_everywhere(READ):
        return sa.true()
    paths = _readable_paths(access)
    above = {path.rsplit(".", depth)[0] for path in paths for depth in range(1, path.count(".") + 1)}
    return sa.or_(sa.false(), *(below(path) for path in paths), unit.c.path.in_(sorted(above)))


def visible_users(access: Access) -> sa.ColumnElement[bool]:
    """Predicate: the caller, and users with a position, past or present, in the caller's subtrees."""
    if access.allows_everywhere(READ):
        return sa.true()
    own = user.c.id == access.user_id if access.user_id else sa.false()
    return sa.or_(own, *(holds_position_in(path) for path in _readable_paths(access)))


def holds_position_in(path: str) -> sa.ColumnElement[bool]:
    """Predicate: users with a position, past or present, in the unit at `path` or below."""
    held = sa.select(position.c.user_id).join(unit, unit.c.id == position.c.unit_id).where(below(path))
    return user.c.id.in_(held)


def _readable_paths(access: Access) -> list[str]:
    return sorted({grant.unit_path for grant in access.grants_for(READ) if grant.scope == SUBTREE and grant.unit_path})
