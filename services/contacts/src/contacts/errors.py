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


class KnownElsewhere(DomainError):
    """The customer is known, to a unit whose customers the caller may not see; `metadata` names the unit only."""

    kind = Kind.ALREADY_EXISTS
    reason = "KNOWN_ELSEWHERE"

    def __init__(self, record_type: str, unit_id: str, unit_name: str) -> None:
        super().__init__(
            f"this {record_type} is known to {unit_name or 'another unit'} already; ask for access to the card",
            metadata={"record_type": record_type, "unit_id": unit_id, "unit_name": unit_name},
        )


class NobodyToAsk(DomainError):
    """What was described is no customer of another unit."""

    kind = Kind.PRECONDITION
    reason = "NOT_KNOWN_ELSEWHERE"

    def __init__(self) -> None:
        super().__init__("nobody elsewhere has this customer, or you may see the card already; enter the customer")


class AccessRequestNotFound(DomainError):
    """No such request for access, or not for the caller to see or decide."""

    kind = Kind.NOT_FOUND
    reason = "ACCESS_REQUEST_NOT_FOUND"

    def __init__(self, request_id: str) -> None:
        super().__init__(f"there is no request for access {request_id[:50]!r} that you may decide")


class AccessRequestDecided(DomainError):
    """Somebody decided before."""

    kind = Kind.PRECONDITION
    reason = "ACCESS_REQUEST_DECIDED"

    def __init__(self, state: str) -> None:
        super().__init__(f"this request was {state} already")


class PossibleDuplicateNotFound(DomainError):
    """These two cards are not listed as a pair, or the caller may not see both."""

    kind = Kind.NOT_FOUND
    reason = "POSSIBLE_DUPLICATE_NOT_FOUND"

    def __init__(self, first_id: str, second_id: str) -> None:
        super().__init__(f"{first_id[:50]!r} and {second_id[:50]!r} are no pair of cards that you may see")


class CustomerMerged(DomainError):
    """The card is part of another one by now, which `metadata` names."""

    kind = Kind.PRECONDITION
    reason = "CUSTOMER_MERGED"

    def __init__(self, record_type: str, record_id: str, survivor_id: str) -> None:
        super().__init__(
            f"this {record_type} was merged into another card; open that one",
            metadata={"record_type": record_type, "record_id": record_id, "survivor_id": survivor_id},
        )


class MergeNotFound(DomainError):
    """There is no such merge, or the caller may not see its survivor."""

    kind = Kind.NOT_FOUND
    reason = "MERGE_NOT_FOUND"

    def __init__(self, merge_id: str) -> None:
        super().__init__(f"there is no merge {merge_id[:50]!r} that you may see", metadata={"merge": merge_id[:50]})


class MergeUndone(DomainError):
    """Somebody undid the merge before."""

    kind = Kind.PRECONDITION
    reason = "MERGE_UNDONE"

    def __init__(self) -> None:
        super().__init__("this merge was undone already; its cards are there again")


class ImportNotKept(DomainError):
    """Nothing is kept of what an import changed."""

    kind = Kind.PRECONDITION
    reason = "IMPORT_NOT_KEPT"

    def __init__(self, run_id: str) -> None:
        super().__init__(
            "nothing is kept of what this import changed: it was too long ago, or it took no customers over",
            metadata={"run": run_id[:50]},
        )


class CustomerFieldNotFound(DomainError):
    """No such field of the company's own."""

    kind = Kind.NOT_FOUND
    reason = "CUSTOMER_FIELD_NOT_FOUND"

    def __init__(self, field_id: str) -> None:
        super().__init__(f"there is no field {field_id[:50]!r}", metadata={"customer_field": field_id[:50]})


class CustomerFieldKnown(DomainError):
    """Another field of these cards has the key."""

    kind = Kind.ALREADY_EXISTS
    reason = "CUSTOMER_FIELD_KNOWN"

    def __init__(self, record_type: str, key: str) -> None:
        super().__init__(
            f"there is a field {key!r} of a {record_type} already; change it, or use another key",
            metadata={"record_type": record_type, "key": key},
        )


class SegmentNotFound(DomainError):
    """No such segment, or it is made from customers that the caller does not see."""

    kind = Kind.NOT_FOUND
    reason = "SEGMENT_NOT_FOUND"

    def __init__(self, segment_id: str) -> None:
        super().__init__(
            f"there is no segment {segment_id[:50]!r} that you may see", metadata={"segment": segment_id[:50]}
        )


def invalid(field: str, description: str, reason: str = "INVALID") -> FieldInvalid:
    """The refusal of one field; `reason` is a word for machines."""
    return FieldInvalid(FieldViolation(field, description, reason))
