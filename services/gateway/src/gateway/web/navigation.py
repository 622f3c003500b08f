"""The places of the workplace that a person may go to, in the order of the rail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.web.texts import gettext as _

if TYPE_CHECKING:
    from gateway.web.visits import Visit


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
        (True, _("Reports"), "/reports", "chart", "r"),
        (visit.may_administer, _("Admin"), "/admin", "settings", "a"),
    ]
    here = visit.request.url.path
    return [
        Place(name, path, icon, key, here == path or here.startswith(f"{path}/"))
        for shown, name, path, icon, key in wanted
        if shown
    ]
