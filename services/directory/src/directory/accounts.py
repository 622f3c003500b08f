"""What a user does with the own account: another password, and a look at where it is signed in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from chassis.access import ADMINISTER
from chassis.audit.entries import ACT, write_entry
from chassis.database import UnitOfWork
from chassis.ids import is_id
from directory import signing_in
from directory.errors import SessionNotFound
from directory.tables import session, user
from directory.users import find_user


def find_own(work: UnitOfWork) -> tuple[str, signing_in.Candidate]:
    """The caller's login and account, to check the password for. Errors: SignInThrottled, UserNotFound."""
    row = find_user(work, work.access.user_id)
    login = work.execute(sa.select(user.c.login).where(user.c.id == row.id)).scalar_one() or ""
    return login, signing_in.find_candidate(work, login) if login else signing_in.Candidate()


def set_password(work: UnitOfWork, password_hash: str) -> int:
    """Store the caller's new password; the caller's other sessions end. Returns: how many."""
    work.execute(sa.update(user).where(user.c.id == work.access.user_id).values(password_hash=password_hash))
    write_entry(work, ACT, "directory/ChangePassword", "user", [work.access.user_id])
    return _end(work, _others_of(work, work.access.user_id))


def end_others(work: UnitOfWork) -> int:
    """End the caller's other sessions. Returns: how many."""
    return _end(work, _others_of(work, work.access.user_id))


def list_sessions(work: UnitOfWork, user_id: str, after: str, limit: int) -> Sequence[Any]:
    """Where a user is signed in, the latest sign-in first, beyond the session `after`.

    Errors: UserNotFound, NotPermitted.
    """
    whose = _whose(work, user_id)
    latest = sa.select(session).where(session.c.user_id == whose, signing_in.still_open(work.now))
    if after:
        latest = latest.where(session.c.id < after)
    return work.execute(latest.order_by(session.c.id.desc()).limit(limit)).all()


def end_sessions(work: UnitOfWork, user_id: str, session_id: str) -> int:
    """End one session of a user, or all but the one that asks. Returns: how many.

    Errors: UserNotFound, SessionNotFound, NotPermitted.
    """
    whose = _whose(work, user_id)
    write_entry(work, ACT, "directory/EndSessions", "user", [whose])
    if not session_id:
        return _end(work, _others_of(work, whose))
    ended = _end(work, (session.c.user_id == whose) & (session.c.id == session_id)) if is_id(session_id) else 0
    if not ended:
        raise SessionNotFound(session_id)
    return ended


def _whose(work: UnitOfWork, user_id: str) -> str:
    """The user asked about: the caller, or another where the caller runs the platform."""
    if user_id and user_id != work.access.user_id:
        work.access.require_everywhere(ADMINISTER)
    return str(find_user(work, user_id or work.access.user_id).id)


def _others_of(work: UnitOfWork, user_id: str) -> sa.ColumnElement[bool]:
    mine = session.c.user_id == user_id
    return mine & (session.c.id != work.access.session_id) if work.access.session_id else mine


def _end(work: UnitOfWork, which: sa.ColumnElement[bool]) -> int:
    return len(work.execute(sa.delete(session).where(which).returning(session.c.id)).all())
