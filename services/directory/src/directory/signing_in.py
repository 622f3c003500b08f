"""Signing in, staying signed in and signing out, as changes of an open transaction; wrong attempts are counted here."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.access import Access
from chassis.clock import now
from chassis.database import Database, UnitOfWork
from chassis.ids import is_id, new_id
from directory import queries, rules
from directory.errors import SignInRefused, SignInThrottled, UserNotFound
from directory.tables import session, user, wrong_attempt

MOST_WRONG = 10  # wrong attempts a login has in a window
WINDOW = timedelta(minutes=1)
IDLE = timedelta(hours=12)  # a working day: who was away longer signs in again
LONGEST = timedelta(days=30)  # however busy, a session ends after this
MAX_LOGIN = 200


@dataclass(frozen=True)
class Candidate:
    """The account a login may mean; without a hash nobody can be signed in by it."""

    user_id: str = ""
    password_hash: str | None = None


def find_candidate(work: UnitOfWork, login: str) -> Candidate:
    """The account to check a password for, an empty one for a login nobody has. Errors: SignInThrottled."""
    _refuse_after_many(work, login)
    found = sa.select(user.c.id, user.c.password_hash).where(user.c.login_key == rules.login_key(login))
    row = work.execute(found).one_or_none() if "\0" not in login else None
    return Candidate(row.id, row.password_hash) if row else Candidate()


def count_wrong(work: UnitOfWork, login: str) -> None:
    """Remember one wrong attempt."""
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


def open_session(work: UnitOfWork, login: str, user_id: str) -> tuple[Access, str]:
    """Begin a session for a user whose password was right: what the user may do, and the refresh token.

    Errors: SignInRefused when access is closed or no position gives rights.
    """
    access = access_of(work, user_id)
    work.execute(sa.delete(wrong_attempt).where(wrong_attempt.c.login_hash == _hash_of_login(login)))
    session_id, secret = new_id(), secrets.token_urlsafe(32)
    work.execute(
        sa.insert(session).values(
            id=session_id, user_id=user_id, token_hash=_hash_of(secret), create_time=work.now, use_time=work.now
        )
    )
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
    return access_of(work, row.user_id), f"{row.id}.{following}"


def end_session(work: UnitOfWork, token: str) -> bool:
    """End the session of a refresh token; False when there is none."""
    row, secret = _find_session(work, token)
    if row is None or not secrets.compare_digest(row.token_hash, _hash_of(secret)):
        return False
    work.execute(sa.delete(session).where(session.c.id == row.id))
    return True


def access_of(work: UnitOfWork, user_id: str, service: str = "") -> Access:
    """What a user may do now, by the positions in force. Errors: UserNotFound, SignInRefused."""
    found = sa.select(*queries.USER_COLUMNS).where(user.c.id == user_id)
    row = work.execute(found).one_or_none() if is_id(user_id) else None
    if row is None:
        raise UserNotFound(user_id)
    places = queries.places_of(queries.positions_of(work, [row.id])[row.id])
    grants = rules.grants_of(places, work.now)
    if not _is_employed(row, work.now) or not grants:
        raise SignInRefused("access is closed; ask an administrator")
    home = rules.home_of(places, work.now)
    return Access(row.id, row.display_name, home.unit_id if home else "", grants, service)


def forget_ended(database: Database) -> None:
    """Remove sessions that ended by time and attempts nobody counts any more; a timer's work."""
    with database.transaction() as work:
        ended = sa.or_(session.c.use_time < now() - IDLE, session.c.create_time < now() - LONGEST)
        work.execute(sa.delete(session).where(ended))
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


def _find_session(work: UnitOfWork, token: str) -> tuple[Any, str]:
    session_id, _, secret = token.partition(".")
    if not is_id(session_id):
        return None, ""
    # The row stays locked until the exchange ends: of two askers with one token the second finds another hash.
    return work.execute(sa.select(session).where(session.c.id == session_id).with_for_update()).one_or_none(), secret


def _is_employed(row: Any, moment: datetime) -> bool:
    return row.active and (row.leave_date is None or moment.date() <= row.leave_date)


def _hash_of(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _hash_of_login(login: str) -> bytes:
    return _hash_of(rules.login_key(login))
