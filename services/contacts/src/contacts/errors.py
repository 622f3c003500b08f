"""Every refusal of contacts, one class a reason."""

from __future__ import annotations

from chassis.errors import DomainError, FieldInvalid, FieldViolation, Kind


class PersonNotFound(DomainError):
    """No such person, or not visible to the caller."""

    kind = Kind.NOT_FOUND
    reason = "PERSON_NOT_FOUND"

    def __init__(self, person_id: str) -> None:
        super().__init__(f"there is no person {person_id[:50]!r} that you may see", metadata={"person": person_id[:50]})


class OrganizationNotFound(DomainError):
    """No such organization, or not visible to the caller."""

    kind = Kind.NOT_FOUND
    reason = "ORGANIZATION_NOT_FOUND"

    def __init__(self, organization_id: str) -> None:
        super().__init__(
            f"there is no organization {organization_id[:50]!r} that you may see",
            metadata={"organization": organization_id[:50]},
        )


class MatchKeyTaken(DomainError):
    """Another card already holds this identity; `metadata` names the card and what is shared."""

    kind = Kind.ALREADY_EXISTS
    reason = "MATCH_KEY_TAKEN"

    def __init__(self, record_type: str, record_id: str, shared: str) -> None:
        super().__init__(
            f"another {record_type} has the same {shared}; open that card or change the value",
            metadata={"record_type": record_type, "record_id": record_id, "shared": shared},
        )


def invalid(field: str, description: str, reason: str = "INVALID") -> FieldInvalid:
    """The refusal of one field; `reason` is a word for machines."""
    return FieldInvalid(FieldViolation(field, description, reason))
