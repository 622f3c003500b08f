"""Who may do something with a record, and why: every rule that allows it, read back from positions and roles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from chassis.access import ALL, AUDIT, COVERED_BY, OWN, SUBTREE, TEAM, Access, Denial, Grant
from chassis.database import UnitOfWork
from chassis.ids import is_id
from directory import rights, rules
from directory.employment import is_gone
from directory.errors import UnitNotFound
from directory.queries import USER_COLUMNS
from directory.roles import check_action, check_records
from directory.tables import permission, position, restriction, role, unit, user
from directory.visibility import visible_units

MOST_UNITS = 100


@dataclass(frozen=True)
class Record:
    """A record as rights see it: what is asked of it, which units know it, whose it is."""

    action: str
    records: str
    unit_ids: tuple[str, ...]
    owner_id: str = ""


@dataclass
class Holder:
    """A user who may do it, by which rules."""

    user_id: str
    display_name: str
    name_key: str
    reasons: list[Any] = field(default_factory=list)


def explain_access(work: UnitOfWork, asked: Record, after: tuple[str, str], limit: int) -> list[Holder]:
    """The users who may do it now, by name, after the name key and id of the last one.

    Errors: UnitNotFound, FieldInvalid, NotPermitted for who may not audit in all of the units.
    """
    check_action("action", asked.action)
    check_records(work, "records", asked.records, asked.action)
    paths = _paths(work, asked.unit_ids)
    for path in paths.values():
        work.access.require_in(AUDIT, path, asked.records)
    merged = _units_they_joined(work, paths)
    rules_by_user = _in_force(work, _rules(work, asked, set(paths.values()), list(merged)))
    denials = _denials(work, rules_by_user)
    found = []
    for user_id, reasons in rules_by_user.items():
        kept = [one for one in reasons if _allows(one, denials[user_id], asked, paths.values(), merged)]
        if kept:
            found.append(Holder(user_id, kept[0].display_name, kept[0].name_key, kept))
    found.sort(key=lambda one: (one.name_key, one.user_id))
    return [one for one in found if (one.name_key, one.user_id) > after][:limit]


def _paths(work: UnitOfWork, unit_ids: Sequence[str]) -> dict[str, str]:
    if not 1 <= len(unit_ids) <= MOST_UNITS:
        raise rules.invalid("unit_ids", f"has {len(unit_ids)} ids; give 1 to {MOST_UNITS}")
    wanted = [one for one in unit_ids if is_id(one)]
    known = sa.select(unit.c.id, unit.c.path).where(unit.c.id.in_(wanted), visible_units(work.access))
    paths = {row.id: row.path for row in work.execute(known)}
    for one in unit_ids:
        if one not in paths:
            raise UnitNotFound(one)
    return paths


def _units_they_joined(work: UnitOfWork, paths: Mapping[str, str]) -> dict[str, list[str]]:
    """The units that these became part of, however often, with the paths of those that did."""
    into = unit.alias("into")
    start = sa.select(unit.c.path, unit.c.merged_into_id.label("into_id")).where(unit.c.id.in_(list(paths)))
    walk = start.where(unit.c.merged_into_id.is_not(None)).cte("walk", recursive=True)
    further = sa.select(walk.c.path, into.c.merged_into_id).join(into, into.c.id == walk.c.into_id)
    found: dict[str, list[str]] = defaultdict(list)
    for row in work.execute(sa.select(walk.union_all(further.where(into.c.merged_into_id.is_not(None))))):
        found[row.into_id].append(row.path)
    return dict(found)


def _seats_left_by(work: UnitOfWork, owner_id: str) -> list[str]:
    """The seats of an owner who is gone: what was the owner's counts as that of who holds them now."""
    if not is_id(owner_id):
        return []
    held = sa.select(position.c.seat_id).join(user, user.c.id == position.c.user_id)
    found = held.where(position.c.user_id == owner_id, position.c.seat_id.is_not(None), is_gone(work.now))
    return list(work.execute(found).scalars())


