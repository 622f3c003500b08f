"""Deals as a board: the stages of a pipeline as columns of cards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup
from starlette.responses import Response

from crm.deals.v1 import deals_pb2 as pb
from crm.scheduling.v1 import scheduling_pb2 as scheduling
from gateway.web.columns import read_columns
from gateway.web.deals_filter import DealFilter, address_query, list_tabs, make_chips
from gateway.web.parties import Parties, find_parties
from gateway.web.values import to_datetime
from gateway.web.view_tabs import read_tabs
from gateway.web.visits import Visit

COLUMN_CARDS, MOST_CARDS = 15, 50
MOST_DRAWN = 4_000  # cards kept as drawn, about 6 MB; drawing the ninety of a board anew takes ten milliseconds
_drawn: dict[Any, Markup] = {}
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

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for two that are drawn alike; the deal's version stands for all that it says itself."""
        step = self.next_step.SerializeToString() if self.next_step else b""
        return self.deal.id, self.deal.etag, self.deal.stage_id, self.customer, self.owner, self.days, self.heat, step


@dataclass(frozen=True)
class Drawn:
    """A card as it is on the page."""

    deal: Any
    html: Markup


def show_board(
    visit: Visit, wanted: DealFilter, status: int = 200, pipelines: Sequence[Any] = (), **values: Any
) -> Response:
    """The page of the board, or the board alone where a page is open already; `pipelines` where they are known."""
    calls: dict[str, Any] = {"board": _question(visit, wanted)}
    if not pipelines:
        calls["pipelines"] = ("deals", "ListPipelines", pb.ListPipelinesRequest())
    first = visit.gather(**calls)
    if first.get("pipelines"):
        pipelines = first["pipelines"].pipelines
    board = first["board"]
    names, columns = _draw_columns(visit, wanted, board)
    return visit.render(
        "deals/board_part.html" if visit.is_part else "deals/board.html",
        status,
        help="deals",
        wanted=wanted,
        board=board,
        columns=columns,
        pipelines=pipelines,
        chips=make_chips(visit, wanted, names),
        tabs=list_tabs(visit),
        views_kept=read_tabs(visit, "deals", read_columns(visit, "deals"), view=wanted.view),
        query=address_query(visit, wanted),
        **{"notice": "", "problem": "", **values},
    )


def show_columns(visit: Visit, wanted: DealFilter, stages: Sequence[str], notice: str = "") -> Response:
    """Some columns of a board that is open, each in its place; the others stay as they are."""
    board = visit.gather(board=_question(visit, wanted, stages))["board"]
    _names, columns = _draw_columns(visit, wanted, board)
    by_id = {column.stage.id: (column, cards) for column, cards in columns}
    return visit.render(
        "deals/columns.html",
        headers={"HX-Reswap": "none"},
        board=board,
        columns=[by_id[one] for one in stages if one in by_id],
        query=address_query(visit, wanted),
        notice=notice,
    )


def _question(visit: Visit, wanted: DealFilter, stages: Sequence[str] = ()) -> tuple[str, str, Any]:
    size = min(max(COLUMN_CARDS, _number(visit.query.get("size", ""))), MOST_CARDS)
    return "deals", "GetBoard", pb.GetBoardRequest(column_size=size, stage_ids=stages, **wanted.fields(visit))


def _draw_columns(visit: Visit, wanted: DealFilter, board: Any) -> tuple[Parties, list[tuple[Any, list[Drawn]]]]:
    """The names of what the filter says, and each column with its cards; none where there is no board."""
    columns = board.columns if board else ()
    names, cards = make_cards(visit, (deal for column in columns for deal in column.deals), wanted)
    by_id = {card.deal.id: card for card in draw_cards(visit, cards)}
    return names, [(column, [by_id[deal.id] for deal in column.deals]) for column in columns]


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


def draw_cards(visit: Visit, cards: Iterable[Card]) -> list[Drawn]:
    """Cards as they are on the page; one that looks as it did lately, to whomever, is not drawn again."""
    return [Drawn(card.deal, _draw(visit, card)) for card in cards]


def _draw(visit: Visit, card: Card) -> Markup:
    key = visit.texts, visit.today, card.key
    html = _drawn.get(key)
    if html is None:
        if len(_drawn) >= MOST_DRAWN:
            _drawn.clear()
        html = _drawn[key] = visit.frame.draw(visit.texts, "deals/card.html", card=card)
    return html


def days_since(visit: Visit, moment: Any) -> int:
    """Whole calendar days from an instant to the viewer's today."""
    entered: datetime | None = to_datetime(moment)
    return max((visit.today - entered.astimezone(visit.texts.zone).date()).days, 0) if entered else 0


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
