"""Reads of the directory: units and users as the caller may see them, in pages, and what belongs to users."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from chassis.access import TEAM
from chassis.database import UnitOfWork
from chassis.ids import is_id
from directory.errors import UnitAmbiguous, UnitNotFound
from directory.rights import Permission, Place, Restriction
from directory.tables import alias, permission, position, restriction, role, unit, unit_history, user
from directory.visibility import below, holds_position_in, visible_units, visible_users
from values.names import fold_name

# The password hash stays where passwords are checked.
USER_COLUMNS = tuple(column for column in user.c if column.name != "password_hash")
MAX_SHOWN = 5


def day_in_unit(moment: datetime) -> sa.ColumnElement[date]:
    """The day that the unit of a row has at a moment; for statements that read `unit`."""
    return sa.cast(sa.func.timezone(unit.c.time_zone, sa.literal(moment)), sa.Date)


def resolve_unit(work: UnitOfWork, text: str) -> Any:
    """The visible unit a text means: its id or path, else a code, else a name, unique among those the caller may see.

    Errors: UnitNotFound, UnitAmbiguous.
    """
    if not text or "\0" in text:
        raise UnitNotFound(text.replace("\0", ""))
    key = fold_name(text)
    rank: sa.ColumnElement[int] = sa.case((unit.c.path == text, 1), (unit.c.code == text, 2), else_=3)
    terms: list[sa.ColumnElement[bool]] = [unit.c.path == text, unit.c.code == text]
    if is_id(text):
        rank, terms = sa.literal(1), [unit.c.id == text]
    elif key:
        terms.append(unit.c.name_key == key)
    statement = sa.select(unit, rank.label("rank")).where(visible_units(work.access), sa.or_(*terms))
    rows = work.execute(statement.order_by("rank", unit.c.path)).all()
    best = [row for row in rows if row.rank == rows[0].rank]
    if not best:
        raise UnitNotFound(text)
    if len(best) > 1:
        raise UnitAmbiguous(text, [row.path for row in best[:MAX_SHOWN]])
    return best[0]


def list_units(work: UnitOfWork, inside: str | None, after: str, limit: int) -> Sequence[Any]:
    """Visible units by path, so parents come before children; of the subtree at path `inside` where given."""
    statement = sa.select(unit).where(visible_units(work.access), unit.c.path > after)
    if inside is not None:
        statement = statement.where(below(inside))
    return work.execute(statement.order_by(unit.c.path).limit(limit)).all()


def list_units_as_of(work: UnitOfWork, day: date, inside: str | None, after: str, limit: int) -> Sequence[Any]:
    """The units there were at the end of a day, by the paths of then; their place of now decides who sees them."""
    h = unit_history.c
    end = sa.func.timezone(unit.c.time_zone, sa.cast(sa.literal(day) + 1, sa.TIMESTAMP))
    names = ("parent_id", "kind", "code", "name", "path", "merged_into_id")
    then = (
        sa.select(*(column for column in unit.c if column.name not in names), *(h[name] for name in names))
        .ext(distinct_on(h.unit_id))
        .join_from(unit, unit_history, h.unit_id == unit.c.id)
        .where(visible_units(work.access), h.change_time < end)
        .where(sa.or_(unit.c.start_date.is_(None), unit.c.start_date <= day))
        .order_by(h.unit_id, h.version.desc())
    )
    if inside is not None:
        then = then.where(below(inside))
    tree = then.subquery()
    return work.execute(sa.select(tree).where(tree.c.path > after).order_by(tree.c.path).limit(limit)).all()


def list_users(
    work: UnitOfWork, inside: str | None, after: tuple[str, str], limit: int, query: str = "", active_only: bool = False
) -> Sequence[Any]:
    """Visible users by name key and id; those with a position in the subtree at path `inside` where given.

    Of whose name each word of `query` begins a word; a directory is small enough to look at every name.
    """
    statement = sa.select(*USER_COLUMNS).where(visible_users(work.access))
    if inside is not None:
        statement = statement.where(holds_position_in(inside))
    if active_only:
        statement = statement.where(user.c.active)
    for word in fold_name(query).split():
        statement = statement.where(sa.func.strpos(sa.literal(" ") + user.c.name_key, f" {word}") > 0)
    if after != ("", ""):
        last = sa.tuple_(sa.literal(after[0]), sa.literal(after[1], user.c.id.type))
        statement = statement.where(sa.tuple_(user.c.name_key, user.c.id) > last)
    return work.execute(statement.order_by(user.c.name_key, user.c.id).limit(limit)).all()


def read_users(work: UnitOfWork, user_ids: Sequence[str]) -> Sequence[Any]:
    """The visible ones of these users."""
    wanted = user.c.id == sa.func.any(sa.cast(list(user_ids), sa.ARRAY(user.c.id.type)))
    return work.execute(sa.select(*USER_COLUMNS).where(wanted, visible_users(work.access))).all()


def positions_of(work: UnitOfWork, user_ids: Sequence[str]) -> dict[str, list[Any]]:
    """The positions of users, oldest first, each with path and zone of its unit."""
    absent = position.alias("absent")
    statement = (
        sa.select(position, unit.c.path, unit.c.time_zone, absent.c.user_id.label("absent_id"))
        .join(unit, unit.c.id == position.c.unit_id)
        .outerjoin(absent, absent.c.id == position.c.substitutes_id)
        .where(position.c.user_id == sa.func.any(sa.cast(list(user_ids), sa.ARRAY(position.c.id.type))))
        .order_by(sa.nulls_first(position.c.start_date), position.c.id)
    )
    found: dict[str, list[Any]] = {user_id: [] for user_id in user_ids}
    for row in work.execute(statement):
        found[row.user_id].append(row)
    return found


def places_of(rows: Sequence[Any], allowed: Mapping[str, tuple[Permission, ...]] | None = None) -> list[Place]:
    """Position rows of `positions_of` as rights see them; `allowed` has what the roles allow, where it is asked."""
    return [
        Place(
            role=row.role,
            unit_id=row.unit_id,
            unit_path=row.path,
            time_zone=row.time_zone,
            start_date=row.start_date,
            end_date=row.end_date,
            permissions=(allowed or {}).get(row.role, ()),
            stands_in_for=row.absent_id or "",
        )
        for row in rows
    ]


def merged_places_of(work: UnitOfWork, places: Sequence[Place]) -> list[Place]:
    """The same places in the units that became part of theirs, for what a role allows in the unit alone.

    What it allows below reaches them anyway, since they lie below.
    """
    teams = [one for one in places if any(each.scope == TEAM for each in one.permissions)]
    if not teams:
        return []
    tree = sa.select(unit.c.id, unit.c.path, unit.c.merged_into_id.label("into_id")).where(
        unit.c.merged_into_id.in_([one.unit_id for one in teams])
    )
    walk = tree.cte("walk", recursive=True)
    deeper = sa.select(unit.c.id, unit.c.path, walk.c.into_id).join(walk, unit.c.merged_into_id == walk.c.id)
    whole = walk.union_all(deeper)
    found = work.execute(sa.select(whole)).all()
    return [
        replace(
            one,
            unit_id=row.id,
            unit_path=row.path,
            permissions=tuple(each for each in one.permissions if each.scope == TEAM),
        )
        for row in found
        for one in teams
        if one.unit_id == row.into_id
    ]


def permissions_of(work: UnitOfWork, codes: Collection[str]) -> dict[str, tuple[Permission, ...]]:
    """What roles allow, by their codes."""
    statement = (
        sa.select(role.c.code, permission.c.action, permission.c.scope, permission.c.records)
        .join(permission, permission.c.role_id == role.c.id)
        .where(role.c.code.in_(codes))
        .order_by(role.c.code, permission.c.scope.desc(), permission.c.action)
    )
    found: dict[str, list[Permission]] = defaultdict(list)
    for row in work.execute(statement):
        found[row.code].append(Permission(row.action, row.scope, row.records))
    return {code: tuple(those) for code, those in found.items()}


def restrictions_of(work: UnitOfWork, user_id: str, codes: Collection[str]) -> list[Restriction]:
    """The restrictions that speak of a user or of roles."""
    of_role = restriction.c.role_id.in_(sa.select(role.c.id).where(role.c.code.in_(codes)))
    statement = (
        sa.select(restriction, unit.c.path, unit.c.time_zone)
        .join(unit, unit.c.id == restriction.c.unit_id)
        .where(sa.or_(restriction.c.user_id == user_id, of_role))
        .order_by(restriction.c.id)
    )
    return [
        Restriction(row.path, row.action, row.records, row.time_zone, row.start_date, row.end_date)
        for row in work.execute(statement)
    ]


def aliases_of(work: UnitOfWork, user_ids: Sequence[str]) -> dict[str, list[str]]:
    """The other spellings of users, in order."""
    statement = (
        sa.select(alias.c.user_id, alias.c.text)
        .where(alias.c.user_id == sa.func.any(sa.cast(list(user_ids), sa.ARRAY(alias.c.user_id.type))))
        .order_by(alias.c.text)
    )
    found: dict[str, list[str]] = {user_id: [] for user_id in user_ids}
    for row in work.execute(statement):
        found[row.user_id].append(row.text)
    return found
