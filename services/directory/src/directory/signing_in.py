"""Signing in, staying signed in and signing out, as changes of an open transaction; wrong attempts are counted here."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.access import Access
from chassis.audit.entries import ACT, REFUSED, SIGN_IN, write_entry
from chassis.clock import now
from chassis.database import Database, UnitOfWork
from chassis.ids import is_id, new_id
from directory import queries, rights, rules
from directory.employment import is_gone
from directory.errors import SignInRefused, SignInThrottled, UserNotFound
from directory.field_groups import read_groups
from directory.seats import leavers_of
from directory.tables import session, user, wrong_attempt

MOST_WRONG = 10  # wrong attempts a login has in a window
WINDOW = timedelta(minutes=1)
IDLE = timedelta(hours=12)  # a working day: who was away longer signs in again
LONGEST = timedelta(days=30)  # however busy, a session ends after this
MAX_LOGIN = 200
MAX_DEVICE, MAX_ADDRESS = 200, 60


@dataclass(frozen=True)
class Candidate:
    """The account a login may mean; without a hash nobody can be signed in by it."""

    user_id: str = ""
    password_hash: str | None = None


@dataclass(frozen=True)
class Origin:
    """Where a sign-in comes from, as its owner reads it in the list of sessions; as told, so never a proof."""

    device: str = ""
    address: str = ""


def find_candidate(work: UnitOfWork, login: str) -> Candidate:
    """The account to check a password for, an empty one for a login nobody has. Errors: SignInThrottled."""
    _refuse_after_many(work, login)
    found = sa.select(user.c.id, user.c.password_hash).where(user.c.login_key == rules.login_key(login))
    row = work.execute(found).one_or_none() if "\0" not in login else None
    return Candidate(row.id, row.password_hash) if row else Candidate()


def count_wrong(work: UnitOfWork, login: str, user_id: str = "", origin: Origin = Origin()) -> None:
    """Remember one wrong attempt, and note it for the account it was meant for, if there is one."""
    whose = [user_id] if user_id else []
    reason = "wrong password" if user_id else "no such login"
    write_entry(work, REFUSED, "directory/SignIn", "user", whose, origin=told(origin), reason=reason)
    statement = insert(wrong_attempt).values(login_hash=_hash_of_login(login), attempts=1, start_time=work.now)
    fresh = wrong_attempt.c.start_time <= work.now - WINDOW
    work.execute(
        statement.on_conflict_do_update(
            index_elements=["login_hash"],
            set_={
                "attempts": sa.case((fresh, 1), else_=wrong_attempt.c.attempts + 1),
                "start_time": sa.case((fresh, work.now), else_=wrong_attempt.c.start_time),
            },
        )
    )


def open_session(
    work: UnitOfWork, login: str, user_id: str, origin: Origin = Origin(), *, sets_up: str = "", by: str = "SignIn"
) -> tuple[Access, str]:
    """Begin a session for a user who is known for sure: what the user may do, and the refresh token.

    `sets_up` is what the user must set up before anything else, `by` the call that knew the user; with a password the
    `login` it was for, whose wrong attempts are forgotten. Errors: SignInRefused when access is closed or no position
    gives rights.
    """
    session_id, secret = new_id(), secrets.token_urlsafe(32)
    access = _as_far_as(replace(access_of(work, user_id), session_id=session_id), sets_up)
    if login:
        work.execute(sa.delete(wrong_attempt).where(wrong_attempt.c.login_hash == _hash_of_login(login)))
    work.execute(
        sa.insert(session).values(
            id=session_id,
            user_id=user_id,
            token_hash=_hash_of(secret),
            create_time=work.now,
            use_time=work.now,
            device=_printable(origin.device, MAX_DEVICE),
            address=_printable(origin.address, MAX_ADDRESS),
            sets_up=sets_up,
        )
    )
    write_entry(work, SIGN_IN, f"directory/{by}", "session", [session_id], by=access, origin=told(origin))
    return access, f"{session_id}.{secret}"


def renew_session(work: UnitOfWork, token: str) -> tuple[Access, str] | None:
    """Exchange a refresh token: what the user may do now, and the next token. None when it is not good.

    A token used before ends its session: either its owner or a thief comes second, and nobody can tell which.
    """
    row, secret = _find_session(work, token)
    if row is None:
        return None
    ended = row.use_time < work.now - IDLE or row.create_time < work.now - LONGEST
    if ended or not secrets.compare_digest(row.token_hash, _hash_of(secret)):
        work.execute(sa.delete(session).where(session.c.id == row.id))
        return None
    following = secrets.token_urlsafe(32)
    values = {"token_hash": _hash_of(following), "use_time": work.now}
    work.execute(sa.update(session).where(session.c.id == row.id).values(values))
    access = replace(access_of(work, row.user_id), session_id=row.id)
    return _as_far_as(access, row.sets_up), f"{row.id}.{following}"


def end_set_up(work: UnitOfWork, what: str) -> None:
    """What the caller's session had to set up is there: from the next token on it is like any other."""
    mine = session.c.id == work.access.session_id
    work.execute(sa.update(session).where(mine, session.c.sets_up == what).values(sets_up=""))


