"""Signing in and out at the browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit
from zoneinfo import ZoneInfo

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from chassis.errors import DomainError, Kind, NotSignedIn, RemoteError
from crm.directory.v1 import directory_pb2 as pb
from gateway.limits import SignInPace
from gateway.web.mounting import Page, Workplace, refuse_strange_origin
from gateway.web.sessions import COOKIE
from gateway.web.texts import Texts, choose_language, speaking
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

Fields = dict[str, str]
TICKET = "branchline_sign_in"
TICKET_SECONDS = 600
PROVIDER_DONE = "/sign-in/provider/done"


@dataclass(frozen=True)
class Arrival:
    """Somebody at the door: the request with its form, and what is needed to let in or not."""

    workplace: Workplace
    pace: SignInPace
    request: Request
    fields: Fields


def sign_in_routes(workplace: Workplace, pace: SignInPace) -> tuple[Route, ...]:
    """The sign-in page and its forms, and the way over a provider."""

    def route(path: str, method: str, act: Callable[[Arrival], Response]) -> Route:
        async def endpoint(request: Request) -> Response:
            form = await request.form(max_fields=10, max_files=0) if method == "POST" else {}
            fields = {name: value for name, value in form.items() if isinstance(value, str)}
            return await run_in_threadpool(act, Arrival(workplace, pace, request, fields))

        return Route(path, endpoint, methods=[method])

    return (
        route("/sign-in", "GET", _show),
        route("/sign-in", "POST", _enter),
        route("/sign-in/provider", "GET", _go_to_provider),
        route(PROVIDER_DONE, "GET", _come_from_provider),
        route("/sign-in/passkey/begin", "POST", _begin_passkey),
        route("/sign-in/passkey", "POST", _enter_with_passkey),
    )


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


def _show(arrival: Arrival) -> Response:
    def page() -> Response:
        try:
            arrival.workplace.sessions.read(arrival.request.cookies.get(COOKIE, ""))
        except NotSignedIn:
            return _page(
                arrival.workplace, arrival.request, 200, safe_next(arrival.request.query_params.get("next", "/today"))
            )
        return RedirectResponse("/today", 303)

    return _spoken(arrival.request, page)


def _enter(arrival: Arrival) -> Response:
    login = arrival.fields.get("login", "")[:200]
    asked = pb.SignInRequest(
        login=login,
        password=arrival.fields.get("password", "")[:200],
        code=arrival.fields.get("code", "")[:40],
        **_origin(arrival.request),
    )
    return _let_in(arrival, "SignIn", asked, safe_next(arrival.fields.get("next", "/today")), login)


def _go_to_provider(arrival: Arrival) -> Response:
    """Send the browser to the provider, with a ticket that only this browser brings back."""

    def go() -> Response:
        wanted = safe_next(arrival.request.query_params.get("next", "/today"))
        try:
            arrival.pace.take(_address(arrival.request))
            asked = pb.BeginProviderSignInRequest(redirect_uri=f"{_own(arrival.request)}{PROVIDER_DONE}")
            begun = arrival.workplace.services.call("directory", "BeginProviderSignIn", asked)
        except DomainError as refusal:
            return _refused(arrival.workplace, arrival.request, refusal, "", wanted)
        answer = RedirectResponse(begun.authorization_url, 303)
        _keep_ticket(answer, arrival.request, f"{begun.ticket} {quote(wanted)}", TICKET_SECONDS)
        return answer

    return _spoken(arrival.request, go)


def _come_from_provider(arrival: Arrival) -> Response:
    """Let in whom the provider sent back, in the browser that was sent there."""
    ticket, _blank, wanted = arrival.request.cookies.get(TICKET, "").partition(" ")
    asked = pb.SignInWithProviderRequest(
        ticket=ticket,
        code=arrival.request.query_params.get("code", "")[:2_000],
        state=arrival.request.query_params.get("state", "")[:200],
        **_origin(arrival.request),
    )
    wanted = safe_next(unquote(wanted) or "/today")
    answer = _let_in(arrival, "SignInWithProvider", asked, wanted, own_site=False)
    _keep_ticket(answer, arrival.request, "", 0)
    return answer


def _begin_passkey(arrival: Arrival) -> Response:
    """What the browser asks its devices, as JSON."""
    try:
        refuse_strange_origin(arrival.request)
        arrival.pace.take(_address(arrival.request))
        asked = pb.BeginPasskeySignInRequest(origin=_own(arrival.request))
        begun = arrival.workplace.services.call("directory", "BeginPasskeySignIn", asked)
    except DomainError:
        return JSONResponse({}, 503)
    return JSONResponse({"options": json.loads(begun.options), "ticket": begun.ticket})


def _enter_with_passkey(arrival: Arrival) -> Response:
    asked = pb.SignInWithPasskeyRequest(
        ticket=arrival.fields.get("ticket", "")[:4_000],
        credential=arrival.fields.get("credential", "")[:20_000],
        **_origin(arrival.request),
    )
    return _let_in(arrival, "SignInWithPasskey", asked, safe_next(arrival.fields.get("next", "/today")))


def _let_in(
    arrival: Arrival,
    call: str,
    asked: Any,
    wanted: str,
    login: str = "",
    *,
    own_site: bool = True,
) -> Response:
    """Open a session by one of the directory's calls, or say why not; who must set something up first goes there.

    `own_site` is False where another site sends the browser here: the ticket then says that it is the same browser.
    """

    def enter() -> Response:
        try:
            if own_site:
                refuse_strange_origin(arrival.request)
            arrival.pace.take(_address(arrival.request))
            session = arrival.workplace.sessions.open(call, asked)
        except DomainError as refusal:
            return _refused(arrival.workplace, arrival.request, refusal, login, wanted)
        _end_former(arrival.workplace, arrival.request)
        answer = RedirectResponse(wanted if session.access.grants else "/settings?set_up=1", 303)
        secure = arrival.request.url.scheme == "https"
        answer.set_cookie(COOKIE, session.id, path="/", httponly=True, samesite="lax", secure=secure)
        return answer

    return _spoken(arrival.request, enter)


def _keep_ticket(answer: Response, request: Request, ticket: str, seconds: int) -> None:
    secure = request.url.scheme == "https"
    answer.set_cookie(TICKET, ticket, max_age=seconds, path="/sign-in", httponly=True, samesite="lax", secure=secure)


def _origin(request: Request) -> dict[str, str]:
    """Where a sign-in comes from, as the directory's calls take it."""
    return {"device": request.headers.get("user-agent", ""), "address": _address(request)}


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _own(request: Request) -> str:
    """Scheme, host and port under which the browser sees the workplace."""
    return f"{request.url.scheme}://{request.url.netloc}"


