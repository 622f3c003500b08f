"""Which column is which field: proposed from headers in any language and from content, unless a person has said so."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rapidfuzz import fuzz

from imports.kinds import ATTRIBUTE, Field, FieldType, Kind
from imports.money_columns import without_money
from values.names import fold_name

SURE, QUALIFIED, LIKELY, POSSIBLE = 1.0, 0.9, 0.8, 0.6
MIN_SHARE = 0.8  # of the filled cells must look like it before content alone decides
MIN_LIKENESS = 90.0  # 0 to 100: "Phone Nubmer" is one, "Phone" and "Phase" are not
_SHORTENED = re.compile(r"[^\W\d_]{3}\.")
_BRACKETED = re.compile(r"\s*[(\[].*?[)\]]\s*")
_WORD = re.compile(r"[^\W_]+")
#: Words by which address books tell apart several of one thing: "E-mail 2 - Value", "phone_work", "Home City".
_QUALIFIER = re.compile(
    "work|home|business|other|private|personal|primary|secondary|main|default|value"
    "|раб(оч[а-я]+)?|дом(ашн[а-я]+)?|личн[а-я]+|основн[а-я]+|доп(олнительн[а-я]+)?|друг[а-я]+"
    "|geschäftlich|privat|weitere|professionnel|personnel|travail|domicile|trabajo|particular|casa"
)
#: Words of headers over figures that look like telephones and are none.
_OTHER_NUMBER = re.compile(
    "ids?|fax|pager|code|date|day|time|account|iban|order|invoice|amount|price|sum|total|ein|tin|vat|sku|duns|cik|passport"
    "|факс|код|дата|день|время|сч[её]т|заказ|договор|сумма|цена|итого|инн|кпп|огрн|окпо|бик|снилс|паспорт|артикул"
)
_BIRTH_YEAR = "birthyear"
_ADDRESS = frozenset({"street", "city", "region", "postal_code", "country"})
#: Fields of which a card may have several, so that a qualifier does not make another thing of them.
_SEVERAL = _ADDRESS | {"phone", "email", "website", "organization", "role"}


@dataclass
class ColumnFacts:
    """What is known of a column: header, first values, how many cells are of which kind and look like what."""

    header: str
    samples: list[str] = field(default_factory=list)
    cell_kinds: dict[str, int] = field(default_factory=dict)
    filled: int = 0
    looks_like: dict[str, int] = field(default_factory=dict)


def propose_mapping(
    kind: Kind, columns: Sequence[ColumnFacts], given: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Columns with their fields, in file order; what a person or template said stands."""
    said = {squeeze(one["column"]): one for one in given}
    fields: dict[int, tuple[str, str, float]] = {}
    used: set[str] = set()
    for place, column in enumerate(columns):
        one = said.get(squeeze(column.header))
        if one is not None:
            fields[place] = (one["field"], one["origin"], SURE)
            used.add(one["field"])
    address: str | None = None  # which of several addresses is taken: parts of two would make a third
    for score, place, name, origin in _candidates(kind, columns):
        known = kind.field(name)
        if place in fields or known is None or (name in used and not known.repeats):
            continue
        if name in _ADDRESS:
            which = _qualifier_of(columns[place].header) if score == QUALIFIED else ""
            address = which if address is None else address
            if which != address:
                continue
        fields[place] = (name, origin, score)
        used.add(name)
    return [_column(column, *fields.get(place, ("", "", 0.0))) for place, column in enumerate(columns)]


def _column(column: ColumnFacts, name: str, origin: str, confidence: float) -> dict[str, Any]:
    if not origin and column.filled:
        name, origin = ATTRIBUTE, "content"  # nothing is dropped in silence: it stays as a further fact
    return {
        "column": column.header,
        "field": name,
        "origin": origin,
        "confidence": round(confidence, 2),
        "samples": column.samples,
        "cell_kinds": column.cell_kinds,
    }


def _candidates(kind: Kind, columns: Sequence[ColumnFacts]) -> list[tuple[float, int, str, str]]:
    found: list[tuple[float, int, str, str]] = []
    in_parts = _BIRTH_YEAR in map(squeeze, (column.header for column in columns))
    for place, column in enumerate(columns):
        for one in kind.fields:
            by_name = _likeness(column.header, one)
            if in_parts and one.name == "birth_date":  # "Birth day" is a number beside year and month
                continue
            if not column.filled and by_name == QUALIFIED:
                continue
            if by_name:
                found.append((by_name, place, one.name, "synonym"))
            elif _content_says(column, one):
                found.append((POSSIBLE, place, one.name, "content"))
    return sorted(found, key=lambda each: (not columns[each[1]].filled, -each[0], each[1]))  # empty columns last


def _likeness(header: str, one: Field) -> float:
    """1 for the field's name or first word, a little less for each later word, LIKELY for a near spelling."""
    spellings = {squeeze(header), squeeze(_BRACKETED.sub(" ", header))} - {""}
    if one.type is FieldType.MONEY:  # "Сумма, тыс. руб." is a sum
        spellings |= {squeeze(without_money(header))} - {""}
    words = [squeeze(one.name), *map(squeeze, one.words)]
    for place, word in enumerate(words):
        if word in spellings:
            return SURE - min(place, 60) * 0.002
    if one.name in _SEVERAL and _unqualified(header) & set(words):
        return QUALIFIED
    if _SHORTENED.search(header) and any(_is_short_for(header, word) for word in (one.name, *one.words)):
        return LIKELY
    near = (
        fuzz.ratio(word, spelling)
        for word in words
        for spelling in spellings
        if min(len(word), len(spelling)) > 5 and spelling != word + "s"  # "employees" is a head count
    )
    return LIKELY if max(near, default=0.0) >= MIN_LIKENESS else 0.0


def _is_short_for(header: str, spelling: str) -> bool:
    """Tell "Дата рожд." from "Дата рождения": word by word, each whole or its beginning."""
    short, whole = _words_of(header), _words_of(spelling)
    least = 4 if len(short) == 1 else 3
    return len(short) == len(whole) and all(
        one == other or (len(one) >= least and other.startswith(one)) for one, other in zip(short, whole, strict=True)
    )


def _unqualified(header: str) -> set[str]:
    """The header without its qualifiers and numbers, and without the word address before a part of one."""
    kept = [word for word in _words_of(header) if not word.isdecimal() and not _QUALIFIER.fullmatch(word)]
    if len(kept) == len(_words_of(header)) and "address" not in kept:
        return set()
    rest = [word for word in kept if word != "address"]
    return {squeeze("".join(kept)), squeeze("".join(rest))} - {""}


def _qualifier_of(header: str) -> str:
    """Which of several: the qualifiers, or the number where there are none."""
    words = _words_of(header)
    return " ".join(word for word in words if _QUALIFIER.fullmatch(word)) or "".join(filter(str.isdecimal, words))


def _words_of(header: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(header)]


def _content_says(column: ColumnFacts, one: Field) -> bool:
    if one.type not in (FieldType.EMAIL, FieldType.PHONE) or not column.filled:
        return False
    words = _words_of(column.header)
    if any(_OTHER_NUMBER.fullmatch(word) for word in words) and not set(words) & set(map(squeeze, one.words)):
        return False
    return column.looks_like.get(one.type.value, 0) >= MIN_SHARE * column.filled


def squeeze(text: str) -> str:
    """A header without case, accents, blanks and signs, for comparing."""
    return "".join(character for character in fold_name(text.replace("_", " ")) if character.isalnum())
