"""Deals as a forecast: what the open ones should bring by month and stage, plain and weighted by probability."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from starlette.responses import Response

from chassis.money import from_money, to_money
from crm.deals.v1 import deals_pb2 as pb
from gateway.web.columns import read_columns
from gateway.web.deals_filter import (
    LATER,
    NO_MONTH,
    OVERDUE,
    DealFilter,
    address_query,
    list_tabs,
    make_chips,
    month_words,
    months_ahead,
)
from gateway.web.parties import find_parties
from gateway.web.view_tabs import read_tabs
from gateway.web.visits import Visit


@dataclass
class Cell:
    """Sums of some deals: how many, their values and the weighted ones by currency; `path` lists them."""

    path: str = ""
    count: int = 0
    unvalued: int = 0
    amounts: dict[str, Decimal] = field(default_factory=dict)
    weighted: dict[str, Decimal] = field(default_factory=dict)

    def add(self, one: Any) -> None:
        """Take in one sum of the answer."""
        self.count += one.count
        self.unvalued += one.unvalued_count
        for held, given in ((self.amounts, one.amounts), (self.weighted, one.weighted_amounts)):
            for money in given:
                amount, currency = from_money(money)
                held[currency] = held.get(currency, Decimal(0)) + amount

    @property
    def money(self) -> list[Any]:
        """The values, a sum a currency."""
        return [to_money(amount, currency) for currency, amount in sorted(self.amounts.items())]

    @property
    def weighted_money(self) -> list[Any]:
        """The weighted values, a sum a currency."""
        return [to_money(amount, currency) for currency, amount in sorted(self.weighted.items())]


@dataclass
class Row:
    """One month, those past, those far away, or no month at all: its cell for each stage and all together."""

    key: str
    words: str
    cells: dict[str, Cell] = field(default_factory=dict)
    whole: Cell = field(default_factory=Cell)


def show_forecast(visit: Visit, wanted: DealFilter) -> Response:
    """The page of the forecast."""
    found = visit.gather(
        sums=("deals", "SumForecast", pb.SumForecastRequest(**wanted.forecast_fields(visit))),
        pipelines=("deals", "ListPipelines", pb.ListPipelinesRequest()),
    )
    pipelines = found["pipelines"].pipelines if found["pipelines"] else ()
    sums = found["sums"].sums if found["sums"] else ()
    names, _answers = find_parties(visit, [wanted.person_id], [wanted.organization_id], [wanted.owner_id])
    rows, total = make_rows(visit, sums)
    return visit.render(
        "deals/forecast.html",
        help="deals",
        wanted=wanted,
        away=None if found["sums"] else found["sums"],
        stages=list_stages(sums),
        rows=rows,
        total=total,
        pipelines=pipelines,
        chips=make_chips(visit, wanted, names),
        tabs=list_tabs(visit),
        views_kept=read_tabs(visit, "deals", read_columns(visit, "deals"), view=wanted.view),
        query=address_query(visit, wanted),
    )


def list_stages(sums: Iterable[Any]) -> list[Any]:
    """The stages that have deals, each once, in their order."""
    found = {one.stage.id: one.stage for one in sums}
    return sorted(found.values(), key=lambda stage: (stage.position, stage.name, stage.id))


def make_rows(visit: Visit, sums: Sequence[Any]) -> tuple[list[Row], Row]:
    """The rows in the order of time with those months that come before the last one, and their total."""
    known = [f"{one:%Y-%m}" for one in months_ahead(visit)]
    rows, total = {key: _row(visit, key) for key in (OVERDUE, *known, LATER, NO_MONTH)}, Row("", "")
    for one in sums:
        row = rows[_key_of(one.month, known)]
        _link(visit, row.cells.setdefault(one.stage.id, Cell()), row.key, one.stage.id)
        for cell in (row.cells[one.stage.id], row.whole, total.cells.setdefault(one.stage.id, Cell()), total.whole):
            cell.add(one)
    for stage_id, cell in (*total.cells.items(), (None, total.whole)):
        _link(visit, cell, "", stage_id)
    last = max((at for at, key in enumerate(known) if rows[key].whole.count), default=-1)
    return [row for key, row in rows.items() if row.whole.count or key in known[: last + 1]], total


def _row(visit: Visit, key: str) -> Row:
    row = Row(key, month_words(visit, key))
    _link(visit, row.whole, key, None)
    return row


def _key_of(month: str, known: Sequence[str]) -> str:
    """The row of a month; months are in the order of their texts."""
    if not month:
        return NO_MONTH
    return OVERDUE if month < known[0] else month if month in known else LATER


def _link(visit: Visit, cell: Cell, month: str, stage_id: str | None) -> None:
    cell.path = visit.url(view="table", status="open", expected=month, in_stage=stage_id, page=None)
