"""Keys for programs: issued with scopes for a time, exchanged for tokens, ended; never more than their user may."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from chassis.access import ADMINISTER, CONFIGURE, COVERS, Access, Grant
from chassis.audit.entries import ACT, write_entry
from chassis.database import UnitOfWork
from chassis.errors import NotPermitted
from chassis.ids import is_id, new_id
from directory import rules, signing_in
from directory.errors import ApiKeyNotFound, SignInRefused
from directory.rights import ACTIONS
from directory.tables import api_key
from directory.users import find_user

MARK = "blk_"  # how a key begins, for people and for programs that look for secrets in the wrong place
MOST_NAME, MOST_DAYS, DAYS = 100, 366, 90
SCOPES = tuple(one for one in ACTIONS if one not in (ADMINISTER, CONFIGURE))
REFUSED = "the key is not good; issue another one"


def issue_key(work: UnitOfWork, user_id: str, name: str, scopes: Sequence[str], days: int) -> tuple[Any, str]:
    """Issue a key; answers its row and its secret. Errors: UserNotFound, FieldInvalid, NotPermitted."""
    if not work.access.session_id:
        raise NotPermitted("only somebody who signed in may issue keys")
    whose = _whose(work, user_id)
    kept = rules.check_text("name", name, MOST_NAME, required=True)
    strange = [one for one in scopes if one not in SCOPES]
    if strange or not scopes:
        raise rules.invalid("scopes", f"may be some of {', '.join(SCOPES)}, and at least one")
    if not 0 <= days <= MOST_DAYS:
        raise rules.invalid("days", f"is {days}; use 1 to {MOST_DAYS}")
    secret = secrets.token_urlsafe(32)
    values = {
        "id": new_id(),
        "user_id": whose,
        "name": kept,
        "scopes": sorted(set(scopes)),
        "secret_hash": _hash(secret),
        "create_time": work.now,
        "expire_time": work.now + timedelta(days=days or DAYS),
    }
    row = work.execute(sa.insert(api_key).values(values).returning(api_key)).one()
    write_entry(work, ACT, "directory/IssueApiKey", "api_key", [row.id, whose], reason=" ".join(row.scopes))
    return row, f"{MARK}{row.id}.{secret}"


def list_keys(work: UnitOfWork, user_id: str, after: str, limit: int) -> Sequence[Any]:
    """A user's keys that are good, the latest first, beyond the key `after`. Errors: UserNotFound, NotPermitted."""
    good = sa.select(api_key).where(api_key.c.user_id == _whose(work, user_id), api_key.c.expire_time > work.now)
    if after:
        good = good.where(api_key.c.id < after)
    return work.execute(good.order_by(api_key.c.id.desc()).limit(limit)).all()


def end_key(work: UnitOfWork, key_id: str) -> None:
    """End a key. Errors: ApiKeyNotFound, NotPermitted."""
    found = sa.select(api_key.c.user_id).where(api_key.c.id == key_id)
    owner = work.execute(found).scalar() if is_id(key_id) else None
    if owner is None or (owner != work.access.user_id and not work.access.allows_everywhere(ADMINISTER)):
        raise ApiKeyNotFound(key_id)
    work.execute(sa.delete(api_key).where(api_key.c.id == key_id))
    write_entry(work, ACT, "directory/EndApiKey", "api_key", [key_id, owner])


def access_by_key(work: UnitOfWork, sent: str) -> Access:
    """What a key allows now: what its user may, as far as its scopes go. Errors: SignInRefused."""
    key_id, _, secret = sent.removeprefix(MARK).partition(".")
    if not (sent.startswith(MARK) and is_id(key_id)):
        raise SignInRefused(REFUSED)
    used = sa.update(api_key).where(api_key.c.id == key_id, api_key.c.expire_time > work.now)
    row = work.execute(used.values(use_time=work.now).returning(api_key)).one_or_none()
    if row is None or not secrets.compare_digest(row.secret_hash, _hash(secret)):
        raise SignInRefused(REFUSED)
    access = signing_in.access_of(work, row.user_id)
    return replace(access, grants=tuple(one for grant in access.grants for one in _within(grant, row.scopes)))


def _within(grant: Grant, scopes: Sequence[str]) -> list[Grant]:
    """A grant as far as scopes go: whole, or those of its parts that are named."""
    if grant.action in scopes:
        return [grant]
    return [replace(grant, action=part) for part in COVERS.get(grant.action, ()) if part in scopes]


def _whose(work: UnitOfWork, user_id: str) -> str:
    """The user asked about: the caller, or another where the caller runs the platform."""
    if user_id and user_id != work.access.user_id:
        work.access.require_everywhere(ADMINISTER)
    return str(find_user(work, user_id or work.access.user_id).id)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
