"""Batches of one file are joined in the order of the file, also where the next one is being prepared already.

A batch holds the lock of its own request id from its first moment to its commit; whoever comes after it waits for that.
A sender has the batch before under way when it sends one, but the smaller of two may arrive first: so one that is
neither done nor under way is waited for a while. After a crash it may never come; then match keys keep two batches of
one customer apart in any order, only which of two rows made the card would be the other one.
"""

from __future__ import annotations

import time

import sqlalchemy as sa
from google.protobuf.message import Message

from chassis.database import UnitOfWork
from chassis.once import is_answered
from chassis.prepared import Prepared

ARRIVES_WITHIN = 5.0  # seconds, of a request that was sent before
LOOK_AGAIN = 0.005
_KEY = "hashtextextended(:request, 1)"
_LOCK = Prepared(sa.text(f"SELECT pg_advisory_xact_lock({_KEY})"))
_IS_FREE = Prepared(
    sa.text(f"SELECT CASE WHEN pg_try_advisory_lock({_KEY}) THEN pg_advisory_unlock({_KEY}) ELSE false END AS free")
)


def begin_turn(work: UnitOfWork, request_id: str) -> None:
    """Have those who come after this request wait for the end of this transaction."""
    if request_id:
        work.fetch(_LOCK, {"request": request_id})


def await_turn(work: UnitOfWork, kind: type[Message], request_id: str) -> None:
    """Wait for the transaction that does this request of a kind; for one that does not come, a few seconds."""
    end = time.monotonic() + ARRIVES_WITHIN
    while request_id and not is_answered(work, kind, request_id) and time.monotonic() < end:
        if not work.fetch(_IS_FREE, {"request": request_id})[0][0]:
            work.fetch(_LOCK, {"request": request_id})
            return
        time.sleep(LOOK_AGAIN)
