"""Which deal is meant by what was typed: beginnings of words of its title, its number in a source, its customer.

Trigrams know the beginnings of words, so two letters already take the index.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from chassis.database import UnitOfWork
from chassis.ids import is_id
from deals.errors import invalid
from deals.queries import deal_of
from deals.records import OPEN, Deal
from deals.tables import deal, stage
from units.visibility import visible

LEAST, MOST = 2, 200
MOST_WORDS = 8
MOST_CUSTOMERS = 100


@dataclass(frozen=True)
class Wanted:
    """What was typed, and customers whose deals are meant too."""

    query: str
    organization_ids: Sequence[str] = ()
    person_ids: Sequence[str] = ()


def search_deals(work: UnitOfWork, wanted: Wanted, size: int) -> list[Deal]:
    """Visible deals, open ones first, then the youngest; without lines and history. Errors: FieldInvalid."""
    c = deal.c
    # Each way has an index of its own; a plan for all at once would read every deal.
    seen = visible(work.access, c.unit_id, c.owner_id)
    ways = [sa.select(c.id).where(seen, way) for way in _ways(wanted)]
    either = sa.union(*ways).subquery()
    statement = (
        sa.select(
            deal, stage.c.name.label("stage_name"), stage.c.kind, stage.c.position.label("stage_position"),
            sa.null().label("lines"), sa.null().label("steps"),
        )
        .join_from(deal, stage)
        .where(c.id.in_(sa.select(either.c.id)))
        .order_by(sa.case((c.status == OPEN, 0), else_=1), c.id.desc())
        .limit(size)
    )  # fmt: skip
    return [deal_of(row) for row in work.execute(statement)]


def _ways(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    """Errors: FieldInvalid."""
    customers = (("organization_ids", wanted.organization_ids), ("person_ids", wanted.person_ids))
    for name, values in customers:
        if len(values) > MOST_CUSTOMERS:
            raise invalid(name, f"has {len(values)} ids; give at most {MOST_CUSTOMERS}")
    known = {name: [one for one in values if is_id(one)] for name, values in customers}
    ways: list[sa.ColumnElement[bool]] = [
        deal.c[name.removesuffix("s")].in_(values) for name, values in known.items() if values
    ]
    query = wanted.query.strip()
    if query or not ways:
        if not LEAST <= len(query) <= MOST:
            raise invalid("query", f"has {len(query)} characters; type {LEAST} to {MOST}")
        ways.append(sa.and_(*(_begins_a_word(word) for word in query.split()[:MOST_WORDS])))
        ways.append(deal.c.external_id.ilike(_quoted(query) + "%"))
    return ways


def _begins_a_word(word: str) -> sa.ColumnElement[bool]:
    # One pattern, one walk of the index; a LIKE for each sign that may stand before a word takes six times as long.
    literal = re.sub(r"([^\w\s])", r"\\\1", word)
    return deal.c.title.op("~*", is_comparison=True)(f'(^|[ «"(-]){literal}')


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
