"""Freezing a unit: exports, mass reading and mass changes stop there within seconds, and go on again."""

from __future__ import annotations

from starlette.responses import Response

from chassis.access import AUDIT
from chassis.errors import NotPermitted
from crm.directory.v1 import directory_pb2 as pb
from gateway.web.admin_units import MOST_UNITS, is_closed
from gateway.web.imports import indented
from gateway.web.mounting import Page
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit


def show_freezing(visit: Visit) -> Response:
    """Which units are frozen, and a form to freeze one over which the person may audit."""
    if not visit.may_audit:
        raise NotPermitted(_("Only those who may audit see this."))
    found = visit.gather(units=("directory", "ListUnits", pb.ListUnitsRequest(page_size=MOST_UNITS)))["units"]
    mine = [one for one in (found.units if found else []) if visit.session.access.allows_in(AUDIT, one.path)]
    return visit.render(
        "audit/freezing.html",
        help="freezing",
        away=None if found else found,
        frozen=[one for one in mine if one.freeze_reason],
        units=[(one.id, indented(one)) for one in mine if not one.freeze_reason and not is_closed(visit, one)],
    )


def freeze(visit: Visit) -> Response:
    """Freeze a unit."""
    asked = pb.FreezeUnitRequest(unit_id=visit.field("unit_id"), reason=visit.field("reason"))
    visit.call("directory", "FreezeUnit", asked)
    return visit.go("/audit/freezing")


def thaw(visit: Visit) -> Response:
    """Let everything go on."""
    visit.call("directory", "ThawUnit", pb.ThawUnitRequest(unit_id=visit.field("unit_id")))
    return visit.go("/audit/freezing")


PAGES = (
    Page("GET", "/audit/freezing", show_freezing),
    Page("POST", "/audit/freezing", freeze),
    Page("POST", "/audit/freezing/end", thaw),
)
