"""Which deal is meant by what was typed: beginnings of words of its title, its number in a source, its customer.

Trigrams know the beginnings of words, so two letters already take the index.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from chassis.database import UnitOfWork
from chassis.ids import is_id
from chassis.prepared import Prepared
from deals.errors import invalid
from deals.queries import deal_of
from deals.records import OPEN, Deal
from deals.tables import deal, stage
from units.records import DEAL
from units.visibility import Sight, seen_among, sight_of, units_seen
from units.wall import confirm_seen

IDS = ARRAY(UUID(as_uuid=False))
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
    sight, values = sight_of(work.access, DEAL)
    values |= {**_values_of(wanted), "size": size, "seen_units": units_seen(work, sight, values)}
    asked = frozenset(name for name in values if name.startswith("asked_"))
    found = work.fetch(_find(sight, asked), values)
    seen = confirm_seen(work, deal, [row.id for row in found])
    return [deal_of(row) for row in found if row.id in seen]


def _values_of(wanted: Wanted) -> dict[str, Any]:
    """What to look for, by names that begin with `asked_`. Errors: FieldInvalid."""
    customers = (("organization_ids", wanted.organization_ids), ("person_ids", wanted.person_ids))
    for name, given in customers:
        if len(given) > MOST_CUSTOMERS:
            raise invalid(name, f"has {len(given)} ids; give at most {MOST_CUSTOMERS}")
    values: dict[str, Any] = {
        f"asked_{name}": known for name, given in customers if (known := [one for one in given if is_id(one)])
    }
    query = wanted.query.strip()
    if query or not values:
        if not LEAST <= len(query) <= MOST:
            raise invalid("query", f"has {len(query)} characters; type {LEAST} to {MOST}")
        words = enumerate(query.split()[:MOST_WORDS])
        values |= {f"asked_word_{number}": _begins_a_word(word) for number, word in words}
        values["asked_number"] = _quoted(query) + "%"
    return values


@lru_cache(maxsize=256)
def _find(sight: Sight, asked: frozenset[str]) -> Prepared:
    """Planned anew each time: a word that every title has is looked for among the visible, a rare one by the index."""
    c = deal.c
    ways = [
        c[name] == sa.any_(_given(name, IDS)) for name in ("organization_id", "person_id") if f"asked_{name}s" in asked
    ]
    words = [c.title.op("~*", is_comparison=True)(_value(name)) for name in sorted(asked) if "_word_" in name]
    ways += [sa.and_(*words)] if words else []
    ways += [c.external_id.ilike(_value("asked_number"))] if "asked_number" in asked else []
    # Each way has an index of its own; a plan for all at once would read every deal.
    either = sa.union(
        *(sa.select(c.id).where(seen_among(sight, c.unit_id, c.owner_id), way) for way in ways)
    ).subquery()
    found = (
        sa.select(
            deal, stage.c.name.label("stage_name"), stage.c.kind, stage.c.position.label("stage_position"),
            sa.null().label("lines"), sa.null().label("steps"),
        )
        .join_from(deal, stage)
        .where(c.id.in_(sa.select(either.c.id)))
        .order_by(sa.case((c.status == OPEN, 0), else_=1), c.id.desc())
        .limit(sa.bindparam("size", type_=sa.Integer))
    )  # fmt: skip
    return Prepared(found, replan=True, finds=True)


def _given(name: str, kind: Any) -> sa.BindParameter[Any]:
    return sa.bindparam(f"asked_{name}s", type_=kind)


def _value(name: str) -> sa.BindParameter[str]:
    return sa.bindparam(name, type_=sa.Text)


def _begins_a_word(word: str) -> str:
    # One pattern, one walk of the index; a LIKE for each sign that may stand before a word takes six times as long.
    # Signs of ASCII alone: a backslash before a vowel sign of Hindi, a letter to PostgreSQL, would be a wrong escape.
    literal = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", word)
    return f'(^|[ «"(-]){literal}'


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
