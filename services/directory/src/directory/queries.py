"""Reads of the directory: units and users as the caller may see them, in pages, and what belongs to users."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from chassis.ids import is_id
from directory import rules
from directory.errors import UnitAmbiguous, UnitNotFound
from directory.tables import alias, position, unit, user
from directory.visibility import below, holds_position_in, visible_units, visible_users
from values.names import fold_name

# The password hash stays where passwords are checked.
USER_COLUMNS = tuple(column for column in user.c if column.name != "password_hash")
MAX_SHOWN = 5


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


def list_users(work: UnitOfWork, inside: str | None, after: tuple[str, str], limit: int) -> Sequence[Any]:
    """Visible users by name key and id; those with a position in the subtree at path `inside` where given."""
    statement = sa.select(*USER_COLUMNS).where(visible_users(work.access))
    if inside is not None:
        statement = statement.where(holds_position_in(inside))
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
    statement = (
        sa.select(position, unit.c.path, unit.c.time_zone)
        .join(unit, unit.c.id == position.c.unit_id)
        .where(position.c.user_id == sa.func.any(sa.cast(list(user_ids), sa.ARRAY(position.c.id.type))))
        .order_by(sa.nulls_first(position.c.start_date), position.c.id)
    )
    found: dict[str, list[Any]] = {user_id: [] for user_id in user_ids}
    for row in work.execute(statement):
        found[row.user_id].append(row)
    return found


def places_of(rows: Sequence[Any]) -> list[rules.Place]:
    """Position rows of `positions_of` as rules see them."""
    return [rules.Place(row.role, row.unit_id, row.path, row.time_zone, row.start_date, row.end_date) for row in rows]


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
