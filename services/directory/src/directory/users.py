"""How people come, change, take positions and leave; every change is told with the user's full state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.access import ADMINISTER, PROVISION
from chassis.database import UnitOfWork
from chassis.errors import NotPermitted, StaleEtag
from chassis.ids import is_id, new_id
from crm.directory.events.v1 import directory_events_pb2 as events_pb
from directory import queries, rights, rules
from directory.errors import LoginTaken, PositionNotFound, UserNotFound
from directory.events import user_state
from directory.roles import require_right_to_give
from directory.seats import find_seat
from directory.tables import alias, position, session, user
from directory.units import find_unit
from directory.visibility import visible_users
from values.names import person_key

LOGIN_LOCK = 0x6C6F_6769_6E  # logins are given one at a time, so that two askers cannot both get one
MAX_ALIASES = 50


@dataclass(frozen=True)
class NewPosition:
    """A position as asked for; without a start it has always held.

    With `substitutes_id` it is that position, held for its absent holder, with `seat_id` it holds that seat: unit and
    role are taken from there.
    """

    unit_id: str
    title: str
    role: str
    start_date: date | None = None
    end_date: date | None = None
    substitutes_id: str = ""
    seat_id: str = ""


@dataclass(frozen=True)
class NewUser:
    """A user as asked for; an empty login or no password hash means no sign-in."""

    display_name: str
    login: str = ""
    email: str = ""
    active: bool = True
    leave_date: date | None = None
    aliases: tuple[str, ...] = ()
    positions: tuple[NewPosition, ...] = ()
    password_hash: str | None = None
    external_id: str = ""


def create_user(work: UnitOfWork, new: NewUser) -> Any:
    """Add a user with positions and answer the row. Errors: LoginTaken, UnitNotFound, FieldInvalid, NotPermitted."""
    if not new.positions:
        work.access.require_everywhere(PROVISION)
    values = {
        **named(new.display_name),
        **mailed(new.email),
        **_login(work, new.login),
        "active": new.active,
        "leave_date": new.leave_date,
        "password_hash": new.password_hash,
        **outside(new.external_id),
    }
    row = work.execute(
        sa.insert(user).values(id=new_id(), create_time=work.now, **values).returning(*queries.USER_COLUMNS)
    ).one()
    _set_aliases(work, row.id, new.aliases)
    homes = [_insert_position(work, row.id, one, f"user.positions[{at}]") for at, one in enumerate(new.positions)]
    event = events_pb.UserCreated(user=user_state(row, _positions_of(work, row)))
    work.add_event(event, "user", row.id, row.version, homes[-1] if homes else "")
    return row


def update_user(work: UnitOfWork, user_id: str, changes: dict[str, Any], etag: str) -> Any:
    """Change the named fields of a user and answer the row; closing access or a new password ends all sessions.

    `changes` has values by field: display_name, login, email, active, leave_date, aliases, external_id,
    password_hash.
    Errors: UserNotFound, StaleEtag, LoginTaken, FieldInvalid, NotPermitted.
    """
    found = find_user(work, user_id)
    _require_right_to_change(work, found.id, changes)
    values: dict[str, Any] = {}
    for name, value in changes.items():
        if name == "display_name":
            values |= named(value)
        elif name == "email":
            values |= mailed(value)
        elif name == "login":
            values |= _login(work, value, found.id)
        elif name == "external_id":
            values |= outside(value)
        elif name == "aliases":
            _set_aliases(work, found.id, value)
        else:
            values[name] = value
    if values.get("active") is False and found.id == work.access.user_id:
        raise rules.invalid("user.active", "is your own access; ask another administrator to close it")
    row = _move_version(work, found.id, values, etag)
    if "password_hash" in values or not row.active:
        work.execute(sa.delete(session).where(session.c.user_id == row.id))
    tell_user(work, row, _positions_of(work, row), [name.removesuffix("_hash") for name in changes])
    return row


def add_position(work: UnitOfWork, user_id: str, new: NewPosition) -> Any:
    """Give a user one more position and answer the user's row.

    Errors: UserNotFound, UnitNotFound, FieldInvalid, NotPermitted.
    """
    found = find_user(work, user_id)
    row = _move_version(work, found.id, {}, "")
    _insert_position(work, row.id, new, "position")
    tell_user(work, row, _positions_of(work, row), ["positions"])
    return row


def end_position(work: UnitOfWork, position_id: str, end: date) -> Any:
    """End a position on a day; answers the user's row. Errors: PositionNotFound, FieldInvalid, NotPermitted."""
    held = _find_position(work, position_id)
    require_right_to_give(work, held.role, find_unit(work, held.unit_id).path, "position")
    rules.check_period(held.start_date, end, "end_date")
    row = _move_version(work, held.user_id, {}, "")
    work.execute(sa.update(position).where(position.c.id == held.id).values(end_date=end))
    tell_user(work, row, _positions_of(work, row), ["positions"])
    return row


