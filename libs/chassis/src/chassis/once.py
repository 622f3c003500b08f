"""The same request id gives the same answer and one effect, also when both run at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa
from google.protobuf.message import Message
from sqlalchemy.dialects.postgresql import insert

from chassis.database import UnitOfWork
from chassis.errors import FieldInvalid, FieldViolation, RequestIdReused
from chassis.prepared import Prepared
from chassis.schema import idempotency

A = TypeVar("A", bound=Message)
MAX_KEY = 255

_OURS = sa.and_(*(idempotency.c[name] == sa.bindparam(f"our_{name}") for name in ("principal", "method", "key")))
_CLAIM = Prepared(
    insert(idempotency)
    .values({name: sa.bindparam(f"our_{name}") for name in ("principal", "method", "key", "body_sha256")})
    .on_conflict_do_nothing()
)
_FIND = Prepared(sa.select(idempotency.c.body_sha256, idempotency.c.answer).where(_OURS))
_IS_THERE = Prepared(sa.select(sa.literal(1)).where(_OURS))
_KEEP = Prepared(sa.update(idempotency).where(_OURS).values(answer=sa.bindparam("the_answer")))


def answer_once(work: UnitOfWork, request: Message, answer_type: type[A], act: Callable[[], A]) -> A:
    """Answer a request; a repeated `request_id` of the same caller gets the stored answer, and `act` changes nothing.

    The id is claimed in one trip with the first statement of `act`, which is where a repeated one ends. An empty
    request id means no protection. Errors: RequestIdReused when the id came with other content, FieldInvalid when it is
    longer than 255 characters or holds the character NUL.
    """
    key = getattr(request, "request_id", "")
    if not key:
        return act()
    if len(key) > MAX_KEY:
        raise FieldInvalid(FieldViolation("request_id", f"is longer than {MAX_KEY} characters; send a shorter one"))
    if "\0" in key:
        raise FieldInvalid(FieldViolation("request_id", "holds the character NUL; send one without"))
    digest = hashlib.sha256(request.SerializeToString(deterministic=True)).digest()
    ours = _names(work, request.DESCRIPTOR.full_name, key)
    claim = _Claim()
    work.run_later(_CLAIM, {**ours, "our_body_sha256": digest}, claim.look)  # waits for a twin that is under way
    try:
        answer = act()
        if not claim.is_had:  # the act asked nothing of the database
            work.send_waiting()
    except _Taken:
        work.begin_anew()
        [found] = work.fetch(_FIND, ours)
        if found.body_sha256 != digest:
            raise RequestIdReused(f"request id {key!r} was used for a different request; use a new one") from None
        return answer_type.FromString(found.answer)
    work.run_later(_KEEP, {**ours, "the_answer": answer.SerializeToString()})
    return answer


class _Taken(Exception):
    """The request id is in use."""


class _Claim:
    """Whether the request id is had."""

    is_had = False

    def look(self, touched: int) -> None:
        if not touched:
            raise _Taken
        self.is_had = True


def is_answered(work: UnitOfWork, kind: type[Message], request_id: str) -> bool:
    """Tell whether the caller's request of this kind and id was done."""
    return bool(work.fetch(_IS_THERE, _names(work, kind.DESCRIPTOR.full_name, request_id)))


def _names(work: UnitOfWork, method: str, key: str) -> dict[str, str]:
    return {"our_principal": work.access.user_id or work.access.service, "our_method": method, "our_key": key}
