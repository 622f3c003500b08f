"""Moments on the wire (google.protobuf.Timestamp) and aware datetimes in Python."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from deals.errors import invalid


def from_time(message: Timestamp, field: str) -> datetime:
    """The moment of a message, in UTC. Errors: FieldInvalid naming `field` when there is no such moment."""
    try:
        return message.ToDatetime(UTC)
    except (ValueError, OverflowError):
        raise invalid(field, f"{message.seconds} seconds is no moment of the calendar; give one that is") from None
