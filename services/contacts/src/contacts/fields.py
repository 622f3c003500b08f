"""What a text or a date of a request must be: how long, without NUL, on the calendar. Each refusal names its field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from chassis.errors import FieldInvalid
from chassis.ids import is_id
from contacts.errors import invalid

NAME, ROLE, LABEL, TEXT, TAX_ID, EXTERNAL_ID = 300, 200, 50, 500, 50, 255
ATTRIBUTE_NAME, ATTRIBUTE, ATTRIBUTES = 100, 2_000, 50


def read_text(field: str, text: str, most: int, *, exact: bool = False) -> str:
    """The text without blanks around it, or `exact` as it is. Errors: FieldInvalid (longer than `most`, or a NUL)."""
    if not text:  # most fields of most rows
        return text
    text = text if exact else text.strip()
    if len(text) > most:
        raise invalid(field, f"has {len(text)} characters; at most {most} are kept", "TOO_LONG")
    if "\x00" in text:
        raise invalid(field, "holds the character NUL, which no database keeps; remove it", "NUL")
    return text


def read_attributes(field: str, attributes: Mapping[str, str]) -> dict[str, str]:
    """The further facts with names and texts checked. Errors: FieldInvalid."""
    if not attributes:
        return {}
    if len(attributes) > ATTRIBUTES:
        raise invalid(field, f"has {len(attributes)} entries; at most {ATTRIBUTES} are kept", "TOO_MANY")
    read: dict[str, str] = {}
    for given, text in attributes.items():
        name = read_text(field, given, ATTRIBUTE_NAME)
        if name and text:
            whole = len(text) <= ATTRIBUTE and "\x00" not in text  # nearly always: its name is then not put into words
            read[name] = text if whole else read_text(f"{field}[{given[:50]}]", text, ATTRIBUTE, exact=True)
    return read


def read_id(field: str, text: str) -> str:
    """An id or nothing. Errors: FieldInvalid."""
    if text and not is_id(text):
        raise invalid(field, f"{text[:50]!r} is not an id", "NOT_AN_ID")
    return text


def read_moment(field: str, stamp: Timestamp) -> datetime:
    """An instant that a database keeps. Errors: FieldInvalid."""
    try:
        return stamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise invalid(field, "is before the year 1 or after 9999", "OUT_OF_RANGE") from None


def words_of(trouble: FieldInvalid) -> tuple[str, str]:
    """The reason of a refused row as a word for machines, and the sentence for people."""
    return "field_" + trouble.violations[0].reason.lower(), trouble.message
