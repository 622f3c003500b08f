"""A company's own fields as pages show and ask for them: which of them a card has, their words, their values.

Values stand among the attributes of a card, as contacts keeps them; whether one is right is decided there alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from babel.core import UnknownLocaleError
from babel.numbers import UnknownCurrencyError

from chassis.ids import is_id
from crm.contacts.v1 import contacts_pb2 as pb
from gateway.web.names import list_units
from gateway.web.texts import current_texts
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit
from values.own_fields import BETWEEN, FieldType, FieldValue, normalize_field_value

HIDDEN = "attributes"  # the confidential field that all values are part of
GROUP = "field-"  # begins the name of the group of facts that one field is
TYPES = {
    number: FieldType(name.removeprefix("CUSTOMER_FIELD_TYPE_").lower())
    for name, number in pb.CustomerFieldType.items()
    if number
}


@dataclass(frozen=True)
class Shown:
    """A field on a card as people read it; `link` leads out of the platform."""

    group: str
    label: str
    section: str
    text: str
    link: str = ""


@dataclass(frozen=True)
class Asked:
    """A field in the form of a new customer, with what stands in it at first."""

    field: pb.CustomerField
    kind: FieldType
    label: str
    value: str


def list_fields(visit: Visit, record_type: str) -> list[pb.CustomerField]:
    """The fields of one type of cards that are in use, in the order of forms. Errors: RemoteError."""
    request = pb.ListCustomerFieldsRequest(record_type=record_type)
    return list(visit.call("contacts", "ListCustomerFields", request, timeout=3.0).customer_fields)


def find_field(visit: Visit, record_type: str, group: str) -> pb.CustomerField | None:
    """The field that a group of facts is. Errors: RemoteError."""
    field_id = group.removeprefix(GROUP)
    if not group.startswith(GROUP) or not is_id(field_id):
        return None
    return next((one for one in list_fields(visit, record_type) if one.id == field_id), None)


def ask_new(visit: Visit, record_type: str) -> list[Asked]:
    """What the form of a new customer asks for: the fields of the viewer's unit. Errors: RemoteError."""
    units = list_units(visit)
    path = units[visit.home.id].path if visit.home and visit.home.id in units else ""
    fields = [one for one in list_fields(visit, record_type) if belongs_to(one, path, units)]
    return [Asked(one, TYPES.get(one.type, FieldType.TEXT), label_of(one), one.default_value) for one in fields]


def read_new(visit: Visit, record_type: str) -> dict[str, str]:
    """The values that the form of a new customer names, by the keys of their fields. Errors: RemoteError."""
    named = {name for name in visit.form if name.startswith("own.")}
    fields = list_fields(visit, record_type) if named else []
    written = {one.key: read_written(visit, one) for one in fields if form_name(one) in named}
    return {key: text for key, text in written.items() if text}


def show_fields(card: Any, fields: Iterable[pb.CustomerField], names: Any) -> list[Shown]:
    """The fields of a card's unit, and those it has a value of, under their headings; `names`: a `names.Names`."""
    unit = names.units.get(card.unit_id)
    users = {key: one.name for key, one in names.users.items()}
    shown = [
        Shown(
            f"{GROUP}{one.id}", label_of(one), one.section, show_value(one, text, users), _link_of(one, text)
        )
        for one in fields
        if (text := card.attributes.get(one.key, "")) or belongs_to(one, unit.path if unit else "", names.units)
    ]  # fmt: skip
    sections = list(dict.fromkeys(["", *(one.section for one in shown)]))
    return sorted(shown, key=lambda one: sections.index(one.section))


def belongs_to(field: pb.CustomerField, path: str, units: Mapping[str, Any]) -> bool:
    """Whether a field is of the unit at this path: of the company, or of a unit above it or itself."""
    if not field.unit_id:
        return True
    home = units.get(field.unit_id)
    return home is not None and f"{path}.".startswith(f"{home.path}.")


def show_cell(field: pb.CustomerField, card: Any, names: Any) -> str:
    """A field's value in a row of a list; `names`: a `names.Names`."""
    text = card.attributes.get(field.key, "")
    users = {text: found.name} if text and (found := names.user(text)) else {}
    return show_value(field, text, users)


def users_named(fields: Iterable[pb.CustomerField], attributes: Mapping[str, str]) -> set[str]:
    """The ids of users that values are."""
    return {attributes[one.key] for one in fields if TYPES.get(one.type) is FieldType.USER and one.key in attributes}


def form_name(field: pb.CustomerField) -> str:
    """What a field is called in forms: keys may hold any sign, ids none."""
    return f"own.{field.id}"


def label_of(field: pb.CustomerField) -> str:
    """What people read, in the viewer's language where there is a word."""
    return field.labels.get(current_texts().language) or field.label


def read_written(visit: Visit, field: pb.CustomerField) -> str:
    """What a form says of a field; several ticked choices in one text."""
    if TYPES.get(field.type) is not FieldType.CHOICES:
        return visit.field(form_name(field))
    ticked = [one for one in visit.form.getlist(form_name(field)) if isinstance(one, str)]
    return BETWEEN.join(one.strip() for one in ticked if one.strip())


def show_value(field: pb.CustomerField, text: str, users: Mapping[str, str]) -> str:
    """A value as people read it; one that is from before the field's rules as it was written."""
    kind = TYPES.get(field.type, FieldType.TEXT)
    if not text or not isinstance(normalize_field_value(kind, text, field.choices), FieldValue):
        return text
    spoken = current_texts()
    match kind:
        case FieldType.NUMBER:
            return spoken.number(Decimal(text))
        case FieldType.MONEY:
            return _show_money(text)
        case FieldType.DATE:
            return spoken.date(date.fromisoformat(text))
        case FieldType.YES_NO:
            return _("yes") if text == "yes" else _("no")
        case FieldType.CHOICES:
            return spoken.listing(text.split(BETWEEN))
        case FieldType.USER:
            return users.get(text, _("a colleague elsewhere"))
        case _:
            return text


def _show_money(text: str) -> str:
    amount, _space, currency = text.partition(" ")
    try:
        return current_texts().money(Decimal(amount), currency)
    except (UnknownCurrencyError, UnknownLocaleError):
        return text


def _link_of(field: pb.CustomerField, text: str) -> str:
    return text if TYPES.get(field.type) is FieldType.LINK and text.startswith(("http://", "https://")) else ""


def type_words() -> dict[int, str]:
    """The kinds of values, the frequent ones first."""
    return {
        pb.CUSTOMER_FIELD_TYPE_TEXT: _("one line of text"),
        pb.CUSTOMER_FIELD_TYPE_LONG_TEXT: _("several lines of text"),
        pb.CUSTOMER_FIELD_TYPE_NUMBER: _("number"),
        pb.CUSTOMER_FIELD_TYPE_MONEY: _("amount with its currency"),
        pb.CUSTOMER_FIELD_TYPE_DATE: _("day"),
        pb.CUSTOMER_FIELD_TYPE_YES_NO: _("yes or no"),
        pb.CUSTOMER_FIELD_TYPE_CHOICE: _("one choice of a list"),
        pb.CUSTOMER_FIELD_TYPE_CHOICES: _("several choices of a list"),
        pb.CUSTOMER_FIELD_TYPE_LINK: _("link"),
        pb.CUSTOMER_FIELD_TYPE_USER: _("colleague"),
    }
