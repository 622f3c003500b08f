"""The page of one deal: its stage, what is known of it, its lines and history, what is planned and what was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from chassis.dates import from_date
from chassis.ids import is_id, new_id
from crm.contacts.v1 import contacts_pb2 as contacts
from crm.deals.v1 import deals_pb2 as pb
from crm.scheduling.v1 import scheduling_pb2 as scheduling
from gateway.web.access_page import may_explain
from gateway.web.deals_board import days_since
from gateway.web.mounting import Page
from gateway.web.parties import find_parties
from gateway.web.values import to_datetime
from gateway.web.visits import Visit

OPEN_SHOWN, DONE_SHOWN, SAID_SHOWN = 20, 5, 8


@dataclass(frozen=True)
class StageStop:
    """A stage as the bar shows it: behind the deal, where it is, or ahead."""

    stage: Any
    here: bool
    passed: bool


@dataclass(frozen=True)
class StepShown:
    """A step of the history with the days until the next one; None where a time is not known."""

    step: Any
    days: int | None
    is_last: bool


def show_deal(visit: Visit) -> Response:
    """The page of a deal, or its changing part where the page is open."""
    return render_deal(visit, deal_id(visit))


def deal_id(visit: Visit) -> str:
    """The id in the address. Errors: HTTPException where it is none."""
    if not is_id(visit.path["id"]):
        raise HTTPException(404)
    return visit.path["id"]


def render_deal(visit: Visit, id: str, status: int = 200, **values: Any) -> Response:
    """The page or its part; in two rounds of calls, since names and notes follow from what the deal says."""
    opened = scheduling.ListActivitiesRequest(deal_id=id, page_size=OPEN_SHOWN, state=scheduling.ACTIVITY_STATE_OPEN)
    done = scheduling.ListActivitiesRequest(
        deal_id=id, page_size=DONE_SHOWN, state=scheduling.ACTIVITY_STATE_DONE, latest_first=True
    )
    first = visit.gather(
        deal=("deals", "GetDeal", pb.GetDealRequest(deal_id=id)),
        pipelines=("deals", "ListPipelines", pb.ListPipelinesRequest()),
        opened=("scheduling", "ListActivities", opened),
        done=("scheduling", "ListActivities", done),
    )
    if not first["deal"]:
        return visit.render("deals/away.html", 503, service=first["deal"].service)
    deal = first["deal"].deal
    parties, second = find_parties(
        visit,
        [deal.person_id],
        [deal.organization_id],
        [deal.owner_id, *(step.user_id for step in deal.stage_history)],
        **_said(deal),
    )
    stages = _stages_of(deal, first["pipelines"].pipelines if first["pipelines"] else ())
    return visit.render(
        "deals/deal_part.html" if visit.is_part else "deals/deal.html",
        status,
        help="deals",
        deal=deal,
        parties=parties,
        bar=make_bar(deal, stages),
        history=make_history(visit, deal.stage_history),
        days=days_since(visit, deal.stage_time),
        opened=first["opened"],
        done=first["done"],
        said=second.get("said"),
        facts=_facts(deal),
        decimal=Decimal,
        request_id=new_id(),
        may_explain=may_explain(visit),
        **{"notice": "", "problem": "", **values},
    )


def make_bar(deal: Any, stages: Sequence[Any]) -> list[StageStop]:
    """The stages in order; those before an open deal's stage, or before a won one's, lie behind it."""
    here = next((stage.position for stage in stages if stage.id == deal.stage_id), 0)
    return [
        StageStop(stage, stage.id == deal.stage_id, stage.kind == pb.STAGE_KIND_OPEN and stage.position < here)
        for stage in stages
    ]


def make_history(visit: Visit, steps: Sequence[Any]) -> list[StepShown]:
    """The history, newest first, with how long the deal stayed."""
    moments: list[datetime | None] = [to_datetime(step.change_time) for step in steps]
    ends = [*moments[1:], visit.now]
    shown = []
    for step, begin, end in zip(steps, moments, ends, strict=True):
        days = (end.astimezone(UTC) - begin).days if begin and end else None
        shown.append(StepShown(step, days, step is steps[-1]))
    return shown[::-1]


def _stages_of(deal: Any, pipelines: Sequence[Any]) -> Sequence[Any]:
    return next((one.stages for one in pipelines if one.id == deal.pipeline_id), ())


def _facts(deal: Any) -> list[str]:
    """The names of the facts that this deal shows, in order."""
    closed, lost = deal.status != pb.STAGE_KIND_OPEN, deal.status == pb.STAGE_KIND_LOST
    ended = [*(["close_date"] if closed else []), *(["loss_reason", "loss_comment"] if lost else [])]
    return [
        "title", "amount", "organization_id", "person_id", "owner_id", "unit_id", "open_date", "expected_close_date",
        *ended, "business_line", "external_id",
    ]  # fmt: skip


def _said(deal: Any) -> dict[str, tuple[str, str, Any]]:
    """What was said with the customer since the deal was opened."""
    if not deal.organization_id and not deal.person_id:
        return {}
    request = contacts.ListInteractionsRequest(page_size=SAID_SHOWN)
    if deal.organization_id:
        request.organization_id = deal.organization_id
    else:
        request.person_id = deal.person_id
    opened = from_date(deal.open_date, "open_date")
    if opened:
        request.occur_from_time.FromDatetime(datetime.combine(opened, time(), UTC))
    return {"said": ("contacts", "ListInteractions", request)}


PAGES = (Page("GET", "/deals/{id}", show_deal),)
