"""The gateway as one ASGI app: REST under /api/v1 over the services' contracts, described by its OpenAPI document."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.database import Database
from chassis.tokens import TokenVerifier
from gateway import problems
from gateway.calls import Call, add_calls
from gateway.limits import Limits, SignInPace
from gateway.openapi import describe
from gateway.routes import contacts, deals, directory, imports, reporting, scheduling
from gateway.routes.events import add_event_routes
from gateway.routes.sessions import add_session_routes
from gateway.routes.status import add_status_routes
from gateway.services import Services
from gateway.settings import Settings
from gateway.signed_in import SignedIn
from gateway.tracing import Traced
from gateway.web.assets import add_asset_routes
from gateway.web.following import Following
from gateway.web.pages import create_workplace

PREFIX = "/api/v1"
PACKED_ALREADY = (*DEFAULT_EXCLUDED_CONTENT_TYPES, imports.MEDIA_TYPES["xlsx"])
AREAS: dict[str, tuple[Call, ...]] = {
    "units": directory.UNITS,
    "users": directory.USERS,
    "persons": contacts.PERSONS,
    "organizations": contacts.ORGANIZATIONS,
    "interactions": contacts.INTERACTIONS,
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
    "reports": reporting.REPORTS,
    "exchange_rates": reporting.EXCHANGE_RATES,
    "freshness": reporting.FRESHNESS,
}


def create_app(settings: Settings) -> FastAPI:
    """The app over the services at the settings' addresses; channels close when the app ends."""
    services = Services(settings)
    following = Following(services, settings.follower_secret)

    @asynccontextmanager
    async def close_at_end(_: FastAPI) -> AsyncIterator[None]:
        yield
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
    verifier = TokenVerifier(settings.token_public_key)
    signed_in = SignedIn(services, verifier)
    app.include_router(_routes(services, signed_in, pace), prefix=PREFIX)
    add_asset_routes(app)
    if settings.database_url:
        database = Database(settings.database_url, "gateway")
        workplace = create_workplace(services, signed_in, verifier, database, pace, following)
        app.add_middleware(Doors, workplace=workplace)
    # Level 5: 9 takes three times as long for a hundredth less of a page.
    app.add_middleware(GZipMiddleware, compresslevel=5, exclude_content_types=PACKED_ALREADY)
    app.add_middleware(Limits)
    app.add_middleware(Traced)
    describe(app)
    return app


class Doors:
    """ASGI middleware: /api and /assets go on to this app, everything else to the workplace."""

    def __init__(self, app: ASGIApp, workplace: ASGIApp) -> None:
        self.app, self.workplace = app, workplace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        ours = scope["type"] != "http" or scope["path"].startswith(("/api/", "/assets/"))
        await (self.app if ours else self.workplace)(scope, receive, send)


def _routes(services: Services, signed_in: SignedIn, pace: SignInPace) -> APIRouter:
    everything = APIRouter()
    apart: dict[str, Any] = {
        "sessions": lambda router: add_session_routes(router, services, signed_in, pace),
        "status": lambda router: add_status_routes(router, services, signed_in),
        "events": lambda router: add_event_routes(router, services, signed_in),
        "files": lambda router: imports.add_file_routes(router, services, signed_in),
    }
    for area in dict.fromkeys((*apart, *AREAS)):
        router = APIRouter(tags=[area])
        if area in apart:
            apart[area](router)
        add_calls(router, services, signed_in, AREAS.get(area, ()))
        everything.include_router(router)
    return everything
