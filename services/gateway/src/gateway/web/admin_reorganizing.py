"""Reorganizing a unit: moved, merged, split or closed, looked at before it is done, today or on a planned day."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from chassis.ids import new_id
from crm.contacts.v1 import contacts_pb2 as contacts
from crm.deals.v1 import deals_pb2 as deals
from crm.directory.v1 import directory_pb2 as pb
from crm.scheduling.v1 import scheduling_pb2 as scheduling
from gateway.web.admin import for_administrators, read_day
from gateway.web.admin_units import choose_units, is_closed
from gateway.web.mounting import Page
from gateway.web.names import list_units
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

ROWS = 50
MOST_PEOPLE = 500
KINDS = {
    "move": pb.REORGANIZATION_KIND_MOVE,
    "merge": pb.REORGANIZATION_KIND_MERGE,
    "split": pb.REORGANIZATION_KIND_SPLIT,
    "close": pb.REORGANIZATION_KIND_CLOSE,
}
TEXTS = ("kind", "into_unit_id", "code", "name", "day", "note")


def show_reorganize(visit: Visit) -> Response:
    """The form of one kind, a move unless the address says otherwise."""
    unit = visit.call("directory", "GetUnit", pb.GetUnitRequest(unit=visit.path["unit"])).unit
    kind = visit.query.get("kind", "")
    kind = kind if kind in KINDS else "move"
    return visit.render(
        "admin/reorganize.html",
        help="organization",
        place="units",
        unit=unit,
        kind=kind,
        kinds=kind_words(),
        hints=kind_hints(),
        units=_targets(visit, unit, kind) if kind in ("move", "merge") else [],
        people=_people_of(visit, unit) if kind == "split" else [],
        is_closed=is_closed(visit, unit),
    )


def preview_reorganization(visit: Visit) -> Response:
    """What would follow, and the button that does it."""
    unit_id = visit.path["unit"]
    asked = pb.ReorganizeUnitRequest(reorganization=_asked(visit), dry_run=True)
    preview = visit.call("directory", "ReorganizeUnit", asked).preview
    found = visit.gather(
        customers=("contacts", "HandOverCustomers", contacts.HandOverCustomersRequest(unit_id=unit_id, dry_run=True)),
        deals=("deals", "HandOverDeals", deals.HandOverDealsRequest(unit_id=unit_id, dry_run=True)),
        activities=(
            "scheduling",
            "HandOverActivities",
            scheduling.HandOverActivitiesRequest(unit_id=unit_id, dry_run=True),
        ),
    )
    return visit.render(
        "admin/reorganize_preview.html",
        unit_id=unit_id,
        preview=preview,
        kind=visit.field("kind"),
        counts={name: answer.remaining + answer.not_allowed for name, answer in found.items() if answer},
        away=[answer.service for answer in found.values() if not answer],
        words={"customers": _("Customers"), "deals": _("Open deals"), "activities": _("Open activities")},
        values={name: visit.field(name) for name in TEXTS},
        user_ids=_user_ids(visit),
        day=read_day(visit, "day", "reorganization.day"),
        request_id=new_id(),
    )


def reorganize(visit: Visit) -> Response:
    """Do it, or plan it for its day."""
    asked = pb.ReorganizeUnitRequest(request_id=visit.field("request_id"), reorganization=_asked(visit))
    visit.call("directory", "ReorganizeUnit", asked)
    visit.sessions.renew_soon()
    return visit.go("/admin/reorganizations")


def show_reorganizations(visit: Visit) -> Response:
    """What is planned and what was done, the latest first."""
    asked = pb.ListReorganizationsRequest(page_size=ROWS, page_token=visit.query.get("page", ""))
    found = visit.call("directory", "ListReorganizations", asked)
    units = {key: one.name for key, one in list_units(visit).items()}
    return visit.render(
        "admin/reorganizations.html",
        help="organization",
        place="units",
        rows=found.reorganizations,
        next_token=found.next_page_token,
        unit_names=units,
        kinds={KINDS[key]: words for key, words in kind_words().items()},
        states=state_words(),
        planned=pb.REORGANIZATION_STATE_PLANNED,
    )


def cancel_reorganization(visit: Visit) -> Response:
    """Take a planned one back."""
    asked = pb.CancelReorganizationRequest(reorganization_id=visit.path["reorganization"])
    visit.call("directory", "CancelReorganization", asked)
    return visit.go("/admin/reorganizations")


def kind_words() -> dict[str, str]:
    """What can happen to a unit."""
    return {"move": _("Move"), "merge": _("Merge"), "split": _("Split"), "close": _("Close")}


def kind_hints() -> dict[str, str]:
    """What each of them means."""
    return {
        "move": _("The unit comes, with everything below it, under another one."),
        "merge": _(
            "The unit becomes part of another one: its people work there, its records are seen and counted there."
        ),
        "split": _("A new unit beside it takes some people, with their customers, open deals and open activities."),
        "close": _("Nobody works there any more. Records and history stay where they are."),
    }


def state_words() -> dict[int, str]:
    """How far a reorganization is."""
    return {
        pb.REORGANIZATION_STATE_PLANNED: _("planned"),
        pb.REORGANIZATION_STATE_DONE: _("done"),
        pb.REORGANIZATION_STATE_CANCELLED: _("taken back"),
        pb.REORGANIZATION_STATE_REFUSED: _("not possible"),
    }


def _asked(visit: Visit) -> pb.Reorganization:
    asked = pb.Reorganization(
        unit_id=visit.path["unit"],
        kind=KINDS.get(visit.field("kind"), pb.REORGANIZATION_KIND_UNSPECIFIED),
        into_unit_id=visit.field("into_unit_id"),
        code=visit.field("code"),
        name=visit.field("name"),
        user_ids=_user_ids(visit),
        note=visit.field("note"),
    )
    day = read_day(visit, "day", "reorganization.day")
    if day is not None:
        asked.day.CopyFrom(day)
    return asked


def _user_ids(visit: Visit) -> list[str]:
    return [one for one in visit.form.getlist("user_ids") if isinstance(one, str)]


def _targets(visit: Visit, unit: Any, kind: str) -> list[tuple[str, str]]:
    """Where it can go: any open unit outside of it, to merge one of its own kind."""
    return choose_units(visit, unit.path, unit.kind if kind == "merge" else "")


def _people_of(visit: Visit, unit: Any) -> list[tuple[str, str]]:
    """Who has a position in the unit itself that has not ended."""
    found = visit.call("directory", "ListUsers", pb.ListUsersRequest(page_size=MOST_PEOPLE, unit_id=unit.id)).users
    return [
        (user.id, user.display_name)
        for user in found
        if any(one.unit_id == unit.id and not one.end_date.year for one in user.positions)
    ]


PAGES = (
    Page("GET", "/admin/units/{unit}/reorganize", for_administrators(show_reorganize)),
    Page("POST", "/admin/units/{unit}/reorganize", for_administrators(reorganize)),
    Page("POST", "/admin/units/{unit}/reorganize/preview", for_administrators(preview_reorganization)),
    Page("GET", "/admin/reorganizations", for_administrators(show_reorganizations)),
    Page("POST", "/admin/reorganizations/{reorganization}/cancel", for_administrators(cancel_reorganization)),
)
