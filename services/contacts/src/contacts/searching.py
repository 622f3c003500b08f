"""Who is meant by what was typed: part of a name in any script, a telephone in any spelling, an e-mail.

One GIN index answers words and visibility together. Common beginnings match a tenth of the base, so no more than
CANDIDATES cards are looked at; whole words come first, so that Ivanov is not lost among the Ivanovas.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from phonenumbers import country_code_for_region

from chassis import paging
from chassis.database import UnitOfWork
from chassis.ids import is_id
from contacts import words
from contacts.errors import invalid
from contacts.fields import read_text
from contacts.queries import ids
from contacts.tables import affiliation, channel, organization, person
from contacts.visibility import Below, look_below, visible_parts
from crm.contacts.v1 import contacts_pb2 as pb
from units.tables import unit
from values.names import fold_name
from values.phones import phone_search_keys

CANDIDATES = 200  # of each type; four times the longest page, to rank among
LEAST, MOST = 2, 200
PHONE_DIGITS = 4  # fewer digits are a house number or part of a name


def search_customers(work: UnitOfWork, request: pb.SearchCustomersRequest) -> pb.SearchCustomersResponse:
    """The visible cards found, best first. Errors: FieldInvalid."""
    size = paging.page_size(request.page_size, 20, 50)
    query = read_query(request.query)
    # A plan made for any words always takes the index, ten times too slow for a beginning that every tenth card has.
    work.execute(sa.select(sa.func.set_config("plan_cache_mode", "force_custom_plan", True)))
    below = look_below(work)
    found: dict[str, Any] = {}
    for matched, question in _questions(work, query):
        for row in _find(work, question, below):
            found.setdefault(row.id, (matched, row))
        if len(found) >= size:
            break
    ranked = sorted(found.values(), key=lambda one: _rank(query, *one))[:size]
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
    """What to ask where a telephone or an e-mail may be meant."""
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
    calling_code = str(country_code_for_region(country)) if country else ""
    begins = [f"{code}{key}" for code in dict.fromkeys(("", calling_code)) for key in keys]
    return " | ".join([words.prefix("p", key) for key in begins] + [words.prefix("s", key[::-1]) for key in keys])


def _email_question(query: str) -> str:
    address = query.casefold()
    domain = address.partition("@")[2]
    return words.prefix("d", domain) if address.startswith("@") else words.prefix("e", address)


def _find(work: UnitOfWork, question: str, below: Below) -> Sequence[Any]:
    """Up to CANDIDATES cards of each type for each reason to be visible: no index could serve several at once."""
    tsquery = sa.cast(sa.literal(question, sa.Text), sa.dialects.postgresql.TSQUERY)
    parts = []
    for table in (organization, person):
        town = table.c.city if table is organization else sa.literal("")
        columns = (sa.literal(table.name).label("record_type"), table.c.id, table.c.display_name, town.label("city"))
        for visible in visible_parts(work.access, table, below=below):
            matching = sa.select(*columns).where(table.c.search.bool_op("@@")(tsquery), visible).limit(CANDIDATES)
            parts.append(sa.select(matching.subquery()))
    return work.execute(sa.union_all(*parts)).all() if parts else []


def _rank(query: str, matched: str, row: Any) -> tuple[Any, ...]:
    """Whole words before beginnings, a name that begins with what was typed before others, short before long."""
    folded, name = fold_name(query), fold_name(row.display_name)
    missing = len(set(folded.split()) - set(name.split())) if matched == "name" else 0
    return missing, not name.startswith(folded), len(name), name, row.id


def _details(work: UnitOfWork, rows: list[Any]) -> dict[str, str]:
    """The current organization of each person, the town of each organization."""
    details = {row.id: row.city for row in rows}
    c = affiliation.c
    current = (
        sa.select(c.person_id, organization.c.display_name)
        .join(organization, organization.c.id == c.organization_id)
        .where(c.person_id == sa.any_(ids(row.id for row in rows)), c.end_date.is_(None))
        .order_by(c.id.desc())
    )
    details |= {row.person_id: row.display_name for row in work.execute(current)}
    return details


def _phones(work: UnitOfWork, rows: list[Any]) -> dict[str, str]:
    """The first telephone of each card."""
    c = channel.c
    phones = (
        sa.select(c.owner_id, c.value)
        .where(c.owner_id == sa.any_(ids(row.id for row in rows)), c.kind == "phone")
        .order_by(c.position.desc())
    )
    return {row.owner_id: row.value for row in work.execute(phones)}
