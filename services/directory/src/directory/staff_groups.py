"""Groups of people that another system keeps: one named `unit:role` gives its members that position, and ends it.

The unit is named by path or code. A group with any other name is kept, so that the system finds it again, and gives
nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from chassis.access import PROVISION
from chassis.audit.entries import ACT, write_entry
from chassis.database import UnitOfWork
from chassis.errors import StaleEtag
from chassis.ids import is_id, new_id
from directory import queries, rules, users
from directory.errors import GroupNotFound, UnitAmbiguous, UnitNotFound
from directory.tables import position, role, staff_group, staff_group_member, unit, user
from directory.visibility import visible_users

MOST_MEMBERS = 5_000
BETWEEN = ":"


@dataclass(frozen=True)
class NewGroup:
    """A group as asked for, all of its members; without an id a new one."""

    id: str
    display_name: str
    external_id: str
    user_ids: tuple[str, ...]


def set_group(work: UnitOfWork, new: NewGroup, etag: str) -> Any:
    """Make a group or change a known one; members who come get the position it means, those who go lose it.

    Answers its row. Errors: GroupNotFound, StaleEtag, UserNotFound, FieldInvalid, NotPermitted.
    """
    work.access.require_everywhere(PROVISION)
    name = rules.check_text("group.display_name", new.display_name, rules.MAX_NAME, required=True)
    outside = rules.check_text("group.external_id", new.external_id, rules.MAX_NAME)
    wanted = _check_members(work, new.user_ids)
    place = _place_of(work, name)
    row = _find(work, new.id) if new.id else None
    if row is not None and etag and etag != str(row.version):
        raise StaleEtag("the group changed since you read it", metadata={"current": str(row.version)})
    values = {"display_name": name, "external_id": outside, "unit_id": place[0] or None, "role": place[1]}
    _refuse_taken(work, name, new.id)
    if row is None:
        made = sa.insert(staff_group).values(id=new_id(), create_time=work.now, **values).returning(staff_group)
    else:
        changed = sa.update(staff_group).where(staff_group.c.id == row.id)
        made = changed.values(version=staff_group.c.version + 1, **values).returning(staff_group)  # type: ignore[assignment]
    stored = work.execute(made).one()
    moved = row is not None and (row.unit_id, row.role) != (stored.unit_id, stored.role)
    _set_members(work, stored, wanted, anew=moved)
    write_entry(work, ACT, "directory/SetStaffGroup", "staff_group", [stored.id], reason=name)
    return stored


def remove_group(work: UnitOfWork, group_id: str) -> None:
    """Remove a group; its members lose the position it gave. Errors: GroupNotFound, NotPermitted."""
    work.access.require_everywhere(PROVISION)
    row = _find(work, group_id)
    _set_members(work, row, set())
    work.execute(sa.delete(staff_group).where(staff_group.c.id == row.id))
    write_entry(work, ACT, "directory/RemoveStaffGroup", "staff_group", [row.id], reason=row.display_name)


def list_groups(
    work: UnitOfWork, group_id: str, display_name: str, skip: int, limit: int
) -> tuple[Sequence[Any], int, dict[str, list[str]]]:
    """A page of groups in the order in which they came, how many there are, and the members of each.

    Errors: GroupNotFound, NotPermitted.
    """
    work.access.require_everywhere(PROVISION)
    wanted = [staff_group.c.id == _find(work, group_id).id] if group_id else []
    if display_name:
        wanted.append(staff_group.c.display_name == display_name.replace("\0", ""))
    total = work.execute(sa.select(sa.func.count()).select_from(staff_group).where(*wanted)).scalar_one()
    page = sa.select(staff_group).where(*wanted).order_by(staff_group.c.id).offset(skip).limit(limit)
    rows = work.execute(page).all()
    return rows, total, members_of(work, [row.id for row in rows])


def members_of(work: UnitOfWork, group_ids: Sequence[str]) -> dict[str, list[str]]:
    """The ids of the members of groups."""
    m = staff_group_member.c
    found: dict[str, list[str]] = {one: [] for one in group_ids}
    for row in work.execute(sa.select(m.group_id, m.user_id).where(m.group_id.in_(group_ids)).order_by(m.user_id)):
        found[row.group_id].append(row.user_id)
    return found


def find_users(
    work: UnitOfWork, login: str, external_id: str, email: str, skip: int, limit: int
) -> tuple[Sequence[Any], int]:
    """A page of users in the order in which they came, by exact login, outside id or e-mail where given; how many."""
    work.access.require_everywhere(PROVISION)
    wanted = [visible_users(work.access)]
    for column, text, key in (
        (user.c.login_key, login, rules.login_key(login)),
        (user.c.external_id, external_id, external_id),
        (user.c.email_key, email, email.strip().casefold()),
    ):
        if text:
            wanted.append(column == key.replace("\0", ""))
    total = work.execute(sa.select(sa.func.count()).select_from(user).where(*wanted)).scalar_one()
    page = sa.select(*queries.USER_COLUMNS).where(*wanted).order_by(user.c.id).offset(skip).limit(limit)
    return work.execute(page).all(), total


def _set_members(work: UnitOfWork, group: Any, wanted: Collection[str], *, anew: bool = False) -> None:
    """Bring the members to those wanted; `anew` gives everybody's position again, since the group means another one."""
    m = staff_group_member.c
    known = {
        row.user_id: row.position_id
        for row in work.execute(sa.select(staff_group_member).where(m.group_id == group.id))
    }
    gone = [one for one in known if anew or one not in wanted]
    come = sorted(one for one in wanted if anew or one not in known)
    _end_positions(work, [known[one] for one in gone if known[one]])
    work.execute(sa.delete(staff_group_member).where(m.group_id == group.id, m.user_id.in_(gone)))
    given = {}
    if group.unit_id:
        given = users.give_position(work, come, group.unit_id, group.role)
    rows = [{"group_id": group.id, "user_id": one, "position_id": given.get(one)} for one in come]
    if rows:
        work.execute(sa.insert(staff_group_member), rows)


