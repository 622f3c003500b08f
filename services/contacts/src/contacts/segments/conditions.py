"""Conditions of segments: what may be asked of a person, read from a request and made a predicate. No rights here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa

from chassis.database import UnitOfWork
from chassis.ids import is_id
from contacts.customer_fields.fields import CustomerField, Rules
from contacts.customer_fields.knowing import PERSON, known_fields
from contacts.errors import invalid
from contacts.fields import ATTRIBUTE, read_text
from contacts.tables import affiliation, channel, customer_field_value, interaction, organization, person
from contacts.visibility import known_below
from crm.contacts.v1 import contacts_pb2 as pb
from units.visibility import unit_ids_below
from values.own_fields import FieldType

MOST = 20
MOST_DAYS = 3_650
ATTRIBUTES = "attributes."
IS, IS_NOT, LEAST, UTMOST, FILLED, EMPTY, WITHIN, NOT_WITHIN = (
    "is", "is_not", "at_least", "at_most", "filled", "empty", "within_days", "not_within_days",
)  # fmt: skip
OPERATORS = {
    number: name.removeprefix("SEGMENT_OPERATOR_").lower() for name, number in pb.SegmentOperator.items() if number
}
NUMBERS = {word: number for number, word in OPERATORS.items()}
# What is the opposite of another predicate: never reached is not reached within any days, nothing is not Tula.
OPPOSITES = {IS_NOT: IS, EMPTY: FILLED, NOT_WITHIN: WITHIN}
COMPARED = (FieldType.NUMBER, FieldType.MONEY, FieldType.DATE)

Predicate = sa.ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Condition:
    """One fact asked for; `value` in its one spelling."""

    field: str
    operator: str
    value: str


class Now(NamedTuple):
    """When and for which subtree a predicate is made."""

    time: datetime
    unit_path: str
    fields: dict[str, CustomerField]


class Fact(NamedTuple):
    """A fact of persons: how its value is read, with which operators, and what says it of a person.

    `say` is asked for IS, FILLED and WITHIN only. `confidential` is the field that its reader must be shown.
    """

    operators: tuple[str, ...]
    read: Callable[[str, str], str]
    say: Callable[[str, str, Now], Predicate]
    confidential: str = ""


def read_conditions(work: UnitOfWork, asked: Sequence[pb.SegmentCondition]) -> list[Condition]:
    """The conditions with their values in one spelling. Errors: FieldInvalid, naming which one and the way out."""
    if not 0 < len(asked) <= MOST:
        raise invalid("segment.conditions", f"has {len(asked)} entries; name 1 to {MOST}")
    rules = Rules((one for one in known_fields(work) if one.record_type == PERSON), "")
    return [_read(f"segment.conditions[{at}]", one, rules) for at, one in enumerate(asked)]


def hidden_by(conditions: Iterable[Condition]) -> set[str]:
    """The confidential fields that conditions tell of; who is in a segment says what they hold."""
    return {name for one in conditions if (name := _confidential(one))}


def asks_interactions(conditions: Iterable[Condition]) -> bool:
    """Tell whether interactions decide who is in."""
    return any(one.field == "last_contact" for one in conditions)


def members_of(
    work: UnitOfWork, unit_path: str, conditions: Sequence[Condition], *, match_any: bool
) -> list[Predicate]:
    """The predicates of persons known below a unit of whom all conditions are true, or one of them."""
    fields = {one.key: one for one in known_fields(work) if one.record_type == PERSON}
    now = Now(work.now, unit_path, fields)
    each = [_predicate(one, now) for one in conditions]
    return [known_below(person, unit_path), sa.or_(*each) if match_any else sa.and_(*each)]


def _read(where: str, asked: pb.SegmentCondition, rules: Rules) -> Condition:
    operator = OPERATORS.get(asked.operator, "")
    if not operator:
        raise invalid(f"{where}.operator", "is not stated; say how it compares", "MISSING")
    if asked.field.startswith(ATTRIBUTES):
        return _read_attribute(where, asked, operator, rules)
    fact = FACTS.get(asked.field)
    if fact is None:
        raise invalid(
            f"{where}.field",
            f"{asked.field[:50]!r} is no fact that is known of a person here; use one of {', '.join(FACTS)}"
            f" or {ATTRIBUTES} and the key of an own field",
            "UNKNOWN",
        )
    _require_operator(where, asked.field, operator, fact.operators)
    return Condition(asked.field, operator, _read_value(where, operator, asked.value, fact.read))


def _read_attribute(where: str, asked: pb.SegmentCondition, operator: str, rules: Rules) -> Condition:
    field = rules.find(asked.field.removeprefix(ATTRIBUTES))
    if field is None:
        raise invalid(f"{where}.field", f"{asked.field[:50]!r} is no own field of persons in use", "UNKNOWN")
    known = (IS, IS_NOT, FILLED, EMPTY, *((LEAST, UTMOST) if field.type in COMPARED else ()))
    _require_operator(where, asked.field, operator, known)
    value = _read_value(where, operator, asked.value, field.read)
    return Condition(f"{ATTRIBUTES}{field.key}", operator, value)


def _require_operator(where: str, field: str, operator: str, known: Sequence[str]) -> None:
    if operator not in known:
        raise invalid(f"{where}.operator", f"{operator} does not fit {field[:50]}; use one of {', '.join(known)}")


def _read_value(where: str, operator: str, text: str, read: Callable[[str, str], str]) -> str:
    text = read_text(f"{where}.value", text, ATTRIBUTE)
    if operator in (FILLED, EMPTY):
        if text:
            raise invalid(f"{where}.value", f"says nothing to {operator}; leave it out")
        return ""
    if not text:
        raise invalid(f"{where}.value", "is empty; say what to compare with", "MISSING")
    return read(f"{where}.value", text)


def _predicate(one: Condition, now: Now) -> Predicate:
    operator = OPPOSITES.get(one.operator, one.operator)
    if one.field.startswith(ATTRIBUTES):
        said = _say_attribute(now.fields.get(one.field.removeprefix(ATTRIBUTES)), operator, one.value)
    else:
        said = FACTS[one.field].say(operator, one.value, now)
    return sa.not_(said) if one.operator in OPPOSITES else said


def _say_attribute(field: CustomerField | None, operator: str, value: str) -> Predicate:
    if field is None:
        return sa.false()
    c = customer_field_value.c
    found: list[Predicate] = [c.field_id == field.id, c.record_id == person.c.id]
    if operator == IS:
        found.append(c.text == sa.func.lower(sa.func.left(value, 200)))  # as migration 0080 folds what it keeps
    elif operator in (LEAST, UTMOST):
        bare = value.partition(" ")[0]
        number = Decimal(bare.replace("-", "") if field.type is FieldType.DATE else bare)
        found.append(c.number >= number if operator == LEAST else c.number <= number)
    return sa.exists().where(*found)


def _say_text(column: sa.Column[str]) -> Callable[[str, str, Now], Predicate]:
    def say(operator: str, value: str, _now: Now) -> Predicate:
        return sa.func.lower(column) == sa.func.lower(value) if operator == IS else column != ""

    return say


def _say_id(column: sa.Column[Any]) -> Callable[[str, str, Now], Predicate]:
    return lambda operator, value, _now: column == value if operator == IS else column != ""


def _say_channel(kind: str) -> Callable[[str, str, Now], Predicate]:
    return lambda _operator, _value, _now: sa.exists().where(channel.c.owner_id == person.c.id, channel.c.kind == kind)


def _say_created(_operator: str, value: str, now: Now) -> Predicate:
    return person.c.create_time >= now.time - timedelta(days=int(value))


def _say_contact(_operator: str, value: str, now: Now) -> Predicate:
    """Interactions of the segment's own units only: others' are not for all who see its members."""
    c = interaction.c
    since = now.time - timedelta(days=int(value))
    there = c.unit_id.in_(unit_ids_below(now.unit_path))
    return sa.exists().where(c.person_id == person.c.id, c.occur_time >= since, c.occur_time <= now.time, there)


def _say_affiliation(column: sa.Column[Any]) -> Callable[[str, str, Now], Predicate]:
    """Something of a membership that has not ended."""

    def say(operator: str, value: str, now: Now) -> Predicate:
        c = affiliation.c
        found: list[Predicate] = [c.person_id == person.c.id]
        found.append(sa.or_(c.end_date.is_(None), c.end_date >= now.time.date()))
        if column.table is organization:
            found.append(organization.c.id == c.organization_id)
        if column is c.organization_id:
            found += [column == value] if operator == IS else []
        else:
            found.append(_say_text(column)(operator, value, now))
        return sa.exists().where(*found)

    return say


def _read_plain(_where: str, text: str) -> str:
    return text


def _read_id(where: str, text: str) -> str:
    if not is_id(text):
        raise invalid(where, f"{text[:50]!r} is not an id", "NOT_AN_ID")
    return text


def _read_days(where: str, text: str) -> str:
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MOST_DAYS):
        raise invalid(where, f"{text[:50]!r} is no number of days; use 1 to {MOST_DAYS}")
    return str(int(text))


def _read_yes(where: str, text: str) -> str:
    if text not in ("yes", "no"):
        raise invalid(where, f"{text[:50]!r} is not yes or no")
    return text


def _confidential(one: Condition) -> str:
    return "customer.attributes" if one.field.startswith(ATTRIBUTES) else FACTS[one.field].confidential


_TEXT, _DAYS, _THERE = (IS, IS_NOT, FILLED, EMPTY), (WITHIN, NOT_WITHIN), (FILLED, EMPTY)
_ADDRESS, _CHANNELS = "customer.address", "customer.channels"
FACTS: dict[str, Fact] = {
    "individual_customer": Fact(
        (IS,), _read_yes, lambda _operator, value, _now: person.c.individual_customer == (value == "yes")
    ),
    "owner_id": Fact(_TEXT, _read_id, _say_id(person.c.owner_id)),
    "home_unit_id": Fact((IS, IS_NOT), _read_id, _say_id(person.c.unit_id)),
    "country": Fact(_TEXT, _read_plain, _say_text(person.c.country), _ADDRESS),
    "region": Fact(_TEXT, _read_plain, _say_text(person.c.region), _ADDRESS),
    "city": Fact(_TEXT, _read_plain, _say_text(person.c.city), _ADDRESS),
    "phone": Fact(_THERE, _read_plain, _say_channel("phone"), _CHANNELS),
    "email": Fact(_THERE, _read_plain, _say_channel("email"), _CHANNELS),
    "organization_id": Fact(_TEXT, _read_id, _say_affiliation(affiliation.c.organization_id)),
    "role": Fact(_TEXT, _read_plain, _say_affiliation(affiliation.c.role)),
    "industry": Fact(_TEXT, _read_plain, _say_affiliation(organization.c.industry)),
    "created": Fact(_DAYS, _read_days, _say_created),
    "last_contact": Fact(_DAYS, _read_days, _say_contact),
}
