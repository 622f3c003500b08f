"""The page of all deals: one filter seen as board, table or forecast; a column anew, and its further cards."""

from __future__ import annotations

from starlette.responses import Response

from crm.deals.v1 import deals_pb2 as pb
from gateway.web.deals_board import MOST_CARDS, draw_cards, make_cards, show_board, show_columns
from gateway.web.deals_filter import VIEWS, address_query, read_filter
from gateway.web.deals_forecast import show_forecast
from gateway.web.deals_table import show_table
from gateway.web.mounting import Page
from gateway.web.visits import Visit


def show_deals(visit: Visit) -> Response:
    """The board, the table or the forecast, as the address says, else as the person last had it."""
    wanted = read_filter(visit)
    if visit.query.get("view") in VIEWS and visit.setting("deals_view") != wanted.view:
        visit.save_setting("deals_view", wanted.view)
    show = {"table": show_table, "forecast": show_forecast}.get(wanted.view, show_board)
    return show(visit, wanted)


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


def show_again(visit: Visit) -> Response:
    """One column of the board, when something in it has changed."""
    return show_columns(visit, read_filter(visit), [visit.query.get("stage", "")])


PAGES = (
    Page("GET", "/deals", show_deals),
    Page("GET", "/deals/more", show_more),
    Page("GET", "/deals/column", show_again),
)
