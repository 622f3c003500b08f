"""How a person likes the workplace: language, light, time zone, keys."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones

from starlette.responses import Response

from chassis.errors import FieldInvalid, FieldViolation
from gateway.web.account import list_sessions
from gateway.web.mounting import Page
from gateway.web.passkeys import list_passkeys
from gateway.web.texts import LANGUAGES
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

THEMES = ("auto", "light", "dark")


def show_settings(visit: Visit) -> Response:
    """The page."""
    return visit.render(
        "settings/page.html",
        help="settings",
        language_choices=[("", _("As the browser says")), *LANGUAGES.items()],
        theme_choices=[("auto", _("As the device says")), ("light", _("Light")), ("dark", _("Dark"))],
        zone_choices=[("", _("That of my unit")), *((zone, zone) for zone in zones())],
        key_choices=[("on", _("On")), ("off", _("Off"))],
        sessions=list_sessions(visit),
        passkeys=list_passkeys(visit),
        must_set_up=not visit.session.access.grants,
        password_changed=visit.query.get("done") == "password",
    )


def save_settings(visit: Visit) -> Response:
    """Keep what was chosen; the page comes anew in the language and light chosen."""
    chosen = {name: visit.field(name) for name in ("language", "theme", "zone", "keys")}
    allowed = {"language": ("", *LANGUAGES), "theme": THEMES, "zone": ("", *zones()), "keys": ("on", "off")}
    wrong = [name for name, value in chosen.items() if value not in allowed[name]]
    if wrong:
        raise FieldInvalid(FieldViolation(wrong[0], _("is none of the choices")))
    for name, value in chosen.items():
        if value != visit.setting(name, ""):
            visit.save_setting(name, value or None)
    return visit.go("/settings")


@cache
def zones() -> tuple[str, ...]:
    """The zones of the world, by the names of their cities."""
    return tuple(sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/"))) + (
        "UTC",
    )


PAGES = (
    Page("GET", "/settings", show_settings),
    Page("POST", "/settings", save_settings),
)