def end_session(work: UnitOfWork, token: str) -> bool:
    """End the session of a refresh token; False when there is none."""
    row, secret = _find_session(work, token)
    if row is None or not secrets.compare_digest(row.token_hash, _hash_of(secret)):
        return False
    work.execute(sa.delete(session).where(session.c.id == row.id))
    write_entry(work, ACT, "directory/SignOut", "session", [row.id], by=Access(row.user_id, session_id=row.id))
    return True


def require_open(work: UnitOfWork, access: Access) -> None:
    """Errors: SignInRefused, UserNotFound unless the caller's account and session are still open."""
    access_of(work, access.user_id)
    if access.session_id:
        found = sa.select(session.c.id).where(session.c.id == access.session_id, still_open(work.now))
        if work.execute(found).first() is None:
            raise SignInRefused("the session has ended; sign in again")


def still_open(moment: datetime) -> sa.ColumnElement[bool]:
    """Predicate: sessions that have not ended by time."""
    return (session.c.use_time >= moment - IDLE) & (session.c.create_time >= moment - LONGEST)


def access_of(work: UnitOfWork, user_id: str, service: str = "") -> Access:
    """What a user may do now, by the positions in force. Errors: UserNotFound, SignInRefused."""
    found = sa.select(*queries.USER_COLUMNS, is_gone(work.now).label("gone")).where(user.c.id == user_id)
    row = work.execute(found).one_or_none() if is_id(user_id) else None
    if row is None:
        raise UserNotFound(user_id)
    positions = queries.positions_of(work, [row.id])[row.id]
    places = queries.places_of(positions, queries.permissions_of(work, {one.role for one in positions}))
    merged = queries.merged_places_of(work, places)
    grants = rights.grants_of([*places, *merged], work.now)
    if row.gone or not grants:
        raise SignInRefused("access is closed; ask an administrator")
    home = rights.home_of(places, work.now)
    held = {one.role for one in places if one.in_force(work.now)}
    denials = rights.denials_of(queries.restrictions_of(work, row.id, held), work.now)
    seats = {
        one.seat_id for one, place in zip(positions, places, strict=True) if one.seat_id and place.in_force(work.now)
    }
    return Access(
        user_id=row.id,
        user_name=row.display_name,
        unit_id=home.unit_id if home else "",
        grants=tuple(one for one in grants if not rights.speaks_of_fields(one.records)),
        service=service,
        denials=tuple(one for one in denials if not rights.speaks_of_fields(one.records)),
        stands_in_for=tuple(dict.fromkeys([*rights.absent_of(places, work.now), *leavers_of(work, seats, row.id)])),
        hidden=rights.hidden_of(read_groups(work), grants, denials),
        unit_path=home.unit_path if home else "",
    )


def forget_ended(database: Database) -> None:
    """Remove sessions that ended by time and attempts nobody counts any more; a timer's work."""
    with database.transaction() as work:
        work.execute(sa.delete(session).where(~still_open(now())))
        work.execute(sa.delete(wrong_attempt).where(wrong_attempt.c.start_time < now() - WINDOW))


def _refuse_after_many(work: UnitOfWork, login: str) -> None:
    if len(login) > MAX_LOGIN:
        raise SignInRefused("login or password is wrong")
    row = work.execute(
        sa.select(wrong_attempt).where(wrong_attempt.c.login_hash == _hash_of_login(login))
    ).one_or_none()
    if row is None or row.attempts < MOST_WRONG:
        return
    left = (row.start_time + WINDOW - work.now).total_seconds()
    if left > 0:
        raise SignInThrottled(left)


def _as_far_as(access: Access, sets_up: str) -> Access:
    """Who has something to set up first may do nothing else: own account and sessions need no grant."""
    return replace(access, grants=(), stands_in_for=()) if sets_up else access


def _find_session(work: UnitOfWork, token: str) -> tuple[Any, str]:
    session_id, _, secret = token.partition(".")
    if not is_id(session_id):
        return None, ""
    # The row stays locked until the exchange ends: of two askers with one token the second finds another hash.
    return work.execute(sa.select(session).where(session.c.id == session_id).with_for_update()).one_or_none(), secret


def _printable(text: str, most: int) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)[:most].strip()


def told(origin: Origin) -> str:
    """Where a sign-in comes from in one line: the address, then the device."""
    return " ".join(filter(None, (_printable(origin.address, MAX_ADDRESS), _printable(origin.device, MAX_DEVICE))))


def _hash_of(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _hash_of_login(login: str) -> bytes:
    return _hash_of(rules.login_key(login))
