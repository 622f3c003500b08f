"""The unit at the top of every page: narrows lists, deals, reports, the calendar and Today to it and to all below it.

A filter is an address: a page is narrowed where its address names the unit. What was chosen is remembered, and stands
in the addresses of the places of the rail.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.responses import Response

from chassis.errors import FieldInvalid, FieldViolation
from gateway.web.mounting import Page
from gateway.web.names import list_units
from gateway.web.texts import gettext as _
from gateway.web.visits import UNIT_CHOICE, Visit

NARROWED = re.compile(r"/(today|customers|organizations|deals|reports)$|/reports/[a-z-]+$")  # pages whose address may
CALENDAR, OF_UNIT = "/calendar", "unit:"  # which shows one's own days, somebody's or a unit's
INSIDE = re.compile(r"/(?!/)[^\\\s]*")


@dataclass(frozen=True)
class UnitChoice:
    """What the top of a page says: `words` are empty where no unit is chosen, `here` is whether it narrows the page."""

    words: str
    here: bool


@dataclass(frozen=True)
class Branch:
    """One unit to choose: `depth` below the highest the viewer may see."""

    id: str
    name: str
    depth: int
    chosen: bool


def read_choice(visit: Visit) -> UnitChoice:
    """The unit that narrows this page; on a page that none narrows the remembered one."""
    path, who = visit.request.url.path, visit.query.get("who", "")
    takes = NARROWED.fullmatch(path) is not None
    unit_id = visit.query.get("unit", "") if takes else visit.chosen_unit
    if path == CALENDAR and who.startswith(OF_UNIT):
        takes, unit_id = True, who.removeprefix(OF_UNIT)
    if not unit_id:
        return UnitChoice("", False)
    units = list_units(visit)
    unit = units.get(unit_id)
    if unit is None:
        return UnitChoice("", False)
    above = units.get(unit.parent_id)
    return UnitChoice(f"{above.name} › {unit.name}" if above else unit.name, takes)


def show_choices(visit: Visit) -> Response:
    """The units the viewer may see, as a tree."""
    units = list_units(visit)
    tops = {id: len(unit.path.split(".")) for id, unit in units.items()}
    first = min(tops.values(), default=0)
    chosen = visit.query.get("chosen", "")
    branches = [Branch(id, unit.name, min(tops[id] - first, 6), id == chosen) for id, unit in units.items()]
    return visit.render("frame/unit_choices.html", branches=branches, here=visit.query.get("here", ""))


def choose_unit(visit: Visit) -> Response:
    """Remember the unit, and show the page anew, narrowed to it where it can be. Errors: FieldInvalid."""
    unit_id = visit.field("unit")
    if unit_id and unit_id not in list_units(visit):
        raise FieldInvalid(FieldViolation("unit", _("is none of the choices")))
    visit.save_setting(UNIT_CHOICE, unit_id or None)
    return visit.go(narrow(visit.field("here"), unit_id))


def narrow(here: str, unit_id: str) -> str:
    """An address of the workplace narrowed to a unit where it can be, from its first page on; else Today."""
    if not INSIDE.fullmatch(here):
        return "/today"
    parts = urlsplit(here)
    is_calendar = parts.path == CALENDAR
    if NARROWED.fullmatch(parts.path) is None and not is_calendar:
        return here
    left_out = ("who", "colleague") if is_calendar else ("unit", "page")
    kept = {name: value for name, value in parse_qsl(parts.query) if name not in left_out}
    named = {"who": f"{OF_UNIT}{unit_id}"} if is_calendar else {"unit": unit_id}
    asked: dict[str, Any] = {**kept, **named} if unit_id else kept
    return parts.path + (f"?{urlencode(asked)}" if asked else "")


PAGES = (Page("GET", "/units/choice", show_choices), Page("POST", "/units/choice", choose_unit))
