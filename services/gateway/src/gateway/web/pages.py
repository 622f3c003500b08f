"""All pages of the workplace, a topic a module, and the app that serves them."""

from __future__ import annotations

from starlette.applications import Starlette

from chassis.database import Database
from chassis.tokens import TokenVerifier
from gateway.limits import SignInPace
from gateway.services import Services
from gateway.signed_in import SignedIn
from gateway.web import (
    access_page,
    access_requests,
    account,
    activities,
    admin,
    admin_calendars,
    admin_catalogue,
    admin_fields,
    admin_mappings,
    admin_own_fields,
    admin_people,
    admin_reorganizing,
    admin_restrictions,
    admin_roles,
    admin_seats,
    admin_subscribers,
    admin_system,
    admin_units,
    api_keys,
    audit,
    calendar,
    cards,
    chosen,
    columns,
    customers,
    deals,
    deals_edit,
    deals_filter,
    deals_lines,
    deals_moving,
    deals_new,
    deals_page,
    digest,
    duplicates,
    editing,
    exports,
    freezing,
    guide,
    hand_over,
    import_changes,
    import_runs,
    imports,
    interactions,
    merging,
    newcomers,
    owner_history,
    passkeys,
    picking,
    planning,
    report_records,
    reports,
    search,
    settings_page,
    signing_in,
    tags,
    today,
    unit_choice,
    view_tabs,
    webhooks,
)
from gateway.web.following import Following
from gateway.web.frame import Frame
from gateway.web.homes import Homes
from gateway.web.live import live_route
from gateway.web.mounting import Workplace, make_app
from gateway.web.sessions import Sessions
from gateway.webhooks.desk import Desk

TOPICS = (
    signing_in,
    today,
    customers,
    columns,
    view_tabs,
    unit_choice,
    chosen,
    editing,
    tags,
    cards,
    access_page,
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
    account,
    passkeys,
    api_keys,
    guide,
    search,
    digest,
    admin,
    admin_units,
    admin_people,
    admin_reorganizing,
    admin_seats,
    admin_roles,
    admin_fields,
    admin_restrictions,
    admin_catalogue,
    admin_calendars,
    admin_mappings,
    admin_own_fields,
    admin_subscribers,
    admin_system,
    webhooks,
    hand_over,
    owner_history,
    audit,
    freezing,
    access_requests,
    exports,
    duplicates,
    merging,
)


def create_workplace(
    services: Services,
    signed_in: SignedIn,
    verifier: TokenVerifier,
    database: Database,
    pace: SignInPace,
    following: Following,
    desk: Desk | None = None,
) -> Starlette:
    """The app of the workplace over the services; sessions lie in `database`."""
    sessions = Sessions(database, services, verifier)
    following.on_moves(sessions.renew_soon)
    workplace = Workplace(services, signed_in, sessions, Frame(unit_choice.read_choice), Homes(services), desk)
    pages = tuple(page for topic in TOPICS for page in topic.PAGES)
    others = (*signing_in.sign_in_routes(workplace, pace), live_route(workplace, following))
    return make_app(workplace, pages, others)
