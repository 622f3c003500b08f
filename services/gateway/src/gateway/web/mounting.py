"""The workplace as one ASGI app: its routes, who may come in, and what every refusal looks like to a person.

A page is added with `Page(method, path, function)`; the function gets a `Visit` and runs on a thread, since it waits
for services. Everything here is closed to strangers but the sign-in page and the assets.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from chassis.errors import DomainError, NotSignedIn
from chassis.rpc.client import calling_as
from gateway.services import Services
from gateway.signed_in import SignedIn
from gateway.web.frame import Frame
from gateway.web.homes import Homes
from gateway.web.refusals import Forged, refusal_page, stranger_page
from gateway.web.sessions import COOKIE, Sessions
from gateway.web.texts import Texts, choose_language, speaking
from gateway.web.visits import Visit
from gateway.webhooks.desk import Desk

SAFE = ("GET", "HEAD")
MOST_FIELDS = 500


@dataclass(frozen=True)
class Page:
    """One address of the workplace: `path` as Starlette writes it, `answer` makes the response.

    `takes_bytes` marks one that gets a body of plain bytes (`visit.body`) instead of a form.
    """

    method: str
    path: str
    answer: Callable[[Visit], Response]
    takes_bytes: bool = False


@dataclass(frozen=True)
class Workplace:
    """What every request of the workplace needs."""

    services: Services
    signed_in: SignedIn
    sessions: Sessions
    frame: Frame
    homes: Homes
    desk: Desk | None = None  # of webhooks; None where the operator set none up

    def route(self, page: Page) -> Route:
        """The page as a route."""

        async def endpoint(request: Request) -> Response:
            request.scope["route"] = page  # its path names the request in traces and logs
            if page.takes_bytes:
                return await run_in_threadpool(self.answer, page, request, FormData(), await request.body())
            form = FormData() if request.method in SAFE else await request.form(max_fields=MOST_FIELDS, max_files=0)
            return await run_in_threadpool(self.answer, page, request, form)

        return Route(page.path, endpoint, methods=[page.method])

    def answer(self, page: Page, request: Request, form: FormData, body: bytes = b"") -> Response:
        """Let the person in, or say why not."""
        try:
            session = self.sessions.read(request.cookies.get(COOKIE, ""))
            self.signed_in.check(session.token)
        except NotSignedIn:
            return to_sign_in(request)
        with calling_as(session.token):
            visit = self._visit(request, session, form, body)
            with speaking(visit.texts):
                try:
                    self.signed_in.pace.take(session.access)
                    refuse_forgery(request, form, session.knows)
                    return page.answer(visit)
                except DomainError as refusal:
                    return refusal_page(visit, refusal)

    def _visit(self, request: Request, session: Any, form: FormData, body: bytes) -> Visit:
        home = self.homes.of(session.access)
        language = choose_language(session.settings.get("language", ""), request.headers.get("accept-language", ""))
        zone = ZoneInfo(session.settings.get("zone") or (home and home.time_zone) or "UTC")
        texts = Texts(language, zone)
        above = self.homes.above(session.access)
        return Visit(
            request, session, texts, self.services, self.sessions, self.frame, home, above, form, body, desk=self.desk
        )


def refuse_forgery(request: Request, form: FormData, knows: Callable[[str], bool]) -> None:
    """Errors: Forged for a change that another site's page asked for, or that carries no token of this session."""
    if request.method in SAFE:
        return
    refuse_strange_origin(request)
    token = request.headers.get("x-csrf") or form.get("csrf", "")
    if not isinstance(token, str) or not knows(token):
        raise Forged()


def refuse_strange_origin(request: Request) -> None:
    """Errors: Forged when the browser says that another site's page asks."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Forged()
    origin = request.headers.get("origin")
    if origin and urlsplit(origin).netloc != request.headers.get("host"):
        raise Forged()


def to_sign_in(request: Request) -> Response:
    """Send a stranger to the sign-in page, and from there back to where he wanted to go."""
    if request.headers.get("hx-request") == "true":
        return Response(status_code=204, headers={"HX-Redirect": "/sign-in"})
    if request.method not in SAFE:
        return RedirectResponse("/sign-in", 303)
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/sign-in?next={quote(wanted)}" if wanted != "/" else "/sign-in", 303)


def make_app(workplace: Workplace, pages: tuple[Page, ...], others: tuple[BaseRoute, ...]) -> Starlette:
    """The app of all pages; `others` look after their visitors themselves."""

    async def lost(request: Request, error: Exception) -> Response:
        return await run_in_threadpool(_answer_lost, workplace, request, error)

    handlers: dict[Any, Callable[[Request, Any], Awaitable[Response]]] = {HTTPException: lost, 500: lost}
    routes = [*others, *(workplace.route(page) for page in pages)]
    return Starlette(routes=routes, exception_handlers=handlers)


def _answer_lost(workplace: Workplace, request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    texts = Texts(choose_language("", request.headers.get("accept-language", "")), ZoneInfo("UTC"))
    with speaking(texts):
        return stranger_page(workplace.frame, texts, status)
