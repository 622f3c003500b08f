"""Requests to see customers of other units: one's own with their answers, and those the viewer may decide."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from starlette.responses import Response

from chassis.ids import new_id
from crm.contacts.v1 import contacts_pb2 as pb
from gateway.web.card_reading import PATHS
from gateway.web.mounting import Page
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

ROWS = 50
LATELY = timedelta(days=14)  # as long as an answer stands behind the bell


def show_requests(visit: Visit) -> Response:
    """The page of requests, newest first."""
    asked = pb.ListAccessRequestsRequest(page_size=ROWS, page_token=visit.query.get("page", ""))
    found = visit.call("contacts", "ListAccessRequests", asked)
    return visit.render(
        "access_requests/page.html",
        help="access-requests",
        requests=found.access_requests,
        next_token=found.next_page_token,
        words=state_words(),
        paths=PATHS,
        request_id=new_id(),
    )


def decide_request(visit: Visit) -> Response:
    """Let the asking unit know the customer, or not."""
    said = visit.field("decision")
    asked = pb.DecideAccessRequestRequest(
        request_id=visit.field("request_id"),
        access_request_id=visit.path["access_request"],
        approve=said in ("approve", "assign"),
        make_responsible=said == "assign",
        answer=visit.field("answer"),
    )
    visit.call("contacts", "DecideAccessRequest", asked)
    return visit.go("/access-requests")


def ask_for_open() -> tuple[str, str, Any]:
    """The call, as `Visit.gather` takes it, whose answer `waiting_for` reads."""
    open_ones = pb.ListAccessRequestsRequest(page_size=ROWS, state=pb.ACCESS_REQUEST_STATE_OPEN)
    return "contacts", "ListAccessRequests", open_ones


def waiting_for(answer: Any) -> list[pb.AccessRequest]:
    """The requests that wait for the viewer's word; none where contacts is away."""
    return [one for one in answer.access_requests if one.can_decide] if answer else []


def ask_for_all() -> tuple[str, str, Any]:
    """The call whose answer `answered_to` reads."""
    return "contacts", "ListAccessRequests", pb.ListAccessRequestsRequest(page_size=ROWS)


def answered_to(visit: Visit, answer: Any) -> list[pb.AccessRequest]:
    """The viewer's own requests that were decided lately, the latest first; none where contacts is away."""
    since = visit.now.timestamp() - LATELY.total_seconds()
    own = [one for one in answer.access_requests if one.requester_id == visit.user_id] if answer else []
    return [one for one in own if one.decide_time.seconds > since]


def state_words() -> dict[int, str]:
    """How far a request is."""
    return {
        pb.ACCESS_REQUEST_STATE_OPEN: _("not decided yet"),
        pb.ACCESS_REQUEST_STATE_APPROVED: _("approved"),
        pb.ACCESS_REQUEST_STATE_DECLINED: _("declined"),
    }


PAGES = (
    Page("GET", "/access-requests", show_requests),
    Page("POST", "/access-requests/{access_request}", decide_request),
)
