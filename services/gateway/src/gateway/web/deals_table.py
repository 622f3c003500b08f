"""Deals as a table: any order, totals at the foot, page after page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from crm.deals.v1 import deals_pb2 as pb
from gateway.web.deals_board import make_cards
from gateway.web.deals_filter import DealFilter, address_query, list_tabs, make_chips
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

ROWS = 50
ORDERS = {
    "title": pb.DEAL_ORDER_TITLE,
    "stage": pb.DEAL_ORDER_STAGE,
    "amount": pb.DEAL_ORDER_AMOUNT,
    "days": pb.DEAL_ORDER_STAGE_TIME,
    "opened": pb.DEAL_ORDER_OPEN_DATE,
    "closed": pb.DEAL_ORDER_CLOSE_DATE,
}


@dataclass(frozen=True)
class Heading:
    """A column of the table; `path` orders by it, `sorted` is ascending, descending or none."""

    words: str
    path: str = ""
    sorted: str = "none"
    numeric: bool = False


def show_table(visit: Visit, wanted: DealFilter) -> Response:
    """A page of the table with the totals of all pages."""
    name, down = read_order(visit.query.get("sort", ""))
    fields = wanted.list_fields(visit)
    request = pb.ListDealsRequest(
        page_size=ROWS,
        page_token=visit.query.get("page", ""),
        order=ORDERS.get(name, pb.DEAL_ORDER_UNSPECIFIED),
        # Days in a stage count from its beginning on: most days means the earliest time.
        descending=down != (name == "days"),
        **fields,
    )
    found = visit.gather(
        deals=("deals", "ListDeals", request),
        sums=("deals", "SumDeals", pb.SumDealsRequest(**fields)),
        pipelines=("deals", "ListPipelines", pb.ListPipelinesRequest()),
    )
    names, cards = make_cards(visit, found["deals"].deals if found["deals"] else (), wanted)
    return visit.render(
        "deals/table.html",
        help="deals",
        wanted=wanted,
        away=None if found["deals"] else found["deals"],
        cards=cards,
        sums=found["sums"],
        next_token=found["deals"].next_page_token if found["deals"] else "",
        pipelines=found["pipelines"].pipelines if found["pipelines"] else (),
        headings=list_headings(visit, name, down),
        chips=make_chips(visit, wanted, names),
        tabs=list_tabs(visit),
        query=address_query(visit, wanted),
    )


def read_order(written: str) -> tuple[str, bool]:
    """The column of `sort=amount` and whether `sort=-amount` turns it round; empty for the usual order."""
    name = written.removeprefix("-")
    return (name, written.startswith("-")) if name in ORDERS else ("", False)


def list_headings(visit: Visit, name: str, down: bool) -> list[Heading]:
    """The columns, each with the address that orders by it; asked for again it turns round."""

    def heading(words: str, key: str = "", numeric: bool = False) -> Heading:
        if not key:
            return Heading(words, numeric=numeric)
        first_down = numeric  # the largest sum and the longest wait are what people look for
        turned = not down if key == name else first_down
        state: Any = ("descending" if down else "ascending") if key == name else "none"
        return Heading(words, visit.url(sort=f"-{key}" if turned else key, page=None), state, numeric)

    return [
        heading(_("Deal"), "title"),
        heading(_("Customer")),
        heading(_("Stage"), "stage"),
        heading(_("Amount"), "amount", numeric=True),
        heading(_("Days in stage"), "days", numeric=True),
        heading(_("Next step")),
        heading(_("Owner")),
        heading(_("Opened"), "opened"),
        heading(_("Closed"), "closed"),
    ]