def give_position(work: UnitOfWork, user_ids: Sequence[str], unit_id: str, role: str) -> dict[str, str]:
    """Give several users a position from now on; answers its id by user. Errors: UnitNotFound, NotPermitted."""
    home = find_unit(work, unit_id)
    require_right_to_give(work, role, home.path, "position")
    today = work.now.astimezone(ZoneInfo(home.time_zone)).date()
    made = {one: new_id() for one in user_ids}
    rows = [
        {"id": made[one], "user_id": one, "unit_id": home.id, "title": "", "role": role, "start_date": today}
        for one in user_ids
    ]
    if rows:
        work.execute(sa.insert(position), rows)
    tell_positions(work, user_ids)
    return made


def tell_positions(work: UnitOfWork, user_ids: Sequence[str]) -> None:
    """Say that positions of users changed, whatever it was."""
    moved = sa.update(user).where(user.c.id.in_(user_ids)).values(version=user.c.version + 1)
    rows = work.execute(moved.returning(*queries.USER_COLUMNS)).all()
    positions = queries.positions_of(work, user_ids)
    for row in sorted(rows, key=lambda one: one.id):
        tell_user(work, row, positions[row.id], ["positions"])


def find_user(work: UnitOfWork, user_id: str) -> Any:
    """The row of a visible user. Errors: UserNotFound."""
    found = sa.select(*queries.USER_COLUMNS).where(user.c.id == user_id, visible_users(work.access))
    row = work.execute(found).one_or_none() if is_id(user_id) else None
    if row is None:
        raise UserNotFound(user_id)
    return row


def named(display_name: str) -> dict[str, str]:
    """A checked name with its key. Errors: FieldInvalid."""
    kept = rules.check_text("user.display_name", display_name, rules.MAX_NAME, required=True)
    return {"display_name": kept, "name_key": person_key(None, None, None, kept)}


def mailed(email: str) -> dict[str, str]:
    """A checked e-mail with its key. Errors: FieldInvalid."""
    kept = rules.check_text("user.email", email, 254)
    if kept and "@" not in kept:
        raise rules.invalid("user.email", f"{kept!r} is no e-mail address; leave it empty when unknown")
    return {"email": kept, "email_key": kept.strip().casefold()}


def outside(external_id: str) -> dict[str, str]:
    """A checked name of a user in the system that brings people in. Errors: FieldInvalid."""
    return {"external_id": rules.check_text("user.external_id", external_id, 200)}


def tell_user(work: UnitOfWork, row: Any, positions: Sequence[Any], changed: Sequence[str]) -> None:
    """Add the event of a changed user with all positions, told to the unit that is home now."""
    home = rights.home_of(queries.places_of(positions), work.now)
    event = events_pb.UserUpdated(user=user_state(row, positions), changed=FieldMask(paths=sorted(changed)))
    work.add_event(event, "user", row.id, row.version, home.unit_path if home else "")


def _require_right_to_change(work: UnitOfWork, user_id: str, changes: dict[str, Any]) -> None:
    """Who only brings people in closes anybody's access, and changes nothing else of those with rights everywhere.

    Another e-mail or login would else be a way to come in as one of them. Errors: NotPermitted.
    """
    work.access.require_everywhere(PROVISION)
    if work.access.allows_everywhere(ADMINISTER) or changes == {"active": False}:
        return
    roles = {one.role for one in queries.positions_of(work, [user_id])[user_id]}
    for allowed in queries.permissions_of(work, roles).values():
        if rights.reaches_everywhere(allowed):
            raise NotPermitted("this person has rights everywhere; only an administrator changes them")


def _positions_of(work: UnitOfWork, row: Any) -> list[Any]:
    return queries.positions_of(work, [row.id])[row.id]


