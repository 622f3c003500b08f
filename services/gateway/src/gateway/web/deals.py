"""The page of all deals: the same filter seen as a board or as a table, and the further cards of a column."""

from __future__ import annotations

from starlette.responses import Response

from crm.deals.v1 import deals_pb2 as pb
from gateway.web.deals_board import MOST_CARDS, draw_cards, make_cards, show_board
from gateway.web.deals_filter import VIEWS, address_query, read_filter
from gateway.web.deals_table import show_table
from gateway.web.mounting import Page
from gateway.web.visits import Visit


def show_deals(visit: Visit) -> Response:
    """The board or the table, as the address says, else as the person last had it."""
    wanted = read_filter(visit)
    if visit.query.get("view") in VIEWS and visit.setting("deals_view") != wanted.view:
        visit.save_setting("deals_view", wanted.view)
    return show_table(visit, wanted) if wanted.view == "table" else show_board(visit, wanted)


def show_more(visit: Visit) -> Response:
    """The further cards of one column."""
    wanted = read_filter(visit)
    request = pb.ListDealsRequest(
        page_size=MOST_CARDS,
        page_token=visit.query.get("page", ""),
        stage_id=visit.query.get("stage", ""),
        order=pb.DEAL_ORDER_STAGE_TIME,
        descending=True,
        **wanted.fields(visit),
    )
    answer = visit.call("deals", "ListDeals", request)
    _, cards = make_cards(visit, answer.deals, wanted)
    return visit.render(
        "deals/more.html",
        cards=draw_cards(visit, cards),
        next_token=answer.next_page_token,
        stage_id=request.stage_id,
        pipeline_id=request.pipeline_id,
        query=address_query(visit, wanted),
    )


PAGES = (Page("GET", "/deals", show_deals), Page("GET", "/deals/more", show_more))
