"""Signing in and out at the browser."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from chassis.errors import DomainError, Kind, NotSignedIn
from gateway.limits import SignInPace
from gateway.web.mounting import Page, Workplace, refuse_strange_origin
from gateway.web.sessions import COOKIE
from gateway.web.texts import Texts, choose_language, speaking
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit


def sign_in_routes(workplace: Workplace, pace: SignInPace) -> tuple[Route, ...]:
    """The sign-in page and its form."""

    async def show(request: Request) -> Response:
        return await run_in_threadpool(_show, workplace, request)

    async def enter(request: Request) -> Response:
        form = await request.form(max_fields=10, max_files=0)
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        return await run_in_threadpool(_enter, workplace, pace, request, fields)

    return Route("/sign-in", show, methods=["GET"]), Route("/sign-in", enter, methods=["POST"])


def safe_next(path: str) -> str:
    """Where to go after signing in: a path of this workplace, never another site."""
    parts = urlsplit(path.replace("\\", "/"))
    inside = path.startswith("/") and not path.startswith("//") and not parts.scheme and not parts.netloc
    return path if inside and path.isprintable() and "\\" not in path else "/today"


def sign_out(visit: Visit) -> Response:
    """End the session here and everywhere; the browser forgets what it kept."""
    visit.sessions.end(visit.session.id)
    answer = RedirectResponse("/sign-in", 303, {"Clear-Site-Data": '"cache", "storage"'})
    answer.delete_cookie(COOKIE, path="/")
    return answer


PAGES = (Page("POST", "/sign-out", sign_out),)


def _show(workplace: Workplace, request: Request) -> Response:
    def page() -> Response:
        try:
            workplace.sessions.read(request.cookies.get(COOKIE, ""))
        except NotSignedIn:
            wanted = safe_next(request.query_params.get("next", "/today"))
            shown = {"next": wanted, "login": "", "problem": ""}
            return workplace.frame.render_bare(_texts(request), "frame/sign_in.html", 200, shown)
        return RedirectResponse("/today", 303)

    return _spoken(request, page)


def _enter(workplace: Workplace, pace: SignInPace, request: Request, fields: dict[str, str]) -> Response:
    def enter() -> Response:
        login, wanted = fields.get("login", "")[:200], safe_next(fields.get("next", "/today"))
        try:
            refuse_strange_origin(request)
            pace.take(request.client.host if request.client else "")
            session = workplace.sessions.open(login, fields.get("password", "")[:200])
        except DomainError as refusal:
            return _refused(workplace, request, refusal, login, wanted)
        _end_former(workplace, request)
        answer = RedirectResponse(wanted, 303)
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, session.id, path="/", httponly=True, samesite="lax", secure=secure)
        return answer

    return _spoken(request, enter)


def _end_former(workplace: Workplace, request: Request) -> None:
    """A session the browser brought along ends: whoever planted its id gains nothing."""
    former = request.cookies.get(COOKIE)
    if former:
        workplace.sessions.end(former)


def _refused(workplace: Workplace, request: Request, refusal: DomainError, login: str, wanted: str) -> Response:
    if refusal.kind is Kind.EXHAUSTED:
        problem, status = _("Too many tries from here. Wait a minute, then try again."), 429
    elif refusal.kind in (Kind.UNAVAILABLE, Kind.DEADLINE):
        problem, status = _("Signing in is not available just now. Try again in a moment."), 503
    elif refusal.kind is Kind.FORBIDDEN:
        problem, status = _("This form came from another site. Sign in here."), 403
    else:
        problem, status = _("Name or password is wrong, or the account is closed."), 401
    values = {"login": login, "problem": problem, "next": wanted}
    return workplace.frame.render_bare(_texts(request), "frame/sign_in.html", status, values)


def _texts(request: Request) -> Texts:
    return Texts(choose_language("", request.headers.get("accept-language", "")), ZoneInfo("UTC"))


def _spoken(request: Request, act: Callable[[], Response]) -> Response:
    with speaking(_texts(request)):
        return act()