def _rules(work: UnitOfWork, asked: Record, paths: Collection[str], joined: Collection[str]) -> Sequence[Any]:
    """Every position with a permission that reaches the record, whether it is in force or not."""
    above = {path.rsplit(".", depth)[0] for path in paths for depth in range(path.count(".") + 1)}
    absent = position.alias("absent")
    owned: sa.ColumnElement[bool] = sa.false()
    left = position.c.seat_id.in_(_seats_left_by(work, asked.owner_id))
    if is_id(asked.owner_id):
        owned = sa.or_(position.c.user_id == asked.owner_id, absent.c.user_id == asked.owner_id, left)
    p = permission.c
    reaches = sa.or_(
        p.scope == ALL,
        sa.and_(p.scope == SUBTREE, unit.c.path.in_(sorted(above))),
        sa.and_(p.scope == TEAM, sa.or_(unit.c.path.in_(sorted(paths)), unit.c.id.in_(list(joined)))),
        sa.and_(p.scope == OWN, owned),
    )
    statement = (
        sa.select(
            *USER_COLUMNS, position.c.id.label("position_id"), position.c.start_date, position.c.end_date,
            absent.c.user_id.label("absent_id"), left.label("follows_owner"),
            unit.c.id.label("unit_id"), unit.c.path, unit.c.time_zone,
            role.c.code, role.c.id.label("role_id"), p.action, p.scope,
        )
        .join_from(position, user, user.c.id == position.c.user_id)
        .join(unit, unit.c.id == position.c.unit_id)
        .join(role, role.c.code == position.c.role)
        .join(permission, p.role_id == role.c.id)
        .outerjoin(absent, absent.c.id == position.c.substitutes_id)
        .where(
            p.action.in_(sorted({asked.action, COVERED_BY.get(asked.action, asked.action)})),
            p.records.in_(sorted({"", asked.records})),
            sa.not_(is_gone(work.now)),
            reaches,
        )
        .order_by(user.c.name_key, user.c.id, position.c.id, p.scope.desc(), p.action)
    )  # fmt: skip
    return work.execute(statement).all()


def _in_force(work: UnitOfWork, rows: Sequence[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        if rights.is_in_force(row.start_date, row.end_date, row.time_zone, work.now):
            found[row.id].append(row)
    return dict(found)


def _denials(work: UnitOfWork, by_user: dict[str, list[Any]]) -> dict[str, tuple[Denial, ...]]:
    """The restrictions in force of each of these users: their own, and those of every role they hold now."""
    held = _roles_held(work, list(by_user))
    statement = sa.select(restriction, unit.c.path, unit.c.time_zone).join(unit, unit.c.id == restriction.c.unit_id)
    found: dict[str, list[rights.Restriction]] = {user_id: [] for user_id in by_user}
    for row in work.execute(statement):
        one = rights.Restriction(row.path, row.action, row.records, row.time_zone, row.start_date, row.end_date)
        for user_id in [row.user_id] if row.user_id else [each for each in by_user if row.role_id in held[each]]:
            if user_id in found:
                found[user_id].append(one)
    return {user_id: rights.denials_of(those, work.now) for user_id, those in found.items()}


def _roles_held(work: UnitOfWork, user_ids: Sequence[str]) -> dict[str, set[str]]:
    statement = (
        sa.select(position.c.user_id, position.c.start_date, position.c.end_date, unit.c.time_zone, role.c.id)
        .join(unit, unit.c.id == position.c.unit_id)
        .join(role, role.c.code == position.c.role)
        .where(position.c.user_id == sa.any_(sa.cast(list(user_ids), sa.ARRAY(position.c.user_id.type))))
    )
    held: dict[str, set[str]] = {user_id: set() for user_id in user_ids}
    for row in work.execute(statement):
        if rights.is_in_force(row.start_date, row.end_date, row.time_zone, work.now):
            held[row.user_id].add(row.id)
    return held


def _allows(
    rule: Any, denials: tuple[Denial, ...], asked: Record, paths: Collection[str], joined: Mapping[str, list[str]]
) -> bool:
    """Tell whether a rule still reaches the record through one of its units when restrictions are taken away.

    The access object decides it, as it does in every service: nothing is decided a second way here.
    """
    places = [rule.path if rule.scope in (SUBTREE, TEAM) else ""]
    places += joined.get(rule.unit_id, []) if rule.scope == TEAM else []
    grants = tuple(Grant(rule.action, rule.scope, place) for place in places)
    owners = (rule.absent_id or "", asked.owner_id if rule.follows_owner else "")
    alone = Access(rule.id, grants=grants, denials=denials, stands_in_for=owners)
    return any(alone.allows(asked.action, path, asked.owner_id, asked.records) for path in paths)
