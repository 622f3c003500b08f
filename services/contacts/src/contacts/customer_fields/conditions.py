"""Conditions on fields of a company's own, as `height>=180`: read into values and predicates that an index answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from chassis.errors import NotPermitted
from contacts.customer_fields.fields import CustomerField, Rules
from contacts.customer_fields.knowing import known_fields
from contacts.errors import invalid
from contacts.tables import customer_field_value
from values.own_fields import FieldType

MOST = 5
WRITTEN = re.compile(r"([^=<>]+)(>=|<=|=)(.*)", re.DOTALL)
ATTRIBUTES = "customer.attributes"
IS, LEAST, UTMOST, FILLED, EMPTY = "is", "least", "utmost", "filled", "empty"
COMPARED = (FieldType.NUMBER, FieldType.MONEY, FieldType.DATE)


def read_conditions(work: UnitOfWork, record_type: str, written: Sequence[str]) -> dict[str, Any]:
    """Values by the names of predicates, as `field0_least`, with those of the fields, as `field0`.

    Errors: FieldInvalid; NotPermitted for who sees none of these values.
    """
    if not written:
        return {}
    if work.access.hides(ATTRIBUTES):
        raise NotPermitted("your positions do not show these facts", metadata={"field": ATTRIBUTES})
    if len(written) > MOST:
        raise invalid("field_conditions", f"has {len(written)}; use at most {MOST}", "TOO_MANY")
    rules = Rules((one for one in known_fields(work) if one.record_type == record_type), "")
    values: dict[str, Any] = {}
    for at, text in enumerate(written):
        field, sign, value = _read(rules, record_type, text)
        values |= {f"field{at}": field.id, f"field{at}_{sign}": value}
    return values


def knows_fields(work: UnitOfWork, record_type: str, written: Sequence[str]) -> bool:
    """Tell whether all fields that conditions name are fields of this type of cards."""
    rules = Rules((one for one in known_fields(work) if one.record_type == record_type), "")
    keys = [found[1].strip() if (found := WRITTEN.fullmatch(text)) else "" for text in written]
    return all(rules.find(key) for key in keys)


def is_condition(name: str) -> bool:
    """Tell whether a name is one of `read_conditions`."""
    return name.startswith("field") and "_" in name


def predicate(name: str, table: Any) -> sa.ColumnElement[bool]:
    """The predicate of a name such as `field0_least` for cards of a table."""
    at, _, sign = name.partition("_")
    c = customer_field_value.c
    found: list[sa.ColumnElement[bool]] = [c.field_id == sa.bindparam(at, type_=c.field_id.type)]
    if sign == IS:
        # As the trigger folds what it keeps: by the same functions, so that both have one idea of large letters.
        found.append(c.text == sa.func.lower(sa.func.left(sa.bindparam(name, type_=sa.Text), 200)))
    elif sign == LEAST:
        found.append(c.number >= sa.bindparam(name, type_=sa.Numeric))
    elif sign == UTMOST:
        found.append(c.number <= sa.bindparam(name, type_=sa.Numeric))
    else:  # the value says nothing, but a statement takes every value that it is given
        found.append(sa.bindparam(name, type_=sa.Boolean))
    cards = sa.select(c.record_id).where(*found)
    wanted: sa.ColumnElement[bool] = table.c.id.not_in(cards) if sign == EMPTY else table.c.id.in_(cards)
    return wanted


def _read(rules: Rules, record_type: str, text: str) -> tuple[CustomerField, str, Any]:
    found = WRITTEN.fullmatch(text[:2_200])
    if found is None or "\x00" in text:
        raise invalid("field_conditions", f"{text[:50]!r} is no condition; write it as key=value or key>=value")
    key, sign, value = found[1].strip(), found[2], found[3].strip()
    field = rules.find(key)
    if field is None:
        raise invalid("field_conditions", f"{key[:50]!r} is no field of a {record_type}", "UNKNOWN")
    if sign == "=" and value in ("", "*"):
        return field, FILLED if value else EMPTY, True
    if sign == "=":
        return field, IS, field.read("field_conditions", value)
    if field.type not in COMPARED:
        raise invalid("field_conditions", f"{field.label} is no number and no day; use =")
    bare = value if field.type is not FieldType.MONEY or " " in value else f"{value} XXX"
    number = field.read("field_conditions", bare).partition(" ")[0]
    if not number:
        raise invalid("field_conditions", f"{text[:50]!r} compares with nothing", "MISSING")
    return field, LEAST if sign == ">=" else UTMOST, Decimal(number.replace("-", "") if _is_day(field) else number)


def _is_day(field: CustomerField) -> bool:
    return field.type is FieldType.DATE
