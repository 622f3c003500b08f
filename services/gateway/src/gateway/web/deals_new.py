"""Opening a deal from anywhere: one short form in the side panel, the customer filled in where one is known."""

from __future__ import annotations

from starlette.responses import Response

from chassis.ids import is_id, new_id
from crm.deals.v1 import deals_pb2 as pb
from gateway.web.form_values import read_day, read_money
from gateway.web.mounting import Page
from gateway.web.parties import find_parties
from gateway.web.people import ask_for_people, people_of
from gateway.web.visits import Visit


def show_form(visit: Visit) -> Response:
    """The form, as a side panel or as a page of its own."""
    person_id, organization_id = (_asked(visit, name) for name in ("person", "organization"))
    parties, found = find_parties(
        visit,
        [person_id],
        [organization_id],
        pipelines=("deals", "ListPipelines", pb.ListPipelinesRequest()),
        people=ask_for_people(),
    )
    pipelines = found["pipelines"].pipelines if found["pipelines"] else ()
    return visit.render(
        "quick/deal.html" if visit.is_part else "quick/deal_page.html",
        away=None if found["pipelines"] else found["pipelines"],
        stages=[(stage.id, _stage_words(one, stage, len(pipelines))) for one in pipelines for stage in _open(one)],
        first=next((stage.id for one in pipelines if one.is_default for stage in _open(one)), ""),
        people=people_of(found["people"]),
        person=(person_id, parties.person(person_id)),
        organization=(organization_id, parties.organization(organization_id)),
        currency=visit.home.currency_code if visit.home else "",
        request_id=new_id(),
    )


def open_deal(visit: Visit) -> Response:
    """Open the deal and go to its page. Errors: FieldInvalid, RemoteError."""
    deal = pb.Deal(
        title=visit.field("title"),
        person_id=visit.field("person_id"),
        organization_id=visit.field("organization_id"),
        stage_id=visit.field("stage_id"),
        owner_id=visit.field("owner_id") or visit.user_id,
        amount=read_money("amount", visit.field("amount"), visit.field("currency")),
        expected_close_date=read_day("expected_close_date", visit.field("expected_close_date")),
    )
    request = pb.CreateDealRequest(request_id=visit.field("request_id"), deal=deal)
    return visit.go(f"/deals/{visit.call('deals', 'CreateDeal', request).deal.id}")


def _open(pipeline: pb.Pipeline) -> list[pb.Stage]:
    return [stage for stage in pipeline.stages if stage.kind == pb.STAGE_KIND_OPEN]


def _stage_words(pipeline: pb.Pipeline, stage: pb.Stage, pipelines: int) -> str:
    return f"{pipeline.name}: {stage.name}" if pipelines > 1 else stage.name


def _asked(visit: Visit, name: str) -> str:
    written = visit.query.get(name, "")
    return written if is_id(written) else ""


PAGES = (Page("GET", "/quick/deal", show_form), Page("POST", "/quick/deal", open_deal))
