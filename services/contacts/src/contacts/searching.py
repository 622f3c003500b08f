"""Who is meant by what was typed: part of a name in any script, a telephone in any spelling, an e-mail.

One GIN index answers words and visibility together. Common beginnings match a tenth of the base, so no more than a few
cards a hit are looked at; whole words come first, so that Ivanov is not lost among the Ivanovas.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from chassis import paging
from chassis.database import UnitOfWork
from chassis.ids import is_id
from chassis.prepared import Prepared
from contacts import words
from contacts.errors import invalid
from contacts.fields import read_text
from contacts.tables import affiliation, channel, organization, person
from contacts.visibility import seen_by_many, seen_cards, sees_many
from crm.contacts.v1 import contacts_pb2 as pb
from units.known import IDS
from units.records import CHANNELS, CUSTOMER
from units.tables import unit
from units.visibility import Sight, sight_of, units_seen
from units.wall import confirm_seen
from values.names import fold_name
from values.numbering import phonenumbers
from values.phones import phone_search_keys

CANDIDATES_A_HIT = 4  # of each type, to rank among
LEAST, MOST = 2, 200
PHONE_DIGITS = 4  # fewer digits are a house number or part of a name


def search_customers(work: UnitOfWork, request: pb.SearchCustomersRequest) -> pb.SearchCustomersResponse:
    """The visible cards found, best first. Errors: FieldInvalid."""
    size = paging.page_size(request.page_size, 20, 50)
    query = read_query(request.query)
    sight, values = sight_of(work.access, CUSTOMER)
    values["seen_units"] = units_seen(work, sight, values)  # a planner that sees them knows how many cards they have
    values["candidates"] = CANDIDATES_A_HIT * size
    find = _find(sight, sees_many(values["seen_units"]))
    found: dict[str, Any] = {}
    for matched, question in _questions(work, query):
        for row in work.fetch(find, {**values, "question": question}):
            found.setdefault(row.id, (matched, row))
        if len(found) >= size:
            break
    folded = fold_name(query)
    best = sorted(found.values(), key=lambda one: _rank(folded, *one))[:size]
    ranked = _confirm(work, best)
    details = _details(work, [row for _, row in ranked])
    phones = _phones(work, [row for _, row in ranked])
    return pb.SearchCustomersResponse(
        hits=[
            pb.SearchHit(
                record_type=row.record_type,
                id=row.id,
                display_name=row.display_name,
                detail=details.get(row.id, ""),
                matched=matched,
                phone=phones.get(row.id, ""),
            )
            for matched, row in ranked
        ]
    )


def _confirm(work: UnitOfWork, best: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The hits that may be told, in their order."""
    seen: set[str] = set()
    for table in (organization, person):
        seen |= confirm_seen(work, table, [row.id for _, row in best if row.record_type == table.name])
    return [one for one in best if one[1].id in seen]


def read_query(text: str) -> str:
    """What was typed, without blanks around it. Errors: FieldInvalid."""
    query = read_text("query", text, MOST)
    if len(query) < LEAST:
        raise invalid("query", f"has {len(query)} characters; type at least {LEAST}", "TOO_SHORT")
    return query


def _questions(work: UnitOfWork, query: str) -> Iterable[tuple[str, str]]:
    """What to ask, surest first: each a kind of match and a tsquery."""
    written = written_questions(work, query)
    yield from (one for one in written if one[0] == "phone" or "@" in query)
    if "@" in query:
        return
    if words.asked_words(query):
        yield from (("name", question) for question in words.name_questions(query))
    yield from (one for one in written if one[0] == "email")


def written_questions(work: UnitOfWork, query: str) -> list[tuple[str, str]]:
    """What to ask where a telephone or an e-mail may be meant; nothing for those who may not see these."""
    if work.access.hides(CHANNELS):
        return []
    phone = _phone_question(work, query)
    asked = [("phone", phone)] if phone else []
    if "@" in query:
        asked.append(("email", _email_question(query)))
    elif " " not in query:
        asked.append(("email", words.prefix("e", query.casefold())))
    return asked


