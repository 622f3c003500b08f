"""Deals as a board: the stages of a pipeline as columns of cards, and what moves a card from one to another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from starlette.responses import Response

from chassis.dates import to_date
from chassis.errors import FieldInvalid, FieldViolation, RemoteError
from chassis.ids import new_id
from chassis.money import to_money
from crm.deals.v1 import deals_pb2 as pb
from crm.scheduling.v1 import scheduling_pb2 as scheduling
from gateway.web.deals_filter import DealFilter, address_query, list_tabs, make_chips, read_filter
from gateway.web.mounting import Page
from gateway.web.parties import Parties, find_parties
from gateway.web.refusals import title_of
from gateway.web.texts import gettext as _
from gateway.web.values import to_datetime
from gateway.web.visits import Away, Visit

COLUMN_CARDS, MOST_CARDS = 15, 50
WARM_DAYS, HOT_DAYS = 14, 30  # a deal that nobody moved for two weeks deserves a look, for a month an alarm


@dataclass(frozen=True)
class Card:
    """A deal as it lies on the board or stands in the table. `heat` is empty, warm or hot."""

    deal: Any
    customer: str
    owner: str
    days: int
    heat: str
    next_step: Any


def show_board(visit: Visit, wanted: DealFilter, status: int = 200, **values: Any) -> Response:
    """The page of the board, or the board alone where a page is open already."""
    size = min(max(COLUMN_CARDS, _number(visit.query.get("size", ""))), MOST_CARDS)
    first = visit.gather(
        board=("deals", "GetBoard", pb.GetBoardRequest(column_size=size, **wanted.fields(visit))),
        pipelines=("deals", "ListPipelines", pb.ListPipelinesRequest()),
    )
    board = first["board"]
    deals = [deal for column in board.columns for deal in column.deals] if board else []
    names, cards = make_cards(visit, deals, wanted)
    by_id = {card.deal.id: card for card in cards}
    return visit.render(
        "deals/board_part.html" if visit.is_part else "deals/board.html",
        status,
        help="deals",
        wanted=wanted,
        board=board,
        columns=[(column, [by_id[deal.id] for deal in column.deals]) for column in board.columns] if board else [],
        pipelines=first["pipelines"].pipelines if first["pipelines"] else (),
        chips=make_chips(visit, wanted, names),
        tabs=list_tabs(visit),
        query=address_query(visit, wanted),
        **{"notice": "", "problem": "", **values},
    )


def make_cards(visit: Visit, deals: Iterable[Any], wanted: DealFilter) -> tuple[Parties, list[Card]]:
    """Deals with customers' and owners' names and next steps, and the names of what the filter says."""
    found = list(deals)
    steps = scheduling.BatchGetNextStepsRequest(
        deal_ids=[deal.id for deal in found if deal.status == pb.STAGE_KIND_OPEN]
    )
    more = {"steps": ("scheduling", "BatchGetNextSteps", steps)} if steps.deal_ids else {}
    names, answers = find_parties(
        visit,
        [*(deal.person_id for deal in found if not deal.organization_id), wanted.person_id],
        [*(deal.organization_id for deal in found), wanted.organization_id],
        [*(deal.owner_id for deal in found), wanted.owner_id],
        **more,
    )
    known = answers.get("steps")
    next_steps = {step.deal_id: step.activity for step in known.next_steps} if known else {}
    return names, [_card(visit, deal, names, next_steps.get(deal.id)) for deal in found]


def _card(visit: Visit, deal: Any, names: Parties, next_step: Any) -> Card:
    customer = names.organization(deal.organization_id) or names.person(deal.person_id)
    days = days_since(visit, deal.stage_time)
    heat = "" if deal.status != pb.STAGE_KIND_OPEN or days < WARM_DAYS else "warm" if days < HOT_DAYS else "hot"
    return Card(deal, customer, names.user(deal.owner_id), days, heat, next_step)


def days_since(visit: Visit, moment: Any) -> int:
    """Whole calendar days from an instant to the viewer's today."""
    entered: datetime | None = to_datetime(moment)
    return max((visit.today - entered.astimezone(visit.texts.zone).date()).days, 0) if entered else 0


