"""The organization's tree: units with their country, time zone and area code; new ones, other names, closing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from starlette.responses import Response

from chassis.dates import to_date
from chassis.ids import new_id
from crm.directory.v1 import directory_pb2 as pb
from gateway.web.admin import for_administrators, kind_words, read_choice, read_day
from gateway.web.admin_changing import Changing, day_value, save_form, show_day
from gateway.web.form_values import read_date
from gateway.web.imports import indented
from gateway.web.mounting import Page
from gateway.web.names import list_units
from gateway.web.texts import gettext as _
from gateway.web.values import to_day
from gateway.web.visits import Visit

MOST_UNITS = 1_000
TEXTS = ("name", "country_code", "area_code", "time_zone", "currency_code", "parent_id")


def show_units(visit: Visit) -> Response:
    """The tree as a table."""
    asked = pb.ListUnitsRequest(page_size=MOST_UNITS, page_token=visit.query.get("page", ""))
    day = read_date("day", visit.query.get("day", ""))
    if day is not None:
        asked.as_of.CopyFrom(to_date(day))
    found = visit.gather(units=("directory", "ListUnits", asked))["units"]
    names = {key: one.name for key, one in list_units(visit).items()}
    if found:  # newer than what is kept
        names |= {unit.id: unit.name for unit in found.units}
    return visit.render(
        "admin/units.html",
        help="admin",
        place="units",
        away=None if found else found,
        units=found.units if found else [],
        next_token=found.next_page_token if found else "",
        day=day.isoformat() if day else "",
        unit_names=names,
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
    units = choose_units(visit, unit.path)
    return visit.render("admin/unit_edit.html", unit=unit, units=units, values=unit_values(unit))


def change_unit(visit: Visit) -> Response:
    """Change the unit; another unit above takes everything below along."""
    return save_form(visit, _changing(visit)) or visit.go("/admin/units")


def unit_values(unit: Any) -> dict[str, str]:
    """What the form of a unit holds."""
    return {**{name: str(getattr(unit, name)) for name in TEXTS}, "end_date": day_value(unit.end_date)}


def _changing(visit: Visit) -> Changing:
    unit_id = visit.path["unit"]

    def read() -> tuple[str, dict[str, str]]:
        unit = visit.call("directory", "GetUnit", pb.GetUnitRequest(unit=unit_id)).unit
        return unit.etag, unit_values(unit)

    def store(values: Mapping[str, str], etag: str) -> None:
        unit = pb.Unit(id=unit_id)
        for name in TEXTS:
            setattr(unit, name, values.get(name, ""))
        end = to_date(read_date("unit.end_date", values.get("end_date", "")))
        if end is not None:
            unit.end_date.CopyFrom(end)
        asked = pb.UpdateUnitRequest(unit=unit, update_mask=FieldMask(paths=list(values)), etag=etag)
        visit.call("directory", "UpdateUnit", asked)

    def show(name: str, value: str) -> str:
        if name == "parent_id":
            above = list_units(visit).get(value)
            return above.name if above else value
        return show_day(visit, value) if name == "end_date" else value

    return Changing("edit-unit-box", unit_labels(), read, store, show)


def unit_labels() -> dict[str, str]:
    """What the fields of a unit are called."""
    return {
        "name": _("Name"),
        "parent_id": _("Below"),
        "country_code": _("Country, two letters"),
        "area_code": _("Area code of local telephones"),
        "time_zone": _("Time zone, such as Europe/Moscow"),
        "currency_code": _("Currency, three letters"),
        "end_date": _("Closed from this day on"),
    }


def choose_units(visit: Visit, without: str = "", kind: str = "") -> list[tuple[str, str]]:
    """The open units for a list of choices; without the unit of a path and what is below it, of one kind."""
    found = visit.call("directory", "ListUnits", pb.ListUnitsRequest(page_size=MOST_UNITS)).units
    return [
        (unit.id, indented(unit))
        for unit in found
        if not is_closed(visit, unit)
        and kind in ("", unit.kind)
        and not (without and f"{unit.path}.".startswith(f"{without}."))
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
