"""Facts of a card that are edited where they stand: which fields form a group, and their values as a form posts them.

A card is a person or an organization of the contacts contract; values are texts. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from chassis.dates import from_date, to_date
from chassis.errors import FieldInvalid, FieldViolation
from crm.contacts.v1 import contacts_pb2 as pb
from gateway.web import own_fields
from gateway.web.card_reading import ORGANIZATION, PERSON
from gateway.web.texts import gettext as _
from values.own_fields import FieldType

TEXT, DAY, SWITCH, USER, FIRM, OWN = "text", "date", "switch", "user", "firm", "own"


@dataclass(frozen=True)
class Fact:
    """One field: `name` is its path in the contract, `label` gives its word in the viewer's language.

    One of the company's own is `own`; its name is that of its forms.
    """

    name: str
    label: Callable[[], str]
    kind: str = TEXT
    most: int = 300
    own: pb.CustomerField | None = None

    @property
    def own_kind(self) -> str:
        """What values a field of the company's own has."""
        return own_fields.TYPES.get(self.own.type, FieldType.TEXT) if self.own else ""


NAME = (Fact("display_name", lambda: _("Name as shown")),)
PARTS = (
    Fact("given_name", lambda: _("Given name")),
    Fact("middle_name", lambda: _("Middle name or patronymic")),
    Fact("family_name", lambda: _("Family name")),
)
SHARED: dict[str, tuple[Fact, ...]] = {
    "owner": (Fact("owner_id", lambda: _("Owner"), USER),),
    "tax": (Fact("tax_id", lambda: _("Tax id"), most=50),),
    "address": (
        Fact("address.street", lambda: _("Street and house"), most=500),
        Fact("address.postal_code", lambda: _("Postal code"), most=500),
        Fact("address.city", lambda: _("Town"), most=500),
        Fact("address.region", lambda: _("Region"), most=500),
        Fact("address.country", lambda: _("Country"), most=500),
    ),
}
GROUPS: dict[str, dict[str, tuple[Fact, ...]]] = {
    PERSON: {
        **SHARED,
        "name": NAME + PARTS,
        "birth": (Fact("birth_date", lambda: _("Birthday"), DAY),),
        "own": (Fact("individual_customer", lambda: _("Customer in their own right"), SWITCH),),
    },
    ORGANIZATION: {
        **SHARED,
        "name": NAME,
        "industry": (Fact("industry", lambda: _("Line of business"), most=200),),
        "parent": (Fact("parent_id", lambda: _("Part of"), FIRM),),
    },
}


def own_fact(field: pb.CustomerField) -> Fact:
    """A field of the company's own as a fact; a colleague is chosen as everywhere."""
    kind = USER if own_fields.TYPES.get(field.type) is FieldType.USER else OWN
    return Fact(own_fields.form_name(field), lambda: own_fields.label_of(field), kind, own=field)


def values_of(card: Any, group: tuple[Fact, ...]) -> dict[str, str]:
    """The present values of a group."""
    return {fact.name: _read(card, fact) for fact in group}


def write_values(card: Any, group: tuple[Fact, ...], values: Mapping[str, str]) -> list[str]:
    """Put values into a card and answer the paths of its update mask. Errors: FieldInvalid.

    A field of the company's own is written among the other attributes, which the card must have.
    """
    for fact in group:
        _write(card, fact, values[fact.name])
    return list(dict.fromkeys("attributes" if fact.own else fact.name.partition(".")[0] for fact in group))


def show_value(fact: Fact, value: str, names: Mapping[str, str], show_day: Callable[[date], str]) -> str:
    """A value as people read it; `names` are of users and organizations by id."""
    if fact.own:
        return own_fields.show_value(fact.own, value, names)
    if fact.kind == DAY:
        return show_day(date.fromisoformat(value)) if value else ""
    if fact.kind == SWITCH:
        return _("yes") if value else _("no")
    return names.get(value, value) if fact.kind in (USER, FIRM) else value


def _read(card: Any, fact: Fact) -> str:
    if fact.own:
        return str(card.attributes.get(fact.own.key, ""))
    owner, _dot, name = fact.name.rpartition(".")
    value = getattr(getattr(card, owner) if owner else card, name)
    if fact.kind == DAY:
        day = from_date(value, fact.name)
        return day.isoformat() if day else ""
    return ("1" if value else "") if fact.kind == SWITCH else str(value)


def _write(card: Any, fact: Fact, value: str) -> None:
    if fact.own:
        card.attributes.pop(fact.own.key, None)
        if value:
            card.attributes[fact.own.key] = value
        return
    owner, _dot, name = fact.name.rpartition(".")
    holder = getattr(card, owner) if owner else card
    if fact.kind == DAY:
        if value:
            getattr(holder, name).CopyFrom(to_date(_day(fact, value)))
    elif fact.kind == SWITCH:
        setattr(holder, name, bool(value))
    else:
        setattr(holder, name, value)


def _day(fact: Fact, value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise FieldInvalid(FieldViolation(fact.name, _("give a day such as 1976-03-14"))) from None
