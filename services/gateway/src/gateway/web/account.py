"""The own account: another password, and where one is signed in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from crm.directory.v1 import directory_pb2 as pb
from gateway.web.mounting import Page
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

# The first sign that fits names it: many browsers also name those they are like.
BROWSERS = (
    ("YaBrowser/", "Yandex Browser"), ("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
SYSTEMS = (
    ("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)  # fmt: skip


def change_password(visit: Visit) -> Response:
    """Take another password for the own account; every other browser is signed out."""
    asked = pb.ChangePasswordRequest(
        old_password=_secret(visit, "old_password"), new_password=_secret(visit, "new_password")
    )
    visit.call("directory", "ChangePassword", asked)
    return visit.go("/settings?done=password")


def begin_factor(visit: Visit) -> Response:
    """A secret for an authenticator app, and a form for its first code."""
    made = visit.call("directory", "BeginSecondFactor", pb.BeginSecondFactorRequest())
    return visit.render("settings/second_factor.html", help="settings", secret=made.secret, uri=made.uri)


def confirm_factor(visit: Visit) -> Response:
    """Switch the second factor on, and show recovery codes."""
    asked = pb.ConfirmSecondFactorRequest(code=visit.field("code"))
    made = visit.call("directory", "ConfirmSecondFactor", asked)
    return visit.render("settings/recovery_codes.html", codes=made.recovery_codes)


def end_factor(visit: Visit) -> Response:
    """Switch the own second factor off."""
    visit.call("directory", "EndSecondFactor", pb.EndSecondFactorRequest(code=visit.field("code")))
    return visit.go("/settings")


def end_sessions(visit: Visit) -> Response:
    """Sign out one other place, or all of them."""
    visit.call("directory", "EndSessions", pb.EndSessionsRequest(session_id=visit.field("session_id")))
    return visit.go("/settings")


def list_sessions(visit: Visit, user_id: str = "") -> Any:
    """Sessions of a user as a page shows them; `Away` where the directory is."""
    found = visit.gather(sessions=("directory", "ListSessions", pb.ListSessionsRequest(user_id=user_id)))["sessions"]
    return [(one, device_words(one.device)) for one in found.sessions] if found else found


def device_words(agent: str) -> str:
    """What signed in, in words people know: browser and system, or what a program calls itself."""
    found = [name for names in (BROWSERS, SYSTEMS) if (name := _first(agent, names))]
    return ", ".join(found) or agent[:60] or _("unknown device")


def _first(agent: str, names: Sequence[tuple[str, str]]) -> str:
    return next((name for sign, name in names if sign in agent), "")


def _secret(visit: Visit, name: str) -> str:
    """A password as typed, with its blanks."""
    value = visit.form.get(name, "")
    return value if isinstance(value, str) else ""


PAGES = (
    Page("POST", "/settings/password", change_password),
    Page("POST", "/settings/sessions/end", end_sessions),
    Page("POST", "/settings/second-factor", begin_factor),
    Page("POST", "/settings/second-factor/confirm", confirm_factor),
    Page("POST", "/settings/second-factor/end", end_factor),
)
