"""Reads what of cards is compared, by their numbers in the blocks; and what of a base its values show by counting."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import log2
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from chassis.prepared import Prepared
from contacts.alike.comparing import MOST_BITS
from contacts.alike.describing import (
    FAMILY,
    GIVEN,
    MAIL,
    MIDDLE,
    NAME,
    PLACE,
    TELEPHONE,
    Described,
    describe_card,
    latin_word,
)
from contacts.alike.weights import PERSON, Model, default_model
from contacts.cards import EMAIL, PHONE, Address, Affiliation, AnyCard, Channel, OrganizationCard, PersonCard
from contacts.tables import channel, organization, person
from values.names import latin_spelling
from values.organization_names import organization_core_key

COMMON = 5_000  # values of a field whose shares are kept; rarer ones differ little in what they are worth
LEAST_FILLED, LEAST_DISTINCT, MOST_FACTS = 0.05, 0.2, 6  # when a further fact tells cards apart
SMALL_BASE = 1_000  # cards; fewer do not tell which words are common
TABLES = {PERSON: person, "organization": organization}
_SHARED = ("id", "display_name", "unit_id", "tax_id", "tax_country", "attributes")
_NUMBERED = "number = ANY(CAST(:numbers AS bigint[]))"
_OWN = ("given_name", "middle_name", "family_name", "birth_date")  # of persons
_ADDRESS = ("street", "city", "region", "postal_code", "country")


def read_described(work: UnitOfWork, model: Model, numbers: Iterable[int]) -> dict[int, Described]:
    """What is compared of the cards with these numbers, by number; cards that are gone are left out."""
    facts = model.facts
    return {
        number: describe_card(card, facts) for number, card in _read_cards(work, model.record_type, numbers).items()
    }


def count_base(work: UnitOfWork, record_type: str) -> Model:
    """The default model with what counting shows: the size, which further facts identify, and common values."""
    table = TABLES[record_type]
    cards = count_cards(work, record_type)
    facts = identifying_facts(work, record_type, cards)
    shares = {PLACE: _count_places(work, table, cards), **_count_channels(work, table, cards)}
    if record_type != PERSON:
        rarity, names = _count_words(work, cards)
        return default_model(record_type, cards, facts, {NAME: names, **shares}, rarity)
    names_of = {name: _count_names(work, table.c[name], cards) for name in (GIVEN, FAMILY, MIDDLE)}
    return default_model(record_type, cards, facts, {**names_of, **shares})


def identifying_facts(work: UnitOfWork, record_type: str, cards: int) -> list[str]:
    """The further facts that tell cards apart: filled often enough, of many values, some of which repeat."""
    return [row.name for row in work.execute(_FACTS[record_type], {"cards": cards})]


def count_cards(work: UnitOfWork, record_type: str) -> int:
    """How many cards of this type there are."""
    return int(work.execute(sa.select(sa.func.count()).select_from(TABLES[record_type])).scalar_one())


def _read_cards(work: UnitOfWork, record_type: str, numbers: Iterable[int]) -> dict[int, AnyCard]:
    asked = {"numbers": "{" + ",".join(map(str, numbers)) + "}"}
    channels: dict[str, list[Channel]] = defaultdict(list)
    for owner_id, kind, value, raw in work.fetch(_CHANNELS, asked):
        channels[owner_id].append(Channel(kind, value, raw))
    employers: dict[str, list[Affiliation]] = defaultdict(list)
    for person_id, organization_id in work.fetch(_EMPLOYERS, asked) if record_type == PERSON else ():
        employers[person_id].append(Affiliation("", organization_id, ""))
    if record_type == PERSON:
        return {row[0]: _person_of(row, channels, employers) for row in work.fetch(_CARDS[PERSON], asked)}
    return {row[0]: OrganizationCard(**_shared_of(row, channels)) for row in work.fetch(_CARDS[record_type], asked)}


def _person_of(
    row: Any, channels: Mapping[str, list[Channel]], employers: Mapping[str, list[Affiliation]]
) -> PersonCard:
    given, middle, family, born = row[12:]
    return PersonCard(
        given_name=given, middle_name=middle, family_name=family, birth_date=born,
        affiliations=employers.get(row[1], []), **_shared_of(row, channels),
    )  # fmt: skip


def _shared_of(row: Any, channels: Mapping[str, list[Channel]]) -> dict[str, Any]:
    """The values of `_SHARED` and `_ADDRESS`, which stand behind the card's number."""
    values: dict[str, Any] = dict(zip(_SHARED, row[1:7], strict=True))
    values["address"], values["channels"] = Address(*row[7:12]), channels.get(row[1], [])
    return values


