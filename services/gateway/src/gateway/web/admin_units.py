"""The organization's tree: units with their country, time zone and area code; new ones, other names, closing."""

from __future__ import annotations

from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from starlette.responses import Response

from chassis.ids import new_id
from crm.directory.v1 import directory_pb2 as pb
from gateway.web.admin import for_administrators, kind_words, read_choice, read_day
from gateway.web.imports import indented
from gateway.web.mounting import Page
from gateway.web.values import to_day
from gateway.web.visits import Visit

MOST_UNITS = 1_000
TEXTS = ("name", "country_code", "area_code", "time_zone", "currency_code", "parent_id")


def show_units(visit: Visit) -> Response:
    """The tree as a table."""
    asked = pb.ListUnitsRequest(page_size=MOST_UNITS, page_token=visit.query.get("page", ""))
    found = visit.gather(units=("directory", "ListUnits", asked))["units"]
    return visit.render(
        "admin/units.html",
        help="admin",
        place="units",
        away=None if found else found,
        units=found.units if found else [],
        next_token=found.next_page_token if found else "",
        kinds=kind_words(),
        is_closed={unit.id: is_closed(visit, unit) for unit in (found.units if found else [])},
    )


def show_new(visit: Visit) -> Response:
    """The form of a new unit, below the one it was opened at."""
    if not visit.is_part:  # it stands in the side panel only
        return visit.go("/admin/units")
    parent = visit.query.get("parent", "")
    kinds = [(str(key), words) for key, words in kind_words().items() if key != pb.UNIT_KIND_COMPANY]
    return visit.render(
        "admin/unit_new.html",
        kinds=kinds,
        kind=str(pb.UNIT_KIND_BRANCH),
        units=choose_units(visit),
        parent=parent,
        request_id=new_id(),
    )


def create_unit(visit: Visit) -> Response:
    """Add the unit."""
    unit = _unit_of(visit)
    unit.code = visit.field("code")
    unit.kind = read_choice(visit, "kind", "unit.kind")  # type: ignore[assignment]
    start = read_day(visit, "start_date", "unit.start_date")
    if start is not None:
        unit.start_date.CopyFrom(start)
    visit.call("directory", "CreateUnit", pb.CreateUnitRequest(request_id=visit.field("request_id"), unit=unit))
    return visit.go("/admin/units")


def show_edit(visit: Visit) -> Response:
    """The form of a unit that is there."""
    if not visit.is_part:  # it stands in the side panel only
        return visit.go("/admin/units")
    unit = visit.call("directory", "GetUnit", pb.GetUnitRequest(unit=visit.path["unit"])).unit
    return visit.render(
        "admin/unit_edit.html", unit=unit, units=choose_units(visit, unit.path), end=to_day(unit.end_date)
    )


def change_unit(visit: Visit) -> Response:
    """Change the unit; another unit above takes everything below along."""
    unit = _unit_of(visit)
    unit.id = visit.path["unit"]
    names = [name for name in TEXTS if name in visit.form]
    end = read_day(visit, "end_date", "unit.end_date")
    if end is not None:
        unit.end_date.CopyFrom(end)
    mask = FieldMask(paths=[*names, "end_date"])
    visit.call("directory", "UpdateUnit", pb.UpdateUnitRequest(unit=unit, update_mask=mask, etag=visit.field("etag")))
    return visit.go("/admin/units")


def choose_units(visit: Visit, without: str = "") -> list[tuple[str, str]]:
    """The open units for a list of choices; without a unit and what is below it."""
    found = visit.call("directory", "ListUnits", pb.ListUnitsRequest(page_size=MOST_UNITS)).units
    return [
        (unit.id, indented(unit))
        for unit in found
        if not is_closed(visit, unit) and not (without and f"{unit.path}.".startswith(f"{without}."))
    ]


def is_closed(visit: Visit, unit: Any) -> bool:
    """Whether a unit no longer exists today."""
    end = to_day(unit.end_date)
    return end is not None and end <= visit.today


def _unit_of(visit: Visit) -> pb.Unit:
    unit = pb.Unit()
    for name in TEXTS:
        setattr(unit, name, visit.field(name))
    return unit


PAGES = (
    Page("GET", "/admin/units", for_administrators(show_units)),
    Page("POST", "/admin/units", for_administrators(create_unit)),
    Page("GET", "/admin/units/new", for_administrators(show_new)),
    Page("GET", "/admin/units/{unit}/edit", for_administrators(show_edit)),
    Page("POST", "/admin/units/{unit}", for_administrators(change_unit)),
)
