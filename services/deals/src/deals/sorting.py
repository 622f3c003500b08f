"""Pages of deals in any of the orders a table has; the order in which deals were recorded is in queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.database import UnitOfWork
from chassis.prepared import Prepared
from deals.queries import SELECT_DEALS, Question, deal_of, filter_deals, shape_of, values_of
from deals.records import Deal
from deals.tables import deal, stage
from units.records import AMOUNT, DEAL
from units.visibility import Sight, seen_in, sight_of

# What has no value counts as less than everything that has one.
_NO_AMOUNT: sa.ColumnElement[Any] = sa.literal_column("-1e15")
_NO_DAY: sa.ColumnElement[Any] = sa.literal_column("DATE '0001-01-01'")
_KEYS: dict[str, tuple[sa.ColumnElement[Any], str]] = {
    "title": (sa.func.lower(deal.c.title), "text"),
    "amount": (sa.func.coalesce(deal.c.amount, _NO_AMOUNT), "numeric"),
    "stage": (
        sa.select(stage.c.position).where(stage.c.id == deal.c.stage_id).correlate(deal).scalar_subquery(),
        "integer",
    ),
    "stage_time": (deal.c.stage_time, "timestamptz"),
    "open_date": (sa.func.coalesce(deal.c.open_date, _NO_DAY), "date"),
    "close_date": (sa.func.coalesce(deal.c.close_date, _NO_DAY), "date"),
    "expected_close_date": (sa.func.coalesce(deal.c.expected_close_date, _NO_DAY), "date"),
}
ORDERS = tuple(_KEYS)


@dataclass(frozen=True)
class SortedPage:
    """One page; `next_key` is the key of its last deal where there are more, else None."""

    deals: list[Deal]
    next_key: list[Any] | None


def sort_deals(
    work: UnitOfWork, question: Question, order: str, descending: bool, size: int, after: Sequence[Any] | None
) -> SortedPage:
    """Visible deals by one of ORDERS, equal ones by id, after the key [value, id] of the last one.

    Errors: UnitNotKnown, NotPermitted for the order of amounts where these are hidden.
    """
    if order == "amount":
        work.access.require_shown(AMOUNT, "sorted")
    sight, seen = sight_of(work.access, DEAL)
    values = {**seen, **values_of(work, question), "size": size + 1}
    if after:
        values |= {"after_key": str(after[0]), "after_id": str(after[1])}
    keys = work.fetch(_read_keys(sight, shape_of(question), order, descending, bool(after)), values)
    page = keys[:size]
    found = read_deals(work, [row.id for row in page])
    return SortedPage(found, [page[-1].key, page[-1].id] if len(keys) > size else None)


@lru_cache(maxsize=512)
def _read_keys(sight: Sight, shape: tuple[str, ...], order: str, descending: bool, further: bool) -> Prepared:
    key, kind = _KEYS[order]
    wanted = [seen_in(sight, deal.c.unit_id, deal.c.owner_id), *filter_deals(shape)]
    if further:
        written = sa.cast(sa.bindparam("after_key", type_=sa.Text), _type(kind))
        last = sa.tuple_(written, sa.bindparam("after_id", type_=deal.c.id.type))
        place = sa.tuple_(key, deal.c.id)
        wanted.append(place < last if descending else place > last)
    ways = [one.desc() if descending else one.asc() for one in (key, deal.c.id)]
    shown = sa.cast(key, sa.Text).label("key")
    limit = sa.bindparam("size", type_=sa.Integer)
    return Prepared(sa.select(deal.c.id, shown).where(*wanted).order_by(*ways).limit(limit))


_READ_DEALS = Prepared(SELECT_DEALS.where(deal.c.id == sa.any_(sa.bindparam("ids", type_=ARRAY(deal.c.id.type)))))


def read_deals(work: UnitOfWork, ids: Sequence[str]) -> list[Deal]:
    """Deals by ids that were found as visible, in the order of the ids."""
    rows = {row.id: row for row in work.fetch(_READ_DEALS, {"ids": list(ids)})} if ids else {}
    return [deal_of(rows[one]) for one in ids if one in rows]


def _type(kind: str) -> sa.types.TypeEngine[Any]:
    kinds: dict[str, sa.types.TypeEngine[Any]] = {
        "text": sa.Text(),
        "numeric": sa.Numeric(),
        "integer": sa.Integer(),
        "timestamptz": sa.TIMESTAMP(timezone=True),
        "date": sa.Date(),
    }
    return kinds[kind]