def _count_names(work: UnitOfWork, column: sa.ColumnElement[str], cards: int) -> dict[str, float]:
    folded = sa.func.lower(column)
    return _shares(((row.value, row.many) for row in _common(work, folded, column != "")), cards)


def _count_places(work: UnitOfWork, table: sa.Table, cards: int) -> dict[str, float]:
    shares: dict[str, float] = {}
    for column in (table.c.postal_code, table.c.city):
        rows = _common(work, sa.func.lower(column), column != "")
        shares |= _shares(
            ((row.value.replace(" ", "") if column is table.c.postal_code else row.value, row.many) for row in rows),
            cards,
        )
    return shares


def _count_channels(work: UnitOfWork, table: sa.Table, cards: int) -> dict[str, dict[str, float]]:
    """The shares of e-mails and telephones that several cards have: an office's number says less than one's own."""
    c, found = channel.c, {}
    joined = channel.join(table, table.c.id == c.owner_id)
    written = sa.func.coalesce(sa.func.nullif(c.value, ""), c.raw)
    for name, kind, folded in (
        (MAIL, EMAIL, sa.func.lower(written)),
        (TELEPHONE, PHONE, sa.func.regexp_replace(written, "[^0-9]", "", "g")),
    ):
        many = sa.func.count(sa.distinct(c.owner_id))
        grouped = sa.select(folded.label("value"), many.label("many")).select_from(joined).where(c.kind == kind)
        common = grouped.group_by(sa.literal_column("1")).having(many > 1).order_by(many.desc()).limit(COMMON)
        found[name] = {row.value: (row.many - 1) / max(cards - 1, 1) for row in work.execute(common)}
    return found


def _common(work: UnitOfWork, value: sa.ColumnElement[str], filled: sa.ColumnElement[bool]) -> Sequence[Any]:
    many = sa.func.count()
    grouped = sa.select(value.label("value"), many.label("many")).where(filled).group_by(value).having(many > 1)
    return work.execute(grouped.order_by(many.desc()).limit(COMMON)).all()


def _shares(counts: Iterable[tuple[str, int]], cards: int) -> dict[str, float]:
    """How likely another card has the value of one that has it."""
    found: dict[str, int] = defaultdict(int)
    for value, many in counts:
        found[latin_word(value)] += many
    return {value: (many - 1) / max(cards - 1, 1) for value, many in found.items() if many > 1}


def _count_words(work: UnitOfWork, cards: int) -> tuple[dict[str, float], dict[str, float]]:
    """What each common word of organizations' names is worth in bits, and the shares of whole names."""
    words: dict[str, int] = defaultdict(int)
    names: dict[str, int] = defaultdict(int)
    for row in work.execute(
        sa.select(organization.c.name_key, sa.func.count().label("many")).group_by(organization.c.name_key)
    ):
        found = sorted(set(latin_spelling(organization_core_key(row.name_key.partition("|")[0])).split()))
        names[" ".join(found)] += row.many
        for word in found:
            words[word] += row.many
    common = sorted(words.items(), key=lambda one: -one[1])[:COMMON]
    rarity = {word: min(log2(max(cards, SMALL_BASE) / many), MOST_BITS) for word, many in common}
    return rarity, {name: (many - 1) / max(cards - 1, 1) for name, many in names.items() if many > 1}


def _cards_statement(record_type: str) -> Prepared:
    own = _OWN if record_type == PERSON else ()
    columns = ", ".join(f"card.{name}" for name in (*_SHARED, *_ADDRESS, *own))
    return Prepared(
        sa.text(
            f"SELECT number, {columns} FROM block JOIN {record_type} AS card ON card.id = record_id WHERE {_NUMBERED}"
        )
    )


def _facts_statement(record_type: str) -> sa.TextClause:
    return sa.text(f"""
SELECT name FROM {record_type}, jsonb_each_text(attributes) AS fact (name, value) WHERE value <> '' GROUP BY name
HAVING count(*) >= {LEAST_FILLED} * :cards
  AND count(DISTINCT value) BETWEEN {LEAST_DISTINCT} * count(*) AND count(*) - 1
ORDER BY count(*) DESC, name LIMIT {MOST_FACTS}""")


_CARDS = {one: _cards_statement(one) for one in TABLES}
_CHANNELS = Prepared(
    sa.text(f"SELECT owner_id, kind, value, raw FROM block JOIN channel ON owner_id = record_id WHERE {_NUMBERED}")
)
_EMPLOYERS = Prepared(
    sa.text(f"SELECT person_id, organization_id FROM block JOIN affiliation ON person_id = record_id WHERE {_NUMBERED}")
)
_FACTS = {one: _facts_statement(one) for one in TABLES}
