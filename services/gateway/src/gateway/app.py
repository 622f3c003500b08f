"""The gateway as one ASGI app: REST under /api/v1 over the services' contracts, described by its OpenAPI document."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.database import Database
from chassis.tokens import TokenVerifier
from gateway import problems
from gateway.calls import Call, add_calls
from gateway.limits import Limits, RequestPace, SignInPace
from gateway.openapi import describe
from gateway.own_trail import OwnTrail
from gateway.routes import contacts, deals, directory, exports, imports, reporting, scheduling
from gateway.routes.audit import add_audit_routes
from gateway.routes.events import add_event_routes
from gateway.routes.scim import Scim
from gateway.routes.sessions import add_session_routes
from gateway.routes.status import add_status_routes
from gateway.routes.views import add_view_routes
from gateway.routes.webhooks import add_webhook_routes
from gateway.services import Services
from gateway.settings import Settings
from gateway.signed_in import SignedIn
from gateway.tracing import Traced
from gateway.web.assets import add_asset_routes
from gateway.web.following import Following
from gateway.web.names import forget_names
from gateway.web.pages import create_workplace
from gateway.webhooks.desk import Desk
from gateway.webhooks.starting import make_desk

PREFIX = "/api/v1"
PACKED_ALREADY = (*DEFAULT_EXCLUDED_CONTENT_TYPES, imports.MEDIA_TYPES["xlsx"])
AREAS: dict[str, tuple[Call, ...]] = {
    "units": directory.UNITS,
    "reorganizations": directory.REORGANIZATIONS,
    "users": directory.USERS,
    "sessions": directory.ACCOUNT,
    "rights": directory.RIGHTS,
    "persons": contacts.PERSONS,
    "organizations": contacts.ORGANIZATIONS,
    "interactions": contacts.INTERACTIONS,
    "customer fields": contacts.FIELDS,
    "segments": contacts.SEGMENTS,
    "search": contacts.SEARCH,
    "deals": deals.DEALS,
    "pipelines": deals.PIPELINES,
    "products": deals.PRODUCTS,
    "plans": deals.PLANS,
    "activities": scheduling.ACTIVITIES,
    "calendar": scheduling.CALENDAR,
    "notifications": scheduling.NOTIFICATIONS,
    "absences": scheduling.ABSENCES,
    "files": imports.FILES,
    "runs": imports.RUNS,
    "templates": imports.TEMPLATES,
    "exports": exports.EXPORTS,
    "reports": reporting.REPORTS,
    "exchange_rates": reporting.EXCHANGE_RATES,
    "freshness": reporting.FRESHNESS,
}


def create_app(settings: Settings) -> FastAPI:
    """The app over the services at the settings' addresses; channels close when the app ends."""
    services = Services(settings)
    verifier = TokenVerifier(settings.token_public_key)
    database = Database(settings.database_url, "gateway") if settings.database_url else None
    services.own_trail = OwnTrail(database, verifier) if database else None
    desk = make_desk(settings, services, verifier, database) if database else None
    following = Following(services, settings.follower_secret, partial(forget_names, services))

    @asynccontextmanager
    async def close_at_end(_: FastAPI) -> AsyncIterator[None]:
        background = [one for one in (services.own_trail, desk.carrier if desk else None) if one is not None]
        for one in background:
            one.start()
        yield
        for one in background:
            one.close()
        following.close()
        services.close()

    app = FastAPI(
        title="Branchline",
        version="1",
        summary="One customer base and one true report over all branches",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=close_at_end,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # it would go on with the caller's trace
    )
    problems.install(app)
    app.state.following = following
    pace = SignInPace(settings.sign_ins_per_minute)
    requests = RequestPace(settings.requests_per_minute, settings.unit_requests_per_minute)
    signed_in = SignedIn(services, verifier, requests)
    app.include_router(_routes(services, signed_in, pace), prefix=PREFIX)
    app.include_router(_webhook_routes(desk, signed_in, verifier), prefix=PREFIX)
    if database is not None:
        app.include_router(_view_routes(services, database, signed_in, verifier), prefix=PREFIX)
    app.router.routes.extend(Scim(services, signed_in).routes())
    add_asset_routes(app)
    if database is not None:
        workplace = create_workplace(services, signed_in, verifier, database, pace, following, desk)
        app.add_middleware(Doors, workplace=workplace)
    # Level 5: 9 takes three times as long for a hundredth less of a page.
    app.add_middleware(GZipMiddleware, compresslevel=5, exclude_content_types=PACKED_ALREADY)
    app.add_middleware(Limits)
    app.add_middleware(Traced)
    describe(app)
    return app


class Doors:
    """ASGI middleware: /api, /assets and /scim go on to this app, everything else to the workplace."""

    def __init__(self, app: ASGIApp, workplace: ASGIApp) -> None:
        self.app, self.workplace = app, workplace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        ours = scope["type"] != "http" or scope["path"].startswith(("/api/", "/assets/", "/scim/"))
        await (self.app if ours else self.workplace)(scope, receive, send)


def _view_routes(services: Services, database: Database, signed_in: SignedIn, verifier: TokenVerifier) -> APIRouter:
    router = APIRouter(tags=["views"])
    add_view_routes(router, services, database, signed_in, verifier)
    return router


def _webhook_routes(desk: Desk | None, signed_in: SignedIn, verifier: TokenVerifier) -> APIRouter:
    router = APIRouter(tags=["webhooks"])
    add_webhook_routes(router, desk, signed_in, verifier)
    return router


def _routes(services: Services, signed_in: SignedIn, pace: SignInPace) -> APIRouter:
    everything = APIRouter()
    apart: dict[str, Any] = {
        "sessions": lambda router: add_session_routes(router, services, signed_in, pace),
        "status": lambda router: add_status_routes(router, services, signed_in),
        "events": lambda router: add_event_routes(router, services, signed_in),
        "audit": lambda router: add_audit_routes(router, services, signed_in),
        "files": lambda router: imports.add_file_routes(router, services, signed_in),
        "exports": lambda router: exports.add_export_file_route(router, services, signed_in),
    }
    for area in dict.fromkeys((*apart, *AREAS)):
        router = APIRouter(tags=[area])
        if area in apart:
            apart[area](router)
        add_calls(router, services, signed_in, AREAS.get(area, ()))
        everything.include_router(router)
    return everything