def _end_positions(work: UnitOfWork, position_ids: Sequence[str]) -> None:
    if not position_ids:
        return
    p = position.c
    zone = sa.select(unit.c.time_zone).where(unit.c.id == p.unit_id).scalar_subquery()
    today = sa.cast(sa.func.timezone(zone, sa.literal(work.now)), sa.Date)
    ended = sa.update(position).where(p.id.in_(position_ids), p.end_date.is_(None)).values(end_date=today)
    users.tell_positions(work, sorted(set(work.execute(ended.returning(p.user_id)).scalars())))


def _place_of(work: UnitOfWork, name: str) -> tuple[str, str]:
    """The unit and the role that a name means; nothing for a name that means none."""
    place, between, code = name.rpartition(BETWEEN)
    if not between or work.execute(sa.select(role.c.id).where(role.c.code == code.strip())).first() is None:
        return "", ""
    try:
        found = queries.resolve_unit(work, place.strip())
    except (UnitNotFound, UnitAmbiguous):
        return "", ""
    return str(found.id), code.strip()


def _check_members(work: UnitOfWork, user_ids: Sequence[str]) -> set[str]:
    if len(user_ids) > MOST_MEMBERS:
        raise rules.invalid("group.user_ids", f"has {len(user_ids)} ids; use at most {MOST_MEMBERS}")
    known = {row.id for row in queries.read_users(work, [one for one in user_ids if is_id(one)])}
    for one in user_ids:
        if one not in known:
            raise rules.invalid("group.user_ids", f"names {one[:60]!r}, whom nobody knows")
    return known


def _refuse_taken(work: UnitOfWork, name: str, group_id: str) -> None:
    twin = sa.select(staff_group.c.id).where(staff_group.c.display_name == name)
    if is_id(group_id):
        twin = twin.where(staff_group.c.id != group_id)
    if work.execute(twin).first() is not None:
        raise rules.invalid("group.display_name", "is the name of another group")


def _find(work: UnitOfWork, group_id: str) -> Any:
    """The row, locked. Errors: GroupNotFound."""
    mine = sa.select(staff_group).where(staff_group.c.id == group_id).with_for_update()
    row = work.execute(mine).one_or_none() if is_id(group_id) else None
    if row is None:
        raise GroupNotFound(group_id)
    return row
