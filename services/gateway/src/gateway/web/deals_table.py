"""Deals as a table: any order, totals at the foot, page after page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from crm.deals.v1 import deals_pb2 as pb
from gateway.web.chosen_acts import list_acts
from gateway.web.columns import Columns, read_columns
from gateway.web.deals_board import make_cards
from gateway.web.deals_filter import DealFilter, address_query, list_tabs, make_chips
from gateway.web.exports import offer_list
from gateway.web.grouping import NOBODY, OWNER, STAGE, UNIT, list_groupings, make_groups, read_grouping
from gateway.web.view_tabs import read_tabs
from gateway.web.visits import Visit

ROWS = 50
ORDERS = {
    "title": pb.DEAL_ORDER_TITLE,
    "stage": pb.DEAL_ORDER_STAGE,
    "amount": pb.DEAL_ORDER_AMOUNT,
    "days": pb.DEAL_ORDER_STAGE_TIME,
    "opened": pb.DEAL_ORDER_OPEN_DATE,
    "closed": pb.DEAL_ORDER_CLOSE_DATE,
    "expected": pb.DEAL_ORDER_EXPECTED_CLOSE_DATE,
}
GROUPINGS = {STAGE: pb.DEAL_GROUPING_STAGE, OWNER: pb.DEAL_GROUPING_OWNER, UNIT: pb.DEAL_GROUPING_UNIT}
NUMBERS = ("amount", "days")


@dataclass(frozen=True)
class Heading:
    """A column of the table; `path` orders by it, `sorted` is ascending, descending or none."""

    key: str
    words: str
    path: str = ""
    sorted: str = "none"
    numeric: bool = False


def show_table(visit: Visit, wanted: DealFilter) -> Response:
    """A page of the table with the totals of all pages."""
    name, down = read_order(visit.query.get("sort", ""))
    fields, grouping = wanted.list_fields(visit), read_grouping(visit, "deals")
    if grouping:
        return _show_groups(visit, wanted, fields, grouping)
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
    columns = read_columns(visit, "deals")
    pipelines = found["pipelines"].pipelines if found["pipelines"] else ()
    stages = {stage.id: stage.name for one in pipelines for stage in one.stages}
    names, cards = make_cards(visit, found["deals"].deals if found["deals"] else (), wanted)
    return visit.render(
        "deals/table.html",
        help="deals",
        wanted=wanted,
        away=None if found["deals"] else found["deals"],
        groups=(),
        cards=cards,
        sums=found["sums"],
        next_token=found["deals"].next_page_token if found["deals"] else "",
        pipelines=pipelines,
        columns=columns,
        acts=list_acts(visit, "deals"),
        groupings=list_groupings(visit, "deals"),
        headings=list_headings(visit, columns, name, down),
        chips=make_chips(visit, wanted, names, stages),
        tabs=list_tabs(visit),
        views_kept=read_tabs(visit, "deals", columns, view=wanted.view),
        query=address_query(visit, wanted),
        exportable=offer_list("deals", request, columns.shown),
    )


def _show_groups(visit: Visit, wanted: DealFilter, fields: dict[str, Any], grouping: str) -> Response:
    """The groups of the same deals; each opens to its part of the table."""
    request = pb.GroupDealsRequest(grouping=GROUPINGS[grouping], question=pb.SumDealsRequest(**fields))
    found = visit.gather(
        groups=("deals", "GroupDeals", request), pipelines=("deals", "ListPipelines", pb.ListPipelinesRequest())
    )
    pipelines = found["pipelines"].pipelines if found["pipelines"] else ()
    stages = {stage.id: stage.name for one in pipelines for stage in one.stages}
    narrowed = {OWNER: "owner", UNIT: "exact", STAGE: "in_stage"}[grouping]
    groups = make_groups(
        visit, grouping, found["groups"],
        lambda key: visit.url(**{"view": "table", "group": None, "page": None, narrowed: key or NOBODY}), stages,
    )  # fmt: skip
    columns = read_columns(visit, "deals")
    names, _cards = make_cards(visit, (), wanted)
    return visit.render(
        "deals/table.html",
        help="deals",
        wanted=wanted,
        away=None if found["groups"] else found["groups"],
        groups=groups,
        cards=(),
        pipelines=pipelines,
        columns=columns,
        acts=list_acts(visit, "deals"),
        groupings=list_groupings(visit, "deals"),
        chips=make_chips(visit, wanted, names, stages),
        tabs=list_tabs(visit),
        views_kept=read_tabs(visit, "deals", columns, view=wanted.view),
        query=address_query(visit, wanted),
    )


def read_order(written: str) -> tuple[str, bool]:
    """The column of `sort=amount` and whether `sort=-amount` turns it round; empty for the usual order."""
    name = written.removeprefix("-")
    return (name, written.startswith("-")) if name in ORDERS else ("", False)


def list_headings(visit: Visit, columns: Columns, name: str, down: bool) -> list[Heading]:
    """The columns shown, each with the address that orders by it; asked for again it turns round."""

    def heading(key: str) -> Heading:
        words, numeric = columns.words[key], key in NUMBERS
        if key not in ORDERS:
            return Heading(key, words, numeric=numeric)
        first_down = numeric  # the largest sum and the longest wait are what people look for
        turned = not down if key == name else first_down
        state: Any = ("descending" if down else "ascending") if key == name else "none"
        return Heading(key, words, visit.url(sort=f"-{key}" if turned else key, page=None), state, numeric)

    return [heading(key) for key in columns.shown]
