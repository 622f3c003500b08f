"""Values in the trail that can be forgotten: states encrypted with a key a record, and marks of searched texts."""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.dialects.postgresql import insert

from chassis.audit.tables import audit_key
from chassis.database import UnitOfWork

OF_TEXTS = "00000000-0000-0000-0000-000000000000"  # the record that no record is: its key marks searched texts
KEY_BITS, NONCE = 256, 12


def ensure_keys(work: UnitOfWork, record_ids: Iterable[str]) -> dict[str, bytes]:
    """The key of each record, made where there is none."""
    wanted = sorted(set(record_ids))
    if not wanted:
        return {}
    known = read_keys(work, wanted)
    missing = [one for one in wanted if one not in known]
    if missing:
        rows = [{"record_id": one, "key": AESGCM.generate_key(KEY_BITS)} for one in missing]
        work.execute(insert(audit_key).on_conflict_do_nothing(), rows)
        known |= read_keys(work, missing)
    return known


def read_keys(work: UnitOfWork, record_ids: Iterable[str]) -> dict[str, bytes]:
    """The keys there are."""
    asked = sa.bindparam("asked", list(record_ids), type_=sa.ARRAY(audit_key.c.record_id.type))
    rows = work.execute(sa.select(audit_key).where(audit_key.c.record_id == sa.any_(asked)))
    return {row.record_id: bytes(row.key) for row in rows}


def forget_values(work: UnitOfWork, record_ids: Iterable[str]) -> int:
    """Make the values of records unreadable for good; who did what when stays. Returns: how many had a key."""
    asked = sa.bindparam("asked", list(record_ids), type_=sa.ARRAY(audit_key.c.record_id.type))
    return int(work.execute(sa.delete(audit_key).where(audit_key.c.record_id == sa.any_(asked))).rowcount)


def lock_value(key: bytes, value: bytes) -> bytes:
    """A value that only the key opens."""
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, value, None)


def open_value(keys: Mapping[str, bytes], record_id: str, locked: bytes | None) -> bytes:
    """The value; empty where there is none, or where its key is gone."""
    if locked is None or record_id not in keys:
        return b""
    try:
        return AESGCM(keys[record_id]).decrypt(locked[:NONCE], locked[NONCE:], None)
    except InvalidTag:
        return b""


def mark_text(key: bytes, text: str) -> bytes:
    """The same for the same words in any case and with any blanks, and nothing that leads back to them."""
    return hmac.digest(key, " ".join(text.casefold().split()).encode(), "sha256")
