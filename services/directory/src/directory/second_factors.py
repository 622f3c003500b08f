"""The second factor: codes of an authenticator app (RFC 6238, six digits, 30 s), and recovery codes for a lost one."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy.dialects.postgresql import insert

from chassis.audit.entries import ACT, write_entry
from chassis.audit.values import lock_value, open_value
from chassis.database import UnitOfWork
from chassis.errors import NotPermitted
from directory.errors import SecondFactorOn
from directory.rules import invalid
from directory.tables import second_factor

SECRET_BYTES, DIGITS, STEP_SECONDS = 20, 6, 30
EARLY_LATE = (0, -1, 1)  # time steps: telephones' clocks are half a minute off
RECOVERY_CODES, RECOVERY_BYTES = 8, 8


def key_of(private_pem: str) -> bytes:
    """The key that encrypts secrets, from the directory's private key, which no copy of the database has."""
    return hashlib.sha256(b"second factor" + private_pem.encode()).digest()


def begin(work: UnitOfWork, key: bytes, login: str) -> tuple[str, str]:
    """A new secret for the caller, in base 32 and as an address; it does not count yet. Errors: SecondFactorOn."""
    _require_session(work)
    if is_on(work, work.access.user_id):
        raise SecondFactorOn("the account has a second factor; switch it off first")
    secret = os.urandom(SECRET_BYTES)
    statement = insert(second_factor).values(user_id=work.access.user_id, secret=lock_value(key, secret))
    work.execute(
        statement.on_conflict_do_update(index_elements=["user_id"], set_={"secret": statement.excluded.secret})
    )
    text = base64.b32encode(secret).decode()
    return text, f"otpauth://totp/Branchline:{quote(login)}?secret={text}&issuer=Branchline"


def confirm(work: UnitOfWork, key: bytes, code: str) -> list[str]:
    """Switch the caller's second factor on; answers recovery codes. Errors: FieldInvalid, SecondFactorOn."""
    _require_session(work)
    row = _find(work, work.access.user_id)
    if row is not None and row.confirm_time is not None:
        raise SecondFactorOn("the account has a second factor; switch it off first")
    step = _step_of(work, key, row, code) if row else None
    if step is None:
        raise invalid("code", "is not what the app shows now")
    codes = [secrets.token_hex(RECOVERY_BYTES) for _ in range(RECOVERY_CODES)]
    values = {"confirm_time": work.now, "last_step": step, "recovery_hashes": [_hash(one) for one in codes]}
    work.execute(sa.update(second_factor).where(second_factor.c.user_id == work.access.user_id).values(values))
    write_entry(work, ACT, "directory/ConfirmSecondFactor", "user", [work.access.user_id])
    return codes


def is_on(work: UnitOfWork, user_id: str) -> bool:
    """Tell whether an account has a second factor."""
    row = _find(work, user_id)
    return row is not None and row.confirm_time is not None


def take_code(work: UnitOfWork, key: bytes, user_id: str, code: str) -> bool:
    """Tell whether a code or a recovery code is right; it is good no second time."""
    row = _find(work, user_id)
    if row is None or row.confirm_time is None:
        return False
    step = _step_of(work, key, row, code)
    mine = second_factor.c.user_id == user_id
    if step is not None:
        work.execute(sa.update(second_factor).where(mine).values(last_step=step))
        return True
    left = [one for one in row.recovery_hashes if not secrets.compare_digest(bytes(one), _hash(code.strip().lower()))]
    if len(left) == len(row.recovery_hashes):
        return False
    work.execute(sa.update(second_factor).where(mine).values(recovery_hashes=left))
    write_entry(work, ACT, "directory/RecoveryCode", "user", [user_id])
    return True


def end(work: UnitOfWork, user_id: str) -> None:
    """Switch the second factor of an account off."""
    work.execute(sa.delete(second_factor).where(second_factor.c.user_id == user_id))
    write_entry(work, ACT, "directory/EndSecondFactor", "user", [user_id])


def _find(work: UnitOfWork, user_id: str) -> Any:
    """The row, locked: of two that send one code the second comes too late."""
    found = sa.select(second_factor).where(second_factor.c.user_id == user_id).with_for_update()
    return work.execute(found).one_or_none()


def _step_of(work: UnitOfWork, key: bytes, row: Any, code: str) -> int | None:
    """The time step whose code this is, where it is later than the last one taken."""
    secret = open_value({"": key}, "", bytes(row.secret))
    if not secret:
        return None
    app = TOTP(secret, DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303 - what apps know; RFC 6238
    now = int(work.now.timestamp()) // STEP_SECONDS
    sent = code.replace(" ", "").encode()
    for away in EARLY_LATE:
        step = now + away
        if step > row.last_step and secrets.compare_digest(app.generate(step * STEP_SECONDS), sent):
            return step
    return None


def _require_session(work: UnitOfWork) -> None:
    if not work.access.session_id:
        raise NotPermitted("only somebody who signed in may do this")


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()