def _phone_question(work: UnitOfWork, query: str) -> str:
    """Beginnings and ends of numbers; a number without its calling code is read as the caller's unit would dial it."""
    if sum(map(str.isdigit, query)) < PHONE_DIGITS:
        return ""
    home = work.execute(
        sa.select(unit.c.country_code, unit.c.area_code).where(unit.c.id == work.access.unit_id)
    ).one_or_none() if is_id(work.access.unit_id) else None  # fmt: skip
    country, area = (home.country_code or None, home.area_code or None) if home else (None, None)
    keys = phone_search_keys(query, country, area)
    calling_code = str(phonenumbers.country_code_for_region(country)) if country else ""
    begins = [f"{code}{key}" for code in dict.fromkeys(("", calling_code)) for key in keys]
    return " | ".join([words.prefix("p", key) for key in begins] + [words.prefix("s", key[::-1]) for key in keys])


def _email_question(query: str) -> str:
    address = query.casefold()
    domain = address.partition("@")[2]
    return words.prefix("d", domain) if address.startswith("@") else words.prefix("e", address)


_CARDS = sa.bindparam("cards", type_=IDS)


@lru_cache(maxsize=32)
def _find(sight: Sight, many: bool) -> Prepared:
    """Some cards of each type for each reason to be visible: no index could serve several at once.

    Planned anew each time: a plan made for any words always takes the index, ten times too slow for a beginning that
    every tenth card has.
    """
    tsquery = sa.cast(sa.bindparam("question", type_=sa.Text), sa.dialects.postgresql.TSQUERY)
    parts = []
    for table in (organization, person):
        town = table.c.city if table is organization else sa.literal("")
        columns = (
            sa.literal(table.name).label("record_type"), table.c.id, table.c.display_name, table.c.sort_key,
            town.label("city"),
        )  # fmt: skip
        for visible in _reasons(sight, table, many):
            matching = sa.select(*columns).where(table.c.search.bool_op("@@")(tsquery), visible)
            parts.append(sa.select(matching.limit(sa.bindparam("candidates", type_=sa.Integer)).subquery()))
    return Prepared(sa.union_all(*parts) if parts else sa.text("SELECT WHERE false"), replan=True, finds=True)


def _reasons(sight: Sight, table: Any, many: bool) -> list[sa.ColumnElement[bool]]:
    if sight.everything:
        return [sa.true()]
    if many:
        return [seen_by_many(sight, table)]
    by_units = sight.units or sight.teams or sight.all
    reasons = [table.c.unit_ids.overlap(sa.bindparam("seen_units", type_=IDS))] if by_units else []
    own = seen_cards(sight.own_only(), table)
    return [*reasons, own] if sight.own else reasons


def _rank(folded: str, matched: str, row: Any) -> tuple[Any, ...]:
    """Whole words before beginnings, a name that begins with what was typed before others, short before long."""
    name = row.sort_key
    missing = len(set(folded.split()) - set(name.split())) if matched == "name" else 0
    return missing, not name.startswith(folded), len(name), name, row.id


_EMPLOYERS = Prepared(
    sa.select(affiliation.c.person_id, organization.c.display_name)
    .join(organization, organization.c.id == affiliation.c.organization_id)
    .where(affiliation.c.person_id == sa.any_(_CARDS), affiliation.c.end_date.is_(None))
    .order_by(affiliation.c.id.desc())
)


def _details(work: UnitOfWork, rows: list[Any]) -> dict[str, str]:
    """The current organization of each person, the town of each organization."""
    details = {} if work.access.hides("customer.address") else {row.id: row.city for row in rows}
    found = work.fetch(_EMPLOYERS, {"cards": [row.id for row in rows]})
    return details | {row.person_id: row.display_name for row in found}


_PHONES = Prepared(
    sa.select(channel.c.owner_id, channel.c.value)
    .where(channel.c.owner_id == sa.any_(_CARDS), channel.c.kind == "phone")
    .order_by(channel.c.position.desc())
)


def _phones(work: UnitOfWork, rows: list[Any]) -> dict[str, str]:
    """The first telephone of each card."""
    return {row.owner_id: row.value for row in work.fetch(_PHONES, {"cards": [row.id for row in rows]})}
