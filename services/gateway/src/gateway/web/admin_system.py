"""The state of the system: which services answer, how far they are behind, and the events that wait for a person."""

from __future__ import annotations

from functools import partial
from typing import Any

from starlette.responses import Response

from chassis.errors import DomainError, Kind
from chassis.rpc.client import current_token
from crm.platform.v1 import events_pb2 as pb
from crm.reporting.v1 import reporting_pb2 as reporting
from gateway.event_content import message_text, read_text
from gateway.routes.status import ask_status
from gateway.web.admin import for_administrators
from gateway.web.mounting import Page
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

ROWS = 50
STATES = ("", "RETRY", "BEHIND", "PARKED", "RESOLVED", "SKIPPED")


class NoSuchService(DomainError):
    """An address of a service that the gateway does not speak to."""

    kind = Kind.NOT_FOUND
    reason = "SERVICE_NOT_HERE"


def show_system(visit: Visit) -> Response:
    """Every service in a row."""
    token = current_token()
    names = list(visit.services.clients)
    calls: dict[str, Any] = {name: partial(ask_status, visit.services, name, token) for name in names}
    calls["freshness"] = partial(visit.call, "reporting", "GetFreshness", reporting.GetFreshnessRequest(), timeout=3.0)
    found = visit.gather_calls(**calls)
    fresh = found["freshness"]
    return visit.render(
        "admin/system.html",
        help="admin",
        place="system",
        services=[found[name] for name in names],
        words=status_words(),
        positions=sorted(fresh.positions.items()) if fresh else [],
        counts=sorted(fresh.counts.items()) if fresh else [],
        away=None if fresh else fresh,
    )


def show_parked(visit: Visit) -> Response:
    """The events that wait in one service, oldest first."""
    service, state = _service(visit), visit.query.get("state", "")
    asked = pb.ListParkedRequest(service=service, page_size=ROWS, page_token=visit.query.get("page", ""))
    if state in STATES[1:]:
        asked.state = pb.ParkedState.Value(f"PARKED_STATE_{state}")
    found = _call(visit, service, "ListParked", asked)
    return visit.render(
        "admin/parked.html",
        help="admin",
        place="system",
        service=service,
        parked=found.parked,
        next_token=found.next_page_token,
        state=state if state in STATES else "",
        words=parked_words(),
        names={number: pb.ParkedState.Name(number).removeprefix("PARKED_STATE_") for number in pb.ParkedState.values()},
    )


def show_event(visit: Visit) -> Response:
    """One event that waits, with its content."""
    service, number = _service(visit), _number(visit)
    if not visit.is_part:  # it stands in the side panel only
        return visit.go(f"/admin/system/{service}")
    found = _call(visit, service, "GetParked", pb.GetParkedRequest(service=service, number=number))
    kind, state = found.parked.type, found.parked.state
    return visit.render(
        "admin/event.html",
        service=service,
        event=found.parked,
        facts=sorted(found.headers.items()),
        message=message_text(kind, found.data),
        edits=[(one.editor, one.edit_time, message_text(kind, one.data)) for one in found.edits],
        may_edit=bool(found.parked.aggregate) and state in (pb.PARKED_STATE_RETRY, pb.PARKED_STATE_PARKED),
    )


def edit_event(visit: Visit) -> Response:
    """Have the event say something else and be tried anew at once."""
    service, number = _service(visit), _number(visit)
    kind = _call(visit, service, "GetParked", pb.GetParkedRequest(service=service, number=number)).parked.type
    data = read_text(kind, visit.field("message"))
    _call(visit, service, "EditParked", pb.EditParkedRequest(service=service, number=number, data=data))
    return visit.go(f"/admin/system/{service}")


def retry_event(visit: Visit) -> Response:
    """Have the event tried anew at once."""
    service, number = _service(visit), _number(visit)
    _call(visit, service, "RetryParked", pb.RetryParkedRequest(service=service, number=number))
    return visit.go(f"/admin/system/{service}")


def skip_event(visit: Visit) -> Response:
    """Let the event go unhandled."""
    service, number = _service(visit), _number(visit)
    _call(visit, service, "SkipParked", pb.SkipParkedRequest(service=service, number=number))
    return visit.go(f"/admin/system/{service}")


def status_words() -> dict[str, str]:
    """How a service is."""
    return {"serving": _("works"), "not_serving": _("starts or is troubled"), "unreachable": _("cannot be reached")}


def parked_words() -> dict[str, str]:
    """Why an event waits."""
    return {
        "RETRY": _("will be tried again"),
        "BEHIND": _("waits behind another"),
        "PARKED": _("needs a decision"),
        "RESOLVED": _("handled after all"),
        "SKIPPED": _("let go"),
    }


def _service(visit: Visit) -> str:
    name = visit.path["service"]
    if name not in visit.services.events:
        raise NoSuchService(_("There is no such service"))
    return name


def _number(visit: Visit) -> int:
    text = visit.path["number"]
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NoSuchService(_("There is no such event"))
    return int(text)


def _call(visit: Visit, service: str, method: str, asked: Any) -> Any:
    """Call the messaging door of a service. Errors: RemoteError."""
    return visit.services.events[service].call(method, asked)


PAGES = (
    Page("GET", "/admin/system", for_administrators(show_system)),
    Page("GET", "/admin/system/{service}", for_administrators(show_parked)),
    Page("GET", "/admin/system/{service}/{number}", for_administrators(show_event)),
    Page("POST", "/admin/system/{service}/{number}/retry", for_administrators(retry_event)),
    Page("POST", "/admin/system/{service}/{number}/edit", for_administrators(edit_event)),
    Page("POST", "/admin/system/{service}/{number}/skip", for_administrators(skip_event)),
)
