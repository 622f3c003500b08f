"""Pages of deals in any of the orders a table has; the order in which deals were recorded is in queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from chassis.access import READ
from chassis.database import UnitOfWork
from deals.queries import SELECT_DEALS, Question, deal_of, filter_deals
from deals.records import Deal
from deals.tables import deal, stage
from units.visibility import visible

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

    Errors: UnitNotKnown.
    """
    key, kind = _KEYS[order]
    shown = sa.cast(key, sa.Text).label("key")
    wanted = [visible(work.access, deal.c.unit_id, deal.c.owner_id, READ), *filter_deals(work, question)]
    if after:
        last = sa.tuple_(
            sa.cast(sa.literal(str(after[0])), _type(kind)), sa.cast(sa.literal(str(after[1])), deal.c.id.type)
        )
        place = sa.tuple_(key, deal.c.id)
        wanted.append(place < last if descending else place > last)
    ways = [one.desc() if descending else one.asc() for one in (key, deal.c.id)]
    keys = work.execute(sa.select(deal.c.id, shown).where(*wanted).order_by(*ways).limit(size + 1)).all()
    page = keys[:size]
    found = read_deals(work, [row.id for row in page])
    return SortedPage(found, [page[-1].key, page[-1].id] if len(keys) > size else None)


def read_deals(work: UnitOfWork, ids: Sequence[str]) -> list[Deal]:
    """Deals by ids that were found as visible, in the order of the ids."""
    rows = {row.id: row for row in work.execute(SELECT_DEALS.where(deal.c.id.in_(ids)))} if ids else {}
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
