"""What a person sees when something is refused: what happened, which field, and what to press.

A refused form keeps what was typed: the refusal goes into the form's own place for it (`data-problem`), everything else
into the notices. A page that cannot be had is a page that says so.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from chassis.errors import DomainError, Kind, RemoteError
from gateway.problems import REASONS, STATUSES, current_trace_id, own_name
from gateway.web.texts import Texts
from gateway.web.texts import gettext as _

if TYPE_CHECKING:
    from gateway.web.frame import Frame
    from gateway.web.visits import Visit

FORM_ID = re.compile(r"form#([A-Za-z][\w-]{0,60})")


class Forged(DomainError):
    """A change asked for by something else than a page of this session."""

    kind = Kind.FORBIDDEN
    reason = "REQUEST_FORGED"

    def __init__(self) -> None:
        super().__init__("this form is not of your present session; reload the page and try again")


def title_of(refusal: DomainError) -> str:
    """What happened, in a few words of the viewer's language."""
    titles = {
        Kind.INVALID: _("Please look at this again"),
        Kind.UNAUTHENTICATED: _("Please sign in again"),
        Kind.FORBIDDEN: _("You are not allowed to do this"),
        Kind.NOT_FOUND: _("This is not here, or not for you to see"),
        Kind.ALREADY_EXISTS: _("This exists already"),
        Kind.PRECONDITION: _("This cannot be done now"),
        Kind.CONFLICT: _("Somebody changed this in the meantime"),
        Kind.EXHAUSTED: _("Too much at once; wait a moment"),
        Kind.UNAVAILABLE: _("A part of the platform is not available; nothing was lost, try again in a moment"),
        Kind.DEADLINE: _("That took too long; try again in a moment"),
    }
    return titles.get(refusal.kind, _("Something went wrong on our side; it has been recorded"))


def refusal_page(visit: Visit, refusal: DomainError) -> Response:
    """The answer to a request that was refused."""
    status = REASONS.get(refusal.reason, STATUSES[refusal.kind])
    frozen = refusal.metadata.get("frozen", "")
    values: dict[str, Any] = {
        "title": _("Stopped for now in %(unit)s") % {"unit": frozen} if frozen else title_of(refusal),
        "detail": "" if refusal.kind is Kind.INTERNAL else refusal.message,
        "problems": [(own_name(one.field), one.description) for one in refusal.violations],
        "service": refusal.service if isinstance(refusal, RemoteError) and status >= 500 else "",
        "trace_id": current_trace_id() if status >= 500 else "",
    }
    wait = refusal.retry_after_seconds
    later = {} if wait is None else {"Retry-After": str(max(1, math.ceil(wait)))}
    if not visit.is_part:
        return visit.render("frame/refused.html", status, later, **values)
    form = FORM_ID.fullmatch(visit.request.headers.get("hx-source", ""))
    if form:
        place = {"HX-Retarget": f"#{form[1]} [data-problem]", "HX-Reswap": "innerHTML", **later}
        return visit.render("frame/problem.html", status, place, **values)
    return visit.render(
        "frame/notice_problem.html", status, {"HX-Retarget": "#notices", "HX-Reswap": "beforeend", **later}, **values
    )


def stranger_page(frame: Frame, texts: Texts, status: int) -> Response:
    """A refusal for somebody of whom nothing is known: an address that is not there, a fault of ours."""
    titles = {404: _("There is no such page"), 405: _("There is no such page"), 413: _("That is too large")}
    title = titles.get(status, _("Something went wrong on our side; it has been recorded"))
    return frame.render_bare(texts, "frame/stranger.html", status, {"title": title, "trace_id": current_trace_id()})