def _page(workplace: Workplace, request: Request, status: int, wanted: str, **more: Any) -> Response:
    values = {"next": wanted, "login": "", "problem": "", "needs_code": False, **more}
    return workplace.frame.render_bare(
        _texts(request), "frame/sign_in.html", status, {**values, "provider": _provider_name(workplace)}
    )


def _provider_name(workplace: Workplace) -> str:
    """What the button says; no button where the directory is away."""
    try:
        return str(workplace.services.call("directory", "GetSignInWays", pb.GetSignInWaysRequest(), 1.0).provider_name)
    except RemoteError:
        return ""


def _end_former(workplace: Workplace, request: Request) -> None:
    """A session the browser brought along ends: whoever planted its id gains nothing."""
    former = request.cookies.get(COOKIE)
    if former:
        workplace.sessions.end(former)


def _refused(workplace: Workplace, request: Request, refusal: DomainError, login: str, wanted: str) -> Response:
    needs_code = refusal.reason == "SECOND_FACTOR_NEEDED"
    if needs_code:
        problem, status = _("Type the password again and the code that your authenticator app shows."), 401
    elif refusal.reason == "PASSKEY_NEEDED":
        problem, status = _("People with your role sign in with a passkey."), 401
    elif refusal.kind is Kind.EXHAUSTED:
        problem, status = _("Too many tries from here. Wait a minute, then try again."), 429
    elif refusal.kind in (Kind.UNAVAILABLE, Kind.DEADLINE):
        problem, status = _("Signing in is not available just now. Try again in a moment."), 503
    elif refusal.kind is Kind.FORBIDDEN:
        problem, status = _("This form came from another site. Sign in here."), 403
    else:
        problem, status = _("Name or password is wrong, or the account is closed."), 401
    return _page(workplace, request, status, wanted, login=login, problem=problem, needs_code=needs_code)


def _texts(request: Request) -> Texts:
    return Texts(choose_language("", request.headers.get("accept-language", "")), ZoneInfo("UTC"))


def _spoken(request: Request, act: Callable[[], Response]) -> Response:
    with speaking(_texts(request)):
        return act()
