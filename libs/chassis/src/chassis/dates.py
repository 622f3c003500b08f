"""Days on the wire (google.type.Date) and days in Python, each impossible day refused by field."""

from __future__ import annotations

from datetime import date

from google.type import date_pb2

from chassis.errors import FieldInvalid, FieldViolation


def to_date(day: date | None) -> date_pb2.Date | None:
    """The day as a message; None stays None, which leaves a message field unset."""
    return None if day is None else date_pb2.Date(year=day.year, month=day.month, day=day.day)


def from_date(message: date_pb2.Date, field: str) -> date | None:
    """The day of a message, None where it is unset or all zero. Errors: FieldInvalid naming `field`.

    A month or a year without its day is no day and is refused too.
    """
    if not (message.year or message.month or message.day):
        return None
    try:
        return date(message.year, message.month, message.day)
    except (ValueError, OverflowError):
        written = f"{message.year:04d}-{message.month:02d}-{message.day:02d}"
        raise FieldInvalid(FieldViolation(field, f"{written} is not a day of the calendar; give one that is")) from None
