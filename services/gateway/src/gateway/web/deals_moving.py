"""Moving a deal to another stage, from the board or from its own page; a stage may have to know more first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from chassis.errors import RemoteError
from chassis.ids import new_id
from crm.deals.v1 import deals_pb2 as pb
from gateway.web.deals_board import show_board, show_columns
from gateway.web.deals_filter import read_filter
from gateway.web.deals_page import deal_id, render_deal
from gateway.web.form_values import read_day, read_money
from gateway.web.mounting import Page
from gateway.web.refusals import title_of
from gateway.web.texts import gettext as _
from gateway.web.visits import Away, Visit


def move_card(visit: Visit) -> Response:
    """Move a deal to a stage; a stage that has to know more gets its form first. Errors: RemoteError."""
    found = visit.gather(
        deal=("deals", "GetDeal", pb.GetDealRequest(deal_id=deal_id(visit))),
        pipelines=("deals", "ListPipelines", pb.ListPipelinesRequest()),
    )
    if not found["deal"] or not found["pipelines"]:
        return _away(visit, found["deal"] or found["pipelines"])
    deal = found["deal"].deal
    pipelines = found["pipelines"].pipelines
    stages = {stage.id: stage for pipeline in pipelines for stage in pipeline.stages}
    stage = stages.get(visit.field("stage"))
    if stage is not None and not visit.field("asked"):
        unvalued = stage.kind == pb.STAGE_KIND_WON and not deal.HasField("amount")
        if unvalued or stage.kind == pb.STAGE_KIND_LOST:
            return _ask(visit, deal, stage)
    try:
        moved = make_move(visit, deal)
    except RemoteError as refusal:
        if refusal.reason != "STALE_ETAG":
            raise
        return _answer_stale(visit, pipelines, title_of(refusal))
    told = _("%(title)s is now in %(stage)s") % {"title": moved.title, "stage": moved.stage_name}
    return _answer(visit, [moved.stage_id, deal.stage_id], told)


def make_move(visit: Visit, deal: Any) -> Any:
    """Carry out what the form says: the amount first where one is given, then the move. Errors: RemoteError."""
    etag = visit.field("etag") or deal.etag
    amount = read_money("amount", visit.field("amount"), visit.field("currency"))
    if amount is not None:
        said = pb.Deal(id=deal.id, amount=amount)
        change = pb.UpdateDealRequest(deal=said, etag=etag)
        change.update_mask.paths.append("amount")
        etag = visit.call("deals", "UpdateDeal", change).deal.etag
    request = pb.MoveDealRequest(
        request_id=visit.field("request_id") or new_id(),
        deal_id=deal.id,
        stage_id=visit.field("stage"),
        etag=etag,
        loss_reason=visit.field("loss_reason"),
        loss_comment=visit.field("loss_comment"),
        change_date=read_day("change_date", visit.field("change_date")),
    )
    return visit.call("deals", "MoveDeal", request).deal


def _ask(visit: Visit, deal: Any, stage: Any) -> Response:
    """The small form in the column, with what the stage has to know."""
    lost = stage.kind == pb.STAGE_KIND_LOST
    reasons = visit.call("deals", "ListLossReasons", pb.ListLossReasonsRequest()).names if lost else ()
    on_page = visit.field("page") == "deal"
    place = {"HX-Retarget": "#ask" if on_page else f"#ask-{stage.id}", "HX-Reswap": "innerHTML"}
    return visit.render(
        "deals/ask.html",
        headers=place,
        deal=deal,
        stage=stage,
        lost=lost,
        reasons=reasons,
        request_id=new_id(),
        action=visit.url(),
        etag=visit.field("etag"),
        page=visit.field("page"),
    )


def _answer(visit: Visit, stages: Sequence[str], notice: str) -> Response:
    """After a move: the columns it touched anew, or the deal's part of its own page where the move was made there."""
    if visit.field("page") == "deal":
        response = _in_place(render_deal(visit, deal_id(visit), notice=notice), "#deal")
    else:
        response = show_columns(visit, read_filter(visit), stages, notice)
    response.headers["X-Moved"] = "yes"
    return response


def _answer_stale(visit: Visit, pipelines: Sequence[Any], problem: str) -> Response:
    """Somebody was faster: the whole board, or the deal's part of its page, as it is now."""
    if visit.field("page") == "deal":
        response = _in_place(render_deal(visit, deal_id(visit), 409, problem=problem), "#deal")
    else:
        response = _in_place(show_board(visit, read_filter(visit), 409, pipelines, problem=problem), "#board")
    response.headers["X-Moved"] = "no"
    return response


def _in_place(response: Response, place: str) -> Response:
    response.headers.update({"HX-Retarget": place, "HX-Reswap": "outerMorph"})
    return response


def _away(visit: Visit, away: Away) -> Response:
    values = {"title": _("This part of the platform is not available just now"), "detail": "", "problems": []}
    place = {"HX-Retarget": "#notices", "HX-Reswap": "beforeend"}
    return visit.render("frame/notice_problem.html", 503, place, service=away.service, trace_id="", **values)


PAGES = (Page("POST", "/deals/{id}/move", move_card),)
