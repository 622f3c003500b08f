"""The places of the workplace that a person may go to, in the order of the rail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.web.texts import gettext as _

if TYPE_CHECKING:
    from gateway.web.visits import Visit


NARROWED = ("/today", "/customers", "/organizations", "/deals", "/reports")


@dataclass(frozen=True)
class Place:
    """One entry of the rail: `key` is pressed after g; `here` marks the place that is open."""

    name: str
    path: str
    icon: str
    key: str
    here: bool = False


def list_places(visit: Visit) -> list[Place]:
    """What the rail shows this person."""
    wanted = [
        (True, _("Today"), "/today", "sun", "h"),
        (True, _("Customers"), "/customers", "users", "c"),
        (True, _("Organizations"), "/organizations", "building", "o"),
        (True, _("Deals"), "/deals", "columns", "d"),
        (True, _("Calendar"), "/calendar", "calendar", "k"),
        (visit.may_import, _("Imports"), "/imports", "upload", "i"),
        (visit.may_export, _("Exports"), "/exports", "download", "x"),
        (True, _("Reports"), "/reports", "chart", "r"),
        (visit.may_audit, _("Audit"), "/audit", "history", "u"),
        (visit.may_administer, _("Admin"), "/admin", "settings", "a"),
        (visit.may_subscribe and not visit.may_administer, _("Webhooks"), "/admin/webhooks", "settings", "w"),
    ]
    here = visit.request.url.path
    return [
        Place(name, _narrowed(visit, path), icon, key, here == path or here.startswith(f"{path}/"))
        for shown, name, path, icon, key in wanted
        if shown
    ]


def _narrowed(visit: Visit, path: str) -> str:
    """A place within the unit that the person has chosen, where its pages can be narrowed."""
    return f"{path}?unit={visit.chosen_unit}" if visit.chosen_unit and path in NARROWED else path