def _is_visible(work: UnitOfWork, user_id: str) -> bool:
    found = sa.select(user.c.id).where(user.c.id == user_id, visible_users(work.access))
    return work.execute(found).first() is not None


def _move_version(work: UnitOfWork, user_id: str, values: dict[str, Any], etag: str) -> Any:
    row = work.execute(
        sa.update(user)
        .where(user.c.id == user_id)
        .values(version=user.c.version + 1, **values)
        .returning(*queries.USER_COLUMNS)
    ).one()
    if etag and etag != str(row.version - 1):
        raise StaleEtag(f"{row.display_name} changed since you read it", metadata={"current": str(row.version - 1)})
    return row


def _login(work: UnitOfWork, login: str, user_id: str | None = None) -> dict[str, str | None]:
    if not login:
        return {"login": None, "login_key": None}
    kept = rules.check_text("user.login", login, 200, required=True)
    work.access.require_everywhere(PROVISION)
    work.execute(sa.select(sa.func.pg_advisory_xact_lock(LOGIN_LOCK)))
    twin = sa.select(user.c.id).where(user.c.login_key == rules.login_key(kept), user.c.id.is_distinct_from(user_id))
    if work.execute(twin).first() is not None:
        raise LoginTaken(kept)
    return {"login": kept, "login_key": rules.login_key(kept)}


def _set_aliases(work: UnitOfWork, user_id: str, texts: Sequence[str]) -> None:
    if len(texts) > MAX_ALIASES:
        raise rules.invalid("user.aliases", f"has {len(texts)} entries; use at most {MAX_ALIASES}")
    kept = dict.fromkeys(rules.check_text("user.aliases", text, rules.MAX_NAME, required=True) for text in texts)
    work.execute(sa.delete(alias).where(alias.c.user_id == user_id))
    rows = [{"user_id": user_id, "text": text, "name_key": person_key(None, None, None, text)} for text in kept]
    if rows:
        work.execute(sa.insert(alias), rows)


def _insert_position(work: UnitOfWork, user_id: str, new: NewPosition, field: str) -> str:
    if new.substitutes_id:
        new = _in_place_of(work, user_id, new, field)
    elif new.seat_id:
        new = _on_seat(work, new, field)
    home = find_unit(work, new.unit_id)
    require_right_to_give(work, new.role, home.path, field)
    rules.check_period(new.start_date, new.end_date, f"{field}.end_date")
    title = rules.check_text(f"{field}.title", new.title, rules.MAX_NAME)
    work.execute(
        sa.insert(position).values(
            id=new_id(),
            user_id=user_id,
            unit_id=new.unit_id,
            title=title,
            role=new.role,
            start_date=new.start_date,
            end_date=new.end_date,
            substitutes_id=new.substitutes_id or None,
            seat_id=new.seat_id or None,
        )
    )
    return str(home.path)


def _in_place_of(work: UnitOfWork, user_id: str, new: NewPosition, field: str) -> NewPosition:
    """The position as its absent holder has it. Errors: PositionNotFound, FieldInvalid without a period."""
    absent = _find_position(work, new.substitutes_id)
    if new.start_date is None or new.end_date is None:
        raise rules.invalid(f"{field}.end_date", "and start_date are needed; nobody is away for ever")
    if absent.user_id == user_id:
        raise rules.invalid(f"{field}.substitutes_position_id", "is a position of the same user; name a colleague's")
    return replace(new, unit_id=absent.unit_id, role=absent.role, title=new.title or absent.title, seat_id="")


def _on_seat(work: UnitOfWork, new: NewPosition, field: str) -> NewPosition:
    """The position as its seat says. Errors: SeatNotFound, FieldInvalid for a seat that no longer exists."""
    found = find_seat(work, new.seat_id)
    if found.end_date is not None and (new.start_date or work.now.date()) >= found.end_date:
        raise rules.invalid(f"{field}.seat_id", "is a seat that no longer exists then")
    return replace(new, unit_id=found.unit_id, role=found.role, title=new.title or found.title)


def _find_position(work: UnitOfWork, position_id: str) -> Any:
    """The row of a position of a visible user. Errors: PositionNotFound."""
    found = sa.select(position).where(position.c.id == position_id)
    held = work.execute(found).one_or_none() if is_id(position_id) else None
    if held is None or not _is_visible(work, held.user_id):
        raise PositionNotFound(position_id)
    return held
