"""All pages of the workplace, a topic a module, and the app that serves them."""

from __future__ import annotations

from starlette.applications import Starlette

from chassis.database import Database
from chassis.tokens import TokenVerifier
from gateway.limits import SignInPace
from gateway.services import Services
from gateway.signed_in import SignedIn
from gateway.web import (
    activities,
    admin,
    admin_catalogue,
    admin_people,
    admin_system,
    admin_units,
    calendar,
    cards,
    customers,
    deals,
    deals_edit,
    deals_filter,
    deals_lines,
    deals_moving,
    deals_new,
    deals_page,
    digest,
    editing,
    guide,
    import_changes,
    import_runs,
    imports,
    interactions,
    newcomers,
    picking,
    planning,
    report_records,
    reports,
    search,
    settings_page,
    signing_in,
    today,
)
from gateway.web.following import Following
from gateway.web.frame import Frame
from gateway.web.homes import Homes
from gateway.web.live import live_route
from gateway.web.mounting import Workplace, make_app
from gateway.web.sessions import Sessions

TOPICS = (
    signing_in,
    today,
    customers,
    editing,
    cards,
    interactions,
    newcomers,
    picking,
    imports,
    import_runs,
    import_changes,
    reports,
    report_records,
    deals,
    deals_filter,
    deals_edit,
    deals_lines,
    deals_moving,
    deals_new,
    deals_page,
    activities,
    planning,
    calendar,
    settings_page,
    guide,
    search,
    digest,
    admin,
    admin_units,
    admin_people,
    admin_catalogue,
    admin_system,
)


def create_workplace(
    services: Services,
    signed_in: SignedIn,
    verifier: TokenVerifier,
    database: Database,
    pace: SignInPace,
    following: Following,
) -> Starlette:
    """The app of the workplace over the services; sessions lie in `database`."""
    sessions = Sessions(database, services, verifier)
    workplace = Workplace(services, signed_in, sessions, Frame(), Homes(services))
    pages = tuple(page for topic in TOPICS for page in topic.PAGES)
    others = (*signing_in.sign_in_routes(workplace, pace), live_route(workplace, following))
    return make_app(workplace, pages, others)
