"""How a value of a record is written into a cell: always as text, of which the column's type says what it is.

Numbers are decimal text, days and moments ISO 8601 in UTC; what is unknown or may not be seen is empty.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from chassis.money import from_money
from crm.contacts.v1 import contacts_pb2 as contacts

TEXT, NUMBER, DATE, TIME = "text", "number", "date", "time"
BETWEEN = "; "  # several values in one cell, as imports takes them apart


@dataclass(frozen=True)
class Around:
    """Names that the records of a page refer to, by their ids."""

    users: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    persons: dict[str, str] = field(default_factory=dict)
    organizations: dict[str, str] = field(default_factory=dict)


Reader = Callable[[Any, Around], str]


def text_of(name: str) -> Reader:
    """A text of the record."""
    return lambda record, _: str(getattr(record, name))


def texts_of(name: str) -> Reader:
    """Several texts of the record."""
    return lambda record, _: BETWEEN.join(getattr(record, name))


def day_of(name: str) -> Reader:
    """A day of the record."""

    def read(record: Any, _: Around) -> str:
        day = getattr(record, name)
        return f"{day.year:04}-{day.month:02}-{day.day:02}" if day.year and day.month and day.day else ""

    return read


def time_of(name: str) -> Reader:
    """A moment of the record."""

    def read(record: Any, _: Around) -> str:
        if not record.HasField(name):
            return ""
        return str(getattr(record, name).ToDatetime(UTC).replace(microsecond=0).isoformat())

    return read


def word_of(enum: Any, name: str, prefix: str) -> Reader:
    """A word of an enum, small and without what all words of it begin with."""
    return lambda record, _: (
        str(enum.Name(number)).removeprefix(prefix).lower() if (number := getattr(record, name)) else ""
    )


def amount_of(name: str) -> Reader:
    """The number of money."""
    return lambda record, _: (
        format(from_money(getattr(record, name))[0].normalize(), "f") if record.HasField(name) else ""
    )


def currency_of(name: str) -> Reader:
    """The currency of money."""
    return lambda record, _: str(getattr(record, name).currency_code) if record.HasField(name) else ""


def address_of(part: str) -> Reader:
    """A part of the postal address."""
    return lambda record, _: str(getattr(record.address, part))


def channels_of(kind: int) -> Reader:
    """The ways of one kind to reach a customer; a telephone with its extension."""

    def read(record: Any, _: Around) -> str:
        return BETWEEN.join(_channel(one) for one in record.channels if one.kind == kind and (one.value or one.raw))

    return read


def _channel(one: contacts.Channel) -> str:
    value = one.value or one.raw
    return f"{value} ext. {one.extension}" if one.extension else value


def employer(part: str) -> Reader:
    """A fact of the present membership."""

    def read(record: Any, _: Around) -> str:
        present = (one for one in record.affiliations if not one.HasField("end_date"))
        return str(getattr(next(present, contacts.Affiliation()), part))

    return read


def products_of(record: Any, _: Around) -> str:
    """The products of a deal with their quantities."""
    return BETWEEN.join(f"{one.product_name} × {one.quantity}" for one in record.line_items)


def user_of(name: str) -> Reader:
    """The name of a user."""
    return lambda record, around: around.users.get(getattr(record, name), "")


def unit_of(name: str) -> Reader:
    """The name of a unit."""
    return lambda record, around: around.units.get(getattr(record, name), "")


def units_of(name: str) -> Reader:
    """The names of several units."""
    return lambda record, around: BETWEEN.join(
        found for one in getattr(record, name) if (found := around.units.get(one, ""))
    )


def person_of(name: str) -> Reader:
    """The name of a person."""
    return lambda record, around: around.persons.get(getattr(record, name), "")


def organization_of(name: str) -> Reader:
    """The name of an organization."""
    return lambda record, around: around.organizations.get(getattr(record, name), "")
