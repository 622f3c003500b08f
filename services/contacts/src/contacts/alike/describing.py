"""What of a card is compared, in a form in which comparing is quick: folded, in Latin letters, parts apart. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from contacts.cards import EMAIL, PHONE, Address, AnyCard, Channel, PersonCard
from values.full_names import split_full_name
from values.names import latin_spelling
from values.organization_names import organization_core_key

GIVEN, MIDDLE, FAMILY, BIRTH = "given_name", "middle_name", "family_name", "birth_date"
MAIL, TELEPHONE, STREET, PLACE, TAX, EMPLOYER, NAME = (
    "email", "phone", "street", "place", "tax_id", "organization", "name",
)  # fmt: skip
PERSON_FIELDS = (GIVEN, FAMILY, MIDDLE, BIRTH, MAIL, TELEPHONE, STREET, PLACE, TAX, EMPLOYER)
ORGANIZATION_FIELDS = (NAME, MAIL, TELEPHONE, STREET, PLACE, TAX)
FACT = "attributes."  # before the name of a further fact
LEAST_DIGITS = 5  # fewer are an office's extension
# Words of streets that people shorten, whole and short, in Latin letters.
_SHORTENED = {
    "street": "st", "avenue": "ave", "av": "ave", "road": "rd", "drive": "dr", "boulevard": "blvd", "place": "pl",
    "lane": "ln", "court": "ct", "square": "sq", "parkway": "pkwy", "highway": "hwy", "north": "n", "south": "s",
    "east": "e", "west": "w", "suite": "ste", "strasse": "str", "ulica": "ul", "ulitsa": "ul", "prospekt": "pr",
    "pereulok": "per", "dom": "d", "korpus": "k",
}  # fmt: skip
_NUMBER = re.compile(r"\d+")


class Place(NamedTuple):
    """A town and its postal code, each empty where unknown."""

    code: str
    city: str


class Street(NamedTuple):
    """A street address: its words, shortened as people shorten them, and the numbers in it."""

    text: str
    numbers: frozenset[str]


class Described(NamedTuple):
    """A card for comparing; `values` stand in the order of the model's fields, empty or None where unknown."""

    id: str
    values: tuple[Any, ...]


def describe_card(card: AnyCard, facts: Sequence[str]) -> Described:
    """The card with the further facts that are compared, in the order given."""
    attributes = card.attributes
    further = tuple(latin_word(attributes.get(name, "")) for name in facts)
    own = _of_person(card) if isinstance(card, PersonCard) else (_organization_words(card.display_name),)
    shared = (*_reached(card.channels), *_located(card.address), card.tax_id)
    last = (frozenset(one.organization_id for one in card.affiliations),) if isinstance(card, PersonCard) else ()
    return Described(card.id, (*own, *shared, *last, *further))


@lru_cache(maxsize=32768)  # names repeat over a base
def latin_word(text: str) -> str:
    """A text as it is compared: folded, in Latin letters."""
    return latin_spelling(text) if text else ""


def _of_person(card: PersonCard) -> tuple[str, str, str, str]:
    given, middle, family = card.given_name, card.middle_name, card.family_name
    if not (given or family):
        parts = split_full_name(card.display_name)
        given, middle, family = parts.given, parts.middle, parts.family
    return latin_word(given), latin_word(family), latin_word(middle), _day_text(card.birth_date)


def _day_text(day: date | None) -> str:
    return f"{day.year:04}{day.month:02}{day.day:02}" if day else ""


@lru_cache(maxsize=32768)
def _organization_words(name: str) -> tuple[str, ...]:
    return tuple(sorted(set(latin_spelling(organization_core_key(name)).split())))


def _reached(channels: Sequence[Channel]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    emails, phones = [], []
    for one in channels:
        if one.kind == EMAIL:
            emails.append((one.value or one.raw).casefold())
        elif one.kind == PHONE and len(digits := digits_of(one.value or one.raw)) >= LEAST_DIGITS:
            phones.append(digits)
    return tuple(emails), tuple(phones)


def digits_of(text: str) -> str:
    """The digits of a text."""
    return "".join(filter(str.isdigit, text))


def _located(address: Address) -> tuple[Street | None, Place | None]:
    if not any(address):
        return None, None
    code, city = latin_word(address.postal_code), latin_word(address.city)
    return _read_street(address.street), Place(code.replace(" ", ""), city) if code or city else None


@lru_cache(maxsize=32768)
def _read_street(text: str) -> Street | None:
    words = [_SHORTENED.get(word, word) for word in latin_spelling(text).split()]
    folded = " ".join(words)
    return Street(folded, frozenset(_NUMBER.findall(folded))) if folded else None
