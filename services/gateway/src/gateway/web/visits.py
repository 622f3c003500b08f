"""One request of one signed-in person: what was asked, who asks, calls to services on their behalf, and the answer.

A page is a function of a `Visit` that returns a response. Calls made through a visit carry the person's token; several
independent calls go out at once with `gather`, and a service that is away costs only its own part of the page.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chassis.access import ADMINISTER, AUDIT, EXPORT, IMPORT, OWN, PLAN, SUBSCRIBE
from chassis.errors import Kind, RemoteError
from gateway.services import Services
from gateway.web.following import now_ms
from gateway.web.frame import Frame
from gateway.web.sessions import Session, Sessions
from gateway.web.texts import Texts
from gateway.webhooks.desk import Desk
from units.records import PLAN as PLAN_RECORDS

# Waiting for gRPC holds a thread and costs nothing else; a card asks six services at once.
_callers = ThreadPoolExecutor(max_workers=64, thread_name_prefix="panel")
AWAY = (Kind.UNAVAILABLE, Kind.DEADLINE, Kind.EXHAUSTED, Kind.INTERNAL)
UNIT_CHOICE = "unit"  # the setting that remembers the unit chosen at the top
PANEL_SECONDS = 3.0  # a panel that takes longer is shown as not available


@dataclass(frozen=True)
class Away:
    """In the place of an answer: the service could not be reached. False in a condition."""

    service: str

    def __bool__(self) -> bool:
        return False


@dataclass(frozen=True)
class Visit:
    """A request in hand.

    `form` holds the posted fields, `body` the bytes of a page that takes those instead, `home` the person's unit as far
    as the directory could say, `units_above` the paths of that and of all above it by their ids.
    """

    request: Request
    session: Session
    texts: Texts
    services: Services
    sessions: Sessions
    frame: Frame
    home: Any = None
    units_above: Mapping[str, str] = field(default_factory=dict)
    form: FormData = field(default_factory=FormData)
    body: bytes = b""
    desk: Desk | None = None
    begin_ms: int = field(default_factory=now_ms)  # what changes later, a page hears of by its stream

    # --- what was asked
    @property
    def query(self) -> Mapping[str, str]:
        """The values behind the question mark."""
        return self.request.query_params

    @property
    def path(self) -> Mapping[str, str]:
        """The values in the path."""
        return self.request.path_params

    @property
    def is_part(self) -> bool:
        """Whether htmx asks for a part of a page rather than a page."""
        return self.request.headers.get("hx-request") == "true"

    def field(self, name: str, default: str = "") -> str:
        """A posted field as text, blanks at its ends cut off."""
        value = self.form.get(name, default)
        return value.strip() if isinstance(value, str) else default

    def url(self, **changes: str | None) -> str:
        """This page's address with some values behind the question mark changed; None takes one away."""
        values = {name: value for name, value in {**self.query, **changes}.items() if value}
        return self.request.url.path + (f"?{urlencode(values)}" if values else "")

    # --- who asks
    @property
    def user_id(self) -> str:
        """Id of the person."""
        return self.session.access.user_id

    @property
    def user_name(self) -> str:
        """Name of the person."""
        return self.session.access.user_name

    @property
    def now(self) -> datetime:
        """The present instant in the person's zone."""
        return datetime.now(self.texts.zone)

    @property
    def today(self) -> date:
        """The present day in the person's zone."""
        return self.now.date()

    @property
    def may_administer(self) -> bool:
        """Whether the person runs the platform."""
        return self.session.access.allows_everywhere(ADMINISTER)

    @property
    def may_audit(self) -> bool:
        """Whether the person may see who did what somewhere."""
        return self.session.access.allows_somewhere(AUDIT)

    @property
    def may_import(self) -> bool:
        """Whether the person may bring in files."""
        return self.session.access.allows_somewhere(IMPORT)

    @property
    def may_export(self) -> bool:
        """Whether the person may take lists along as files."""
        return self.session.access.allows_somewhere(EXPORT)

    @property
    def may_subscribe(self) -> bool:
        """Whether the person may have records told to systems outside."""
        return self.session.access.allows_somewhere(SUBSCRIBE)

    @property
    def is_head(self) -> bool:
        """Whether the person answers for others: sets plans for a unit or reads a whole one."""
        return (
            any(grant.scope != OWN for grant in self.session.access.grants_for(PLAN, PLAN_RECORDS))
            or self.may_administer
        )

    def setting(self, name: str, default: Any = None) -> Any:
        """How the person likes the workplace."""
        return self.session.settings.get(name, default)

    @property
    def chosen_unit(self) -> str:
        """Id of the unit chosen at the top of the page and remembered; empty for none."""
        kept = self.setting(UNIT_CHOICE, "")
        return kept if isinstance(kept, str) else ""

    @property
    def narrowing_unit(self) -> str:
        """Id of the chosen unit where this page's address names it: tabs then stay within it."""
        return self.chosen_unit if self.query.get("unit") == self.chosen_unit else ""

    def save_setting(self, name: str, value: Any) -> None:
        """Keep how the person likes the workplace; JSON, None forgets it."""
        self.sessions.save_setting(self.session, name, value)

    # --- calls
    def call(self, service: str, method: str, request: Any, timeout: float = 10.0) -> Any:
        """Call a service for the person; `timeout` in seconds. Errors: RemoteError."""
        return self.services.call(service, method, request, timeout=timeout)

    def gather(self, **calls: tuple[str, str, Any]) -> dict[str, Any]:
        """Make independent calls `name=(service, method, request)` at once.

        Returns: an answer a name; `Away` where the service is down or late. Errors: RemoteError where one was refused.
        """
        waiting = {
            name: _callers.submit(contextvars.copy_context().run, self._panel, *call) for name, call in calls.items()
        }
        return {name: one.result() for name, one in waiting.items()}

    def gather_calls(self, **calls: Callable[[], Any]) -> dict[str, Any]:
        """Like `gather` for functions that make several calls one after another."""
        waiting = {
            name: _callers.submit(contextvars.copy_context().run, self._away_or, call) for name, call in calls.items()
        }
        return {name: one.result() for name, one in waiting.items()}

    def _panel(self, service: str, method: str, request: Any) -> Any:
        return self._away_or(lambda: self.services.call(service, method, request, timeout=PANEL_SECONDS))

    @staticmethod
    def _away_or(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except RemoteError as refusal:
            if refusal.kind in AWAY:
                return Away(refusal.service)
            raise

    # --- answers
    def render(
        self, template: str, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
    ) -> Response:
        """A whole page, or a part of one where the template is no page."""
        return self.frame.render(self, template, status, headers, values)

    def go(self, path: str) -> Response:
        """Send the browser to another page of the workplace, after a form or from an old address."""
        if self.is_part:
            return Response(status_code=204, headers={"HX-Redirect": path})
        return RedirectResponse(path, 303)

    def done(self, notice: str = "", *, refresh: str = "", status: int = 200) -> Response:
        """Nothing to show but a notice; `refresh` names an event that parts of the page listen to (from:body)."""
        headers = {"HX-Trigger": refresh} if refresh else {}
        return self.render("frame/notice.html", status, {**headers, "HX-Reswap": "none"}, notice=notice)
