"""Every refusal of scheduling, one class a reason of its contract."""

from __future__ import annotations

from chassis.errors import DomainError, FieldInvalid, FieldViolation, Kind


class ActivityNotFound(DomainError):
    """No such activity, or not visible to the caller."""

    kind = Kind.NOT_FOUND
    reason = "ACTIVITY_NOT_FOUND"

    def __init__(self, activity_id: str) -> None:
        shown = activity_id[:60]
        super().__init__(f"there is no activity {shown!r} that you may see", metadata={"activity": shown})


class ActivityClosed(DomainError):
    """The activity is done or cancelled."""

    kind = Kind.PRECONDITION
    reason = "ACTIVITY_CLOSED"

    def __init__(self, activity_id: str, state: str) -> None:
        super().__init__(
            f"the activity is {state} already and changes no more", metadata={"activity": activity_id, "state": state}
        )


class NobodyToRemind(DomainError):
    """The customer has the move, and no service can remind customers."""

    kind = Kind.PRECONDITION
    reason = "NOBODY_TO_REMIND"

    def __init__(self) -> None:
        super().__init__("it is the customer's move; call them, or say that it is a user's move")


class AbsenceNotFound(DomainError):
    """No such absence, or not visible to the caller."""

    kind = Kind.NOT_FOUND
    reason = "ABSENCE_NOT_FOUND"

    def __init__(self, absence_id: str) -> None:
        shown = absence_id[:60]
        super().__init__(f"there is no absence {shown!r} that you may see", metadata={"absence": shown})


def invalid(field: str, description: str) -> FieldInvalid:
    """One field's refusal."""
    return FieldInvalid(FieldViolation(field, description))