def move_card(visit: Visit) -> Response:
    """Move a deal to a stage; a stage that has to know more gets its form first. Errors: RemoteError."""
    found = visit.gather(
        deal=("deals", "GetDeal", pb.GetDealRequest(deal_id=visit.path["id"])),
        pipelines=("deals", "ListPipelines", pb.ListPipelinesRequest()),
    )
    if not found["deal"] or not found["pipelines"]:
        return _away(visit, found["deal"] or found["pipelines"])
    deal = found["deal"].deal
    stage = next(
        (one for pipeline in found["pipelines"].pipelines for one in pipeline.stages if one.id == visit.field("stage")),
        None,
    )
    asked = stage is not None and not visit.field("asked")
    if asked and stage.kind == pb.STAGE_KIND_LOST:
        return _ask(visit, deal, stage)
    if asked and stage.kind == pb.STAGE_KIND_WON and not deal.HasField("amount"):
        return _ask(visit, deal, stage)
    try:
        moved = make_move(visit, deal)
    except RemoteError as refusal:
        if refusal.reason != "STALE_ETAG":
            raise
        return _answer(visit, 409, problem=title_of(refusal))
    return _answer(visit, notice=_("%(title)s is now in %(stage)s") % {"title": moved.title, "stage": moved.stage_name})


def make_move(visit: Visit, deal: Any) -> Any:
    """Carry out what the form says: the amount first where one is given, then the move. Errors: RemoteError."""
    etag = visit.field("etag") or deal.etag
    if visit.field("amount"):
        said = pb.Deal(id=deal.id, amount=read_amount(visit))
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
        change_date=read_day(visit, "change_date"),
    )
    return visit.call("deals", "MoveDeal", request).deal


def read_amount(visit: Visit, name: str = "amount") -> Any:
    """The money of a form's fields `amount` and `currency`; None where nothing is written. Errors: FieldInvalid."""
    written = (
        visit.field(name).replace("\N{NO-BREAK SPACE}", "").replace("\N{NARROW NO-BREAK SPACE}", "").replace(" ", "")
    )
    if not written:
        return None
    try:
        amount = Decimal(written.replace(",", "."))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or abs(amount) >= Decimal(10) ** 14:
        raise FieldInvalid(FieldViolation(name, _("is not a sum of money; write a number such as 1250.50")))
    return to_money(amount.quantize(Decimal("0.000001")), visit.field("currency").upper())


def read_day(visit: Visit, name: str) -> Any:
    """The day in a form's field as browsers write it; None where nothing is. Errors: FieldInvalid."""
    written = visit.field(name)
    if not written:
        return None
    try:
        return to_date(date.fromisoformat(written))
    except ValueError:
        raise FieldInvalid(FieldViolation(name, _("is not a day; choose one in the calendar"))) from None


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


def _answer(visit: Visit, status: int = 200, notice: str = "", problem: str = "") -> Response:
    """After a move: the board anew, or the deal's own page where the move was made there."""
    if visit.field("page") == "deal":
        return visit.go(f"/deals/{visit.path['id']}")
    moved = {"X-Moved": "no" if problem else "yes", "HX-Retarget": "#board", "HX-Reswap": "outerMorph"}
    response = show_board(visit, read_filter(visit), status, notice=notice, problem=problem)
    response.headers.update(moved)
    return response


def _away(visit: Visit, away: Away) -> Response:
    values = {"title": _("This part of the platform is not available just now"), "detail": "", "problems": []}
    place = {"HX-Retarget": "#notices", "HX-Reswap": "beforeend"}
    return visit.render("frame/notice_problem.html", 503, place, service=away.service, trace_id="", **values)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


PAGES = (Page("POST", "/deals/{id}/move", move_card),)
