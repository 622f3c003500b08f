"""The refusals a server itself makes, and what trouble with the database means to a caller; knows no servicer."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence

import sqlalchemy as sa
from google.protobuf.message import Message

from chassis.database import RETRYABLE, sqlstate_of
from chassis.errors import DomainError, FieldInvalid, FieldViolation, Kind, Unexpected

log = logging.getLogger(__name__)
# 08 connection, 53 resources (disk full, too many connections), 57P0x shut down; 25006 a standby not yet promoted.
AWAY = ("08", "53", "57P")
QUERY_CANCELED, READ_ONLY = "57014", "25006"
# The character NUL: refused by the driver (no state), as text, or inside JSON.
NUL_REFUSED = ("", "22021", "22P05")


class DeadlineMissing(DomainError):
    """The caller set no deadline, or hardly any time is left."""

    kind = Kind.DEADLINE
    reason = "DEADLINE_EXCEEDED"


class TookTooLong(DomainError):
    """The database was not done within the service's statement timeout; the same call again takes as long."""

    kind = Kind.DEADLINE
    reason = "DEADLINE_EXCEEDED"


class NotAvailable(DomainError):
    """The service's database cannot be reached, or asks to try again."""

    kind = Kind.UNAVAILABLE
    reason = "SERVICE_NOT_AVAILABLE"


def refusal_of(trouble: sa.exc.SQLAlchemyError, request: Message) -> DomainError:
    """What a caller is told when the database refused: wait, ask for less, mend a field, or that it is our fault."""
    state = sqlstate_of(trouble) if isinstance(trouble, sa.exc.DBAPIError) else ""
    if _is_away(trouble, state):
        log.warning("database not available", extra={"sqlstate": state})
        return NotAvailable("the service cannot reach its database now; try again", retry_after_seconds=1)
    if state == QUERY_CANCELED:
        log.warning("statement took too long")
        return TookTooLong("that took too long; ask for less at once")
    if isinstance(trouble, sa.exc.DataError) and state in NUL_REFUSED:
        found = next(fields_with_nul(request), None)
        if found is not None:
            return FieldInvalid(FieldViolation(found, "holds the character NUL, which cannot be stored; remove it"))
    log.error("statement failed", extra={"sqlstate": state}, exc_info=trouble)
    return Unexpected("something went wrong on our side; it has been recorded")


def fields_with_nul(message: Message, path: str = "") -> Iterator[str]:
    """The paths of text fields that hold the character NUL, such as `person.emails[1]`."""
    for field, value in message.ListFields():
        yield from _nul_below(value, f"{path}.{field.name}" if path else field.name)


def _nul_below(value: object, path: str) -> Iterator[str]:
    if isinstance(value, str):
        if "\0" in value:
            yield path
    elif isinstance(value, Message):
        yield from fields_with_nul(value, path)
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _nul_below(key, path)
            yield from _nul_below(one, f"{path}[{key!r}]")
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        for place, one in enumerate(value):
            yield from _nul_below(one, f"{path}[{place}]")


def _is_away(trouble: sa.exc.SQLAlchemyError, state: str) -> bool:
    if isinstance(trouble, sa.exc.TimeoutError):  # every connection of the pool is in use
        return True
    if not isinstance(trouble, sa.exc.DBAPIError):
        return False
    lost = not state and isinstance(trouble, sa.exc.OperationalError | sa.exc.InterfaceError)
    return trouble.connection_invalidated or lost or state in RETRYABLE or state == READ_ONLY or state.startswith(AWAY)
