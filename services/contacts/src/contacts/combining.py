"""What one card is made of several, field by field, and what each gets back when that is undone. Pure decisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import Any

from contacts.cards import Affiliation, AnyCard, PersonCard

SHARED = {
    "display_name": ("display_name",),
    "tax_id": ("tax_id", "tax_country"),
    "owner_id": ("owner_id",),
    "address": ("address",),
}
PERSON = {
    **SHARED,
    # A name and its parts belong together: those of two cards would be nobody's.
    "display_name": ("display_name", "given_name", "middle_name", "family_name"),
    "birth_date": ("birth_date",),
}
PARENT = ("parent_id",)
ORGANIZATION = {**SHARED, "industry": ("industry",), "parent_id": PARENT}
KEPT_OF_ALL = ("channels", "attributes")  # tags too, of which none is better than another: nobody chooses


def single_fields(card: AnyCard) -> Mapping[str, tuple[str, ...]]:
    """Fields of which one card's value stands, each with what it is kept in."""
    return PERSON if isinstance(card, PersonCard) else ORGANIZATION


def choices_of(card: AnyCard) -> list[str]:
    """The fields for which a card may be chosen."""
    more = ("affiliations", "individual_customer") if isinstance(card, PersonCard) else ()
    return [*single_fields(card), *KEPT_OF_ALL, *more]


def combine(cards: Sequence[AnyCard], choices: Mapping[str, str]) -> AnyCard:
    """The first card as it becomes when the others are merged into it; `choices`: field -> id of the card to take."""
    one = copy(cards[0])
    for field, names in single_fields(one).items():
        for name, value in zip(names, _first_value(_by_choice(cards, choices, field), names, cards), strict=True):
            setattr(one, name, value)
    one.channels = merge_channels(_by_choice(cards, choices, "channels"))
    one.tags = merge_tags(cards)
    one.attributes = {}
    for card in _by_choice(cards, choices, "attributes"):
        one.attributes = {**card.attributes, **one.attributes}
    one.unit_ids = sorted({unit_id for card in cards for unit_id in card.unit_ids})
    if isinstance(one, PersonCard):
        persons = [card for card in _by_choice(cards, choices, "affiliations") if isinstance(card, PersonCard)]
        one.affiliations = merge_affiliations(persons)
        chosen = choices.get("individual_customer")
        one.individual_customer = any(card.individual_customer for card in persons if chosen in (None, card.id))
    return one


def find_differing(cards: Sequence[AnyCard]) -> list[str]:
    """The fields of which the cards have several values, so that somebody should choose."""
    found = [
        field
        for field, names in single_fields(cards[0]).items()
        if len({values for card in cards if _says(values := _values(card, names))}) > 1
    ]
    said: dict[str, set[str]] = {}
    for card in cards:
        for name, text in card.attributes.items():
            said.setdefault(name, set()).add(text)
    return [*found, *(["attributes"] if any(len(texts) > 1 for texts in said.values()) else [])]


def merge_channels(cards: Iterable[AnyCard]) -> list[Any]:
    """The channels of all cards, each once."""
    found: dict[tuple[str, str, str], Any] = {}
    for card in cards:
        for channel in card.channels:
            found.setdefault(channel.identity, channel)
    return list(found.values())


def merge_tags(cards: Iterable[AnyCard]) -> list[str]:
    """The tags of all cards, each once."""
    return list(dict.fromkeys(tag for card in cards for tag in card.tags))


def merge_affiliations(persons: Iterable[PersonCard]) -> list[Affiliation]:
    """The memberships of all cards, each once."""
    return keep_once(one for person in persons for one in person.affiliations)


def keep_once(affiliations: Iterable[Affiliation]) -> list[Affiliation]:
    """Memberships without those that say nothing more: the same, or of the same organization with nothing else said."""
    found: dict[tuple[Any, ...], Affiliation] = {}
    for one in affiliations:
        found.setdefault((one.organization_id, one.role, one.start_date, one.end_date), one)
    full = {key[0] for key in found if any(key[1:])}
    return [one for key, one in found.items() if any(key[1:]) or key[0] not in full]


def separate(now: AnyCard, before: AnyCard, after: AnyCard) -> tuple[AnyCard, list[str]]:
    """The survivor of a merge without what it took over, and the fields that changed since and therefore stay.

    Shapes: the card as it is, as it was, and as the merge left it.
    """
    one, kept = copy(now), []
    for field, names in single_fields(now).items():
        if _values(before, names) == _values(after, names):
            continue
        if _values(now, names) == _values(after, names):
            for name in names:
                setattr(one, name, getattr(before, name))
        else:
            kept.append(field)
    taken = {channel.identity for channel in after.channels} - {channel.identity for channel in before.channels}
    one.channels = [channel for channel in now.channels if channel.identity not in taken]
    one.tags = [tag for tag in now.tags if tag in before.tags or tag not in after.tags]
    kept += _separate_attributes(one, now, before, after)
    one.unit_ids = sorted({*before.unit_ids, *(set(now.unit_ids) - set(after.unit_ids))})
    if isinstance(one, PersonCard) and isinstance(before, PersonCard) and isinstance(after, PersonCard):
        _separate_person(one, before, after)
    return one, kept


def _separate_attributes(one: AnyCard, now: AnyCard, before: AnyCard, after: AnyCard) -> list[str]:
    kept = dict(now.attributes)
    changed = False
    for name, text in after.attributes.items():
        if before.attributes.get(name) == text:
            continue
        if now.attributes.get(name) != text:
            changed = True
        elif name in before.attributes:
            kept[name] = before.attributes[name]
        else:
            del kept[name]
    one.attributes = kept
    return ["attributes"] if changed else []


def _separate_person(one: PersonCard, before: PersonCard, after: PersonCard) -> None:
    own = {membership.id for membership in before.affiliations}
    taken = {membership.id for membership in after.affiliations} - own
    present = {membership.id for membership in one.affiliations}
    left_out = own - {membership.id for membership in after.affiliations}
    back = [membership for membership in before.affiliations if membership.id in left_out - present]
    one.affiliations = [*(membership for membership in one.affiliations if membership.id not in taken), *back]
    if after.individual_customer != before.individual_customer and one.individual_customer == after.individual_customer:
        one.individual_customer = before.individual_customer


def _by_choice(cards: Sequence[AnyCard], choices: Mapping[str, str], field: str) -> list[AnyCard]:
    """The cards in the order in which a field is taken from them."""
    return sorted(cards, key=lambda card: card.id != choices.get(field))


def _first_value(ordered: Sequence[AnyCard], names: tuple[str, ...], cards: Sequence[AnyCard]) -> tuple[Any, ...]:
    values = [_values(card, names) for card in ordered]
    if names == PARENT:  # none of the cards can stand above the one they become
        merged = {card.id for card in cards}
        values = [("",) if one[0] in merged else one for one in values]
    return next((one for one in values if _says(one)), values[0])


def _values(card: AnyCard, names: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(getattr(card, name) for name in names)


def _says(values: tuple[Any, ...]) -> bool:
    """Tell whether there is a value; an address of empty parts is none."""
    return any(any(one) if isinstance(one, tuple) else one for one in values)
