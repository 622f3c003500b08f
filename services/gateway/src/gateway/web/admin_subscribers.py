"""Who hears events: each service's consumers with how far they are, and systems outside that are told by webhooks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from starlette.responses import Response

from crm.platform.v1 import events_pb2 as pb
from gateway.routes.status import OPEN
from gateway.web.admin import for_administrators
from gateway.web.mounting import Page
from gateway.web.visits import Visit
from gateway.web.webhooks import state_words

SECONDS = 3.0


@dataclass(frozen=True)
class Listener:
    """A consumer of a service: where it is in the log of one source, and how many events wait in it altogether."""

    service: str
    consumer: str
    source: str
    position: int
    last: int | None  # of the source's log; None where the source does not answer
    heard: datetime | None
    waiting: int
    parked: int


def show_subscribers(visit: Visit) -> Response:
    """All of them; services that do not answer are named."""
    names = list(visit.services.clients)
    found = visit.gather_calls(**{name: partial(_ask, visit, name) for name in names})
    lags = {name: one for name, one in found.items() if one}
    rows = visit.desk.list_seen(visit.session.access) if visit.desk else []
    return visit.render(
        "admin/subscribers.html",
        help="subscribers",
        place="subscribers",
        listeners=_listeners(lags),
        missing=[name for name in names if name not in lags],
        webhooks=rows,
        state_of=visit.desk.state_of if visit.desk else str,
        states=state_words(),
    )


def _listeners(lags: dict[str, Any]) -> list[Listener]:
    """By service, consumer and source. A consumer that is at the end of what it may hear can stand before the last."""
    last = {one.source: one.last_position for one in lags.values()}
    return [
        Listener(
            name, at.consumer, at.source, at.position, last.get(at.source),
            at.event_time.ToDatetime(UTC) if at.HasField("event_time") else None,
            _count(lag, at.consumer, OPEN), _count(lag, at.consumer, (pb.PARKED_STATE_PARKED,)),
        )
        for name, lag in lags.items()
        for at in sorted(lag.consumers, key=lambda one: (one.consumer, one.source))
    ]  # fmt: skip


def _count(lag: pb.GetLagResponse, consumer: str, states: tuple[Any, ...]) -> int:
    return sum(one.count for one in lag.waiting if one.consumer == consumer and one.state in states)


def _ask(visit: Visit, name: str) -> Any:
    asked = pb.GetLagRequest(service=name)
    return visit.services.events[name].call("GetLag", asked, timeout=SECONDS, retry=False)


PAGES = (Page("GET", "/admin/subscribers", for_administrators(show_subscribers)),)
