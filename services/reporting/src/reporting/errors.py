"""The refusals only reporting knows; the others are the chassis' and the units'."""

from __future__ import annotations

from chassis.errors import DomainError, FieldInvalid, FieldViolation, Kind


class ReportNotFound(DomainError):
    """No such report."""

    kind = Kind.NOT_FOUND
    reason = "REPORT_NOT_FOUND"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no report {name!r}; ListReports names them", metadata={"report": name[:100]})


def invalid(field: str, description: str) -> FieldInvalid:
    """A refusal of one field, saying what is wrong and the way out."""
    return FieldInvalid(FieldViolation(field, description))
