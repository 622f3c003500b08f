"""What went wrong, as typed facts that no transport has touched yet."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass


class Kind(enum.Enum):
    """How a caller should take an error; the doors map it to gRPC codes and HTTP statuses."""

    INVALID = "invalid"
    NOT_FOUND = "not_found"
    ALREADY_EXISTS = "already_exists"
    PRECONDITION = "precondition"
    CONFLICT = "conflict"
    FORBIDDEN = "forbidden"
    UNAUTHENTICATED = "unauthenticated"
    EXHAUSTED = "exhausted"
    UNAVAILABLE = "unavailable"
    DEADLINE = "deadline"
    INTERNAL = "internal"


@dataclass(frozen=True)
class FieldViolation:
    """A field that cannot have its value: `field` as in the contract, `description` with the way out."""

    field: str
    description: str
    reason: str = "INVALID"


class DomainError(Exception):
    """A refusal with a kind, a reason of the service's contract, a sentence, and every value in `metadata`."""

    kind: Kind = Kind.INTERNAL
    reason: str = "ERROR_REASON_UNSPECIFIED"

    def __init__(
        self,
        message: str,
        *,
        metadata: Mapping[str, str] | None = None,
        violations: tuple[FieldViolation, ...] = (),
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.metadata = dict(metadata or {})
        self.violations = violations
        self.retry_after_seconds = retry_after_seconds


class FieldInvalid(DomainError):
    """A field has a value it cannot have."""

    kind = Kind.INVALID
    reason = "FIELD_INVALID"

    def __init__(self, *violations: FieldViolation) -> None:
        super().__init__("; ".join(f"{one.field}: {one.description}" for one in violations), violations=violations)


class StaleEtag(DomainError):
    """The record changed since the caller read it; `metadata["current"]` may carry the current values."""

    kind = Kind.CONFLICT
    reason = "STALE_ETAG"


class NotPermitted(DomainError):
    """The caller's positions do not allow this."""

    kind = Kind.FORBIDDEN
    reason = "NOT_PERMITTED"


class RequestIdReused(DomainError):
    """The request id was used for a different request."""

    kind = Kind.CONFLICT
    reason = "REQUEST_ID_REUSED"


class PageTokenInvalid(DomainError):
    """The page token is not one of ours."""

    kind = Kind.INVALID
    reason = "PAGE_TOKEN_INVALID"


class NotSignedIn(DomainError):
    """The call carries no valid token."""

    kind = Kind.UNAUTHENTICATED
    reason = "NOT_SIGNED_IN"


class Unexpected(DomainError):
    """A fault of ours; the trace id leads to the log."""

    reason = "INTERNAL"


class RemoteError(DomainError):
    """A refusal of another service, as it said it."""

    def __init__(self, kind: Kind, reason: str, message: str, *, service: str = "", **more: object) -> None:
        super().__init__(message, **more)  # type: ignore[arg-type]
        self.kind = kind
        self.reason = reason
        self.service = service


class ServiceNotHere(DomainError):
    """This process does not hold the named service."""

    kind = Kind.NOT_FOUND
    reason = "SERVICE_NOT_HERE"
