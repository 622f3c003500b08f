"""Which fields there are: asked for at most every two seconds, so that no card waits for a question about none."""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from contacts.customer_fields.fields import NO_RULES, CustomerField, Rules
from contacts.tables import customer_field
from units.tables import unit
from values.own_fields import FieldType

SECONDS = 2.0  # a change holds everywhere within a minute; this is what every process is behind at most
PERSON, ORGANIZATION = "person", "organization"

_known: dict[Any, tuple[float, tuple[CustomerField, ...]]] = {}  # by database: a process may serve several


def known_fields(work: UnitOfWork) -> tuple[CustomerField, ...]:
    """All fields, retired ones among them, in the order of forms."""
    url = work.connection.engine.url
    found = _known.get(url)
    if found is None or time.monotonic() - found[0] > SECONDS:
        asked = time.monotonic()
        found = _known[url] = asked, read_fields(work)
    return found[1]


def forget_fields(url: sa.URL) -> None:
    """Ask anew next time, as after a change by this process."""
    _known.pop(url, None)


def rules_for(work: UnitOfWork, record_type: str, unit_path: str) -> Rules:
    """What holds for cards of this type that somebody of this unit writes."""
    fields = [one for one in known_fields(work) if one.record_type == record_type]
    return Rules(fields, unit_path) if fields else NO_RULES


def read_fields(work: UnitOfWork) -> tuple[CustomerField, ...]:
    """All fields as they are stored."""
    c = customer_field.c
    home = unit.c.id == sa.cast(sa.func.nullif(c.unit_id, ""), unit.c.id.type)
    found = sa.select(customer_field, unit.c.path).select_from(customer_field.outerjoin(unit, home))
    rows = work.execute(found.order_by(c.record_type.desc(), c.position, c.label, c.id))
    return tuple(field_of(row) for row in rows)


def field_of(row: Any) -> CustomerField:
    """A stored field."""
    return CustomerField(
        row.id, row.version, row.record_type, row.key, row.label, FieldType(row.type), row.labels, row.required,
        tuple(row.choices), row.default_value, row.unit_id, row.path or "", row.retired,
    )  # fmt: skip
