"""What cards that are to become one say field by field, side by side, and which card's value stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm.contacts.v1 import contacts_pb2 as pb
from gateway.web.card_reading import PERSON
from gateway.web.texts import gettext as _
from gateway.web.texts import pgettext
from gateway.web.values import show_date
from values.phones import format_phone

Lines = Sequence[str]
KEPT_OF_ALL = ("channels", "affiliations", "tags")
FLAG, FACTS = "individual_customer", "attributes"


@dataclass(frozen=True)
class Said:
    """What one card says of a field; `chosen`: its value stands."""

    card_id: str
    lines: Lines
    chosen: bool = False


@dataclass(frozen=True)
class Row:
    """One field of all cards; `differs`: somebody should choose. `kept`: what all of them say stays."""

    field: str
    name: str
    cells: Sequence[Said]
    differs: bool = False
    kept: bool = False


@dataclass(frozen=True)
class Known:
    """Names of users and organizations that cards refer to, by id."""

    users: Mapping[str, str]
    organizations: Mapping[str, str]


def compare_cards(cards: Sequence[Any], record_type: str, known: Known, choices: Mapping[str, str]) -> list[Row]:
    """The fields that some card says something of, in the order of the card; `cards`: the one that stays first."""
    rows = []
    for field, name in field_words(record_type).items():
        if any(field in card.hidden_fields for card in cards):
            continue
        cells = [Said(card.id, lines_of(card, field, known)) for card in cards]
        if any(one.lines for one in cells):
            rows.append(_decide(field, name, cards, cells, choices.get(field, "")))
    return rows


def tell_card(card: Any, record_type: str, known: Known) -> list[tuple[str, Lines]]:
    """A card as fields with their values, those without left out."""
    told = [(name, lines_of(card, field, known)) for field, name in field_words(record_type).items()]
    return [(name, lines) for name, lines in told if lines]


def field_words(record_type: str) -> dict[str, str]:
    """What the fields of a card are called, in its order."""
    shared = {
        "channels": _("Phone, e-mail …"),
        "address": _("Postal address"),
        "tax_id": _("Tax id"),
        "owner_id": _("Owner"),
    }
    if record_type == PERSON:
        own = {"birth_date": _("Birthday"), "affiliations": _("Organization and role")}
        last = {FLAG: _("Customer in their own right")}
        name = pgettext("person", "Name")
    else:
        own, last = {"industry": _("Line of business"), "parent_id": _("Part of")}, {}
        name = _("Name")
    return {"display_name": name, **own, **shared, **last, "tags": _("Tags"), FACTS: _("Other facts")}


def lines_of(card: Any, field: str, known: Known) -> Lines:
    """What a card says of a field, a value a line; nothing where it has none."""
    if field == "channels":
        return [_channel(one) for one in card.channels]
    if field == "affiliations":
        return [", ".join(filter(None, (one.organization_name, one.role))) for one in card.affiliations]
    if field == "tags":
        return list(card.tags)
    if field == FACTS:
        return [f"{name}: {text}" for name, text in sorted(card.attributes.items())]
    if field == "birth_date":
        return _one(show_date(card.birth_date) if card.HasField("birth_date") else "")
    if field == "address":
        place = card.address
        parts = (place.street, place.postal_code, place.city, place.region, place.country)
        return _one(", ".join(filter(None, parts)))
    if field == "owner_id":
        return _one(known.users.get(card.owner_id, _("a colleague elsewhere")) if card.owner_id else "")
    if field == "parent_id":
        return _one(known.organizations.get(card.parent_id, _("an organization elsewhere")) if card.parent_id else "")
    if field == FLAG:
        return [_("yes")] if card.individual_customer else []
    return _one(getattr(card, field))


def read_choices(form: Mapping[str, Any], record_type: str, card_ids: Sequence[str]) -> dict[str, str]:
    """The cards that a form names, by field; what is no card of these is left out."""
    found = {field: str(form.get(f"choice.{field}", "")) for field in field_words(record_type) if field != "tags"}
    return {field: card_id for field, card_id in found.items() if card_id in card_ids}


def _decide(field: str, name: str, cards: Sequence[Any], cells: Sequence[Said], wanted: str) -> Row:
    if field in KEPT_OF_ALL:
        return Row(field, name, cells, kept=True)
    if field == FACTS:
        return _mark(Row(field, name, cells, differs=_facts_clash(cards), kept=True), wanted)
    values = {tuple(one.lines) for one in cells if one.lines or field == FLAG}
    return _mark(Row(field, name, cells, differs=len(values) > 1), wanted)


def _mark(row: Row, wanted: str) -> Row:
    """The row with the value that stands: the one wanted, else that of the first card that has one."""
    if not row.differs:
        return row
    offered = [one.card_id for one in row.cells if one.lines or row.field == FLAG]
    first = next(one.card_id for one in row.cells if one.lines)
    stands = wanted if wanted in offered else first
    cells = [Said(one.card_id, one.lines, one.card_id == stands) for one in row.cells]
    return Row(row.field, row.name, cells, True, row.kept)


def _facts_clash(cards: Sequence[Any]) -> bool:
    said: dict[str, set[str]] = {}
    for card in cards:
        for name, text in card.attributes.items():
            said.setdefault(name, set()).add(text)
    return any(len(texts) > 1 for texts in said.values())


def _channel(one: Any) -> str:
    value = one.value or one.raw
    return format_phone(value) if one.kind == pb.CHANNEL_KIND_PHONE and one.value else value


def _one(text: str) -> Lines:
    return [text] if text else []
