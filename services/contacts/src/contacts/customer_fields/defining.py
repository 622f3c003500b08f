"""How fields of a company's own are made, changed and retired; a key that cards use already becomes a field's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.access import CONFIGURE
from chassis.database import UnitOfWork
from chassis.errors import StaleEtag
from chassis.ids import is_id, new_id
from contacts.customer_fields.fields import CustomerField
from contacts.customer_fields.knowing import ORGANIZATION, PERSON
from contacts.customer_fields.messages import TYPES, field_message, field_state
from contacts.errors import CustomerFieldKnown, CustomerFieldNotFound, invalid
from contacts.fields import ATTRIBUTE_NAME, read_text
from contacts.lists import read_mask
from contacts.tables import customer_field, organization, person
from crm.contacts.events.v1 import contacts_events_pb2 as events_pb
from crm.contacts.v1 import contacts_pb2 as pb
from units.records import CATALOGUE
from units.tables import unit
from units.visibility import get_unit
from values.own_fields import FieldType

TABLES = {PERSON: person, ORGANIZATION: organization}
MOST_FIELDS = 200  # of one type of cards, retired ones included: what a page of Admin shows
CHOICES, CHOICE, MOST_POSITION = 200, 100, 10_000
SIGNS = frozenset("=<>?!*\n")  # a condition on a list is written with them
FIXED = ("record_type", "key", "type")
CHANGED = ("label", "labels", "required", "choices", "default_value", "unit_id", "section", "position", "retired")


def create_customer_field(work: UnitOfWork, request: pb.CreateCustomerFieldRequest) -> pb.CreateCustomerFieldResponse:
    """Make a field. Errors: FieldInvalid, CustomerFieldKnown, UnitNotKnown, NotPermitted."""
    asked = request.customer_field
    if asked.record_type not in TABLES:
        raise invalid("customer_field.record_type", f"is {asked.record_type[:40]!r}; use person or organization")
    if asked.type not in TYPES:
        raise invalid("customer_field.type", "is not stated; say what kind of value it is", "MISSING")
    _require_right(work, asked.unit_id)
    values = _read(asked, TYPES[asked.type], CHANGED)
    key = _read_key(asked.key or values["label"])
    row = _insert(work, {**values, "record_type": asked.record_type, "key": key, "type": TYPES[asked.type].value})
    adopted = _adopt(work, row)
    event = events_pb.CustomerFieldCreated(customer_field=field_state(row))
    work.add_event(event, "customer_field", row.id, row.version)
    return pb.CreateCustomerFieldResponse(customer_field=field_message(row), adopted=adopted)


def update_customer_field(work: UnitOfWork, request: pb.UpdateCustomerFieldRequest) -> pb.UpdateCustomerFieldResponse:
    """Change the named properties.

    Errors: CustomerFieldNotFound, StaleEtag, FieldInvalid, UnitNotKnown, NotPermitted.
    """
    asked = request.customer_field
    fixed = [name for name in FIXED if name in request.update_mask.paths]
    if fixed:
        raise invalid(
            f"customer_field.{fixed[0]}", "never changes; make another field and retire this one", "NEVER_CHANGES"
        )
    paths = read_mask(request.update_mask, dict.fromkeys(CHANGED))
    row = _find(work, asked.id)
    for unit_id in {row.unit_id, asked.unit_id if "unit_id" in paths else row.unit_id}:
        _require_right(work, unit_id)
    if request.etag != str(row.version) and (request.etag or work.access.user_id):
        raise StaleEtag("the field changed since you read it; read it again", metadata={"etag": str(row.version)})
    values = _read(_whole(row, asked, paths), FieldType(row.type), paths)
    c = customer_field.c
    changed = sa.update(customer_field).where(c.id == row.id).values(
        **values, version=c.version + 1, update_time=work.now
    )  # fmt: skip
    row = work.execute(changed.returning(customer_field)).one()
    event = events_pb.CustomerFieldUpdated(customer_field=field_state(row))
    work.add_event(event, "customer_field", row.id, row.version)
    return pb.UpdateCustomerFieldResponse(customer_field=field_message(row))


def list_customer_fields(work: UnitOfWork, request: pb.ListCustomerFieldsRequest) -> pb.ListCustomerFieldsResponse:
    """The fields by place. Errors: FieldInvalid, UnitNotKnown."""
    if request.record_type not in ("", *TABLES):
        raise invalid("record_type", f"is {request.record_type[:40]!r}; use person or organization")
    c = customer_field.c
    wanted: list[sa.ColumnElement[bool]] = [] if request.with_retired else [sa.not_(c.retired)]
    if request.record_type:
        wanted.append(c.record_type == request.record_type)
    if request.unit_id:
        path = get_unit(work, request.unit_id).path
        above = [".".join(path.split(".")[:depth]) for depth in range(1, path.count(".") + 2)]
        homes = sa.select(sa.cast(unit.c.id, sa.Text)).where(unit.c.path.in_(above))
        wanted.append(sa.or_(c.unit_id == "", c.unit_id.in_(homes)))
    found = sa.select(customer_field).where(*wanted).order_by(c.record_type.desc(), c.position, c.label, c.id)
    return pb.ListCustomerFieldsResponse(customer_fields=[field_message(row) for row in work.execute(found)])


def _require_right(work: UnitOfWork, unit_id: str) -> None:
    """Errors: NotPermitted unless the caller configures there, UnitNotKnown."""
    if unit_id:
        get_unit(work, unit_id, CONFIGURE, CATALOGUE)
    else:
        work.access.require_everywhere(CONFIGURE, CATALOGUE)


def _insert(work: UnitOfWork, values: dict[str, Any]) -> Any:
    c = customer_field.c
    count = sa.select(sa.func.count()).where(c.record_type == values["record_type"])
    if work.execute(count).scalar_one() >= MOST_FIELDS:
        raise invalid("customer_field", f"would be more than {MOST_FIELDS} fields; use another one", "TOO_MANY")
    own = {"id": new_id(), "version": 1, "create_time": work.now, "update_time": work.now}
    statement = insert(customer_field).values(**own, **values).on_conflict_do_nothing().returning(customer_field)
    row = work.execute(statement).one_or_none()
    if row is None:
        raise CustomerFieldKnown(values["record_type"], values["key"])
    return row


def _adopt(work: UnitOfWork, row: Any) -> int:
    """Take the values that cards have under the key into the index; how many cards had one.

    Who writes cards waits for it, about a second for a million cards: one written meanwhile would be missed.
    """
    table = TABLES[row.record_type].name
    work.execute(sa.text("SET LOCAL lock_timeout = '5s'"))
    work.execute(sa.text(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE"))
    taken = work.execute(
        sa.text(
            "INSERT INTO customer_field_value (field_id, record_id, text, number)"
            f" SELECT CAST(:id AS uuid), card.id, term.text, term.number FROM {table} AS card,"
            " customer_field_terms(:type, card.attributes ->> :key) AS term WHERE card.attributes ? :key"
            " RETURNING record_id"
        ),
        {"id": row.id, "type": row.type, "key": row.key},
    )
    return len(set(taken.scalars()))


def _find(work: UnitOfWork, field_id: str) -> Any:
    found = sa.select(customer_field).where(customer_field.c.id == field_id).with_for_update()
    row = work.execute(found).one_or_none() if is_id(field_id) else None
    if row is None:
        raise CustomerFieldNotFound(field_id)
    return row


def _whole(row: Any, asked: pb.CustomerField, paths: Sequence[str]) -> pb.CustomerField:
    """The field as it will be: what is not asked for stays."""
    whole = field_message(row)
    for path in paths:
        whole.ClearField(path)  # type: ignore[arg-type]
    wanted = pb.CustomerField()
    wanted.CopyFrom(asked)
    for name in (one.name for one in pb.CustomerField.DESCRIPTOR.fields if one.name not in paths):
        wanted.ClearField(name)  # type: ignore[arg-type]
    whole.MergeFrom(wanted)
    return whole


def _read_key(text: str) -> str:
    key = read_text("customer_field.key", text, ATTRIBUTE_NAME)
    if not key or SIGNS & set(key):
        trouble = "holds a sign of conditions" if key else "is empty"
        raise invalid("customer_field.key", f"{trouble}; write a word or two without = < > ? ! *")
    return key


def _read(asked: pb.CustomerField, field_type: FieldType, paths: Sequence[str]) -> dict[str, Any]:
    """The columns named, checked. Errors: FieldInvalid."""
    label = read_text("customer_field.label", asked.label, ATTRIBUTE_NAME)
    if not label:
        raise invalid("customer_field.label", "is empty; say what people read", "MISSING")
    choices = _read_choices(asked, field_type)
    if not 0 <= asked.position <= MOST_POSITION:
        raise invalid("customer_field.position", f"is {asked.position}; use 0 to {MOST_POSITION}")
    checked = CustomerField("", 0, asked.record_type, "", label, field_type, choices=tuple(choices))
    values: dict[str, Any] = {
        "label": label,
        "labels": _read_labels(asked),
        "required": asked.required,
        "choices": choices,
        "default_value": checked.read("customer_field.default_value", asked.default_value),
        "unit_id": asked.unit_id,
        "section": read_text("customer_field.section", asked.section, ATTRIBUTE_NAME),
        "position": asked.position,
        "retired": asked.retired,
    }
    return {name: values[name] for name in paths}


def _read_labels(asked: pb.CustomerField) -> dict[str, str]:
    read: dict[str, str] = {}
    for language, text in asked.labels.items():
        if not (len(language) == 2 and language.isascii() and language.islower()):
            raise invalid("customer_field.labels", f"has {language[:20]!r}; name languages as en, ru, ar")
        label = read_text(f"customer_field.labels[{language}]", text, ATTRIBUTE_NAME)
        if label:
            read[language] = label
    return read


def _read_choices(asked: pb.CustomerField, field_type: FieldType) -> list[str]:
    chosen = [read_text("customer_field.choices", one, CHOICE) for one in asked.choices]
    choices = list({one.casefold(): one for one in reversed(chosen) if one}.values())[::-1]
    several = field_type in (FieldType.CHOICE, FieldType.CHOICES)
    if several is not bool(choices):
        trouble = "is empty; name the allowed values" if several else "is for choices only; leave it out"
        raise invalid("customer_field.choices", trouble)
    if len(choices) > CHOICES or any(";" in one or "\n" in one for one in choices):
        raise invalid("customer_field.choices", f"may be {CHOICES} at most, of one line without a semicolon each")
    return choices
