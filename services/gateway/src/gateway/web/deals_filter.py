"""Which deals a page is about: the words behind the question mark, the same for the board and the table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from chassis.dates import to_date
from chassis.ids import is_id
from crm.deals.v1 import deals_pb2 as pb
from crm.directory.v1 import directory_pb2 as directory
from gateway.web.mounting import Page
from gateway.web.parties import Parties
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

VIEWS = ("board", "table")
CLOSED = ("30", "90", "365", "all")
USUAL_CLOSED = "90"  # a board is for what goes on; what was closed long ago is one choice away
STATUSES = {"open": pb.STAGE_KIND_OPEN, "won": pb.STAGE_KIND_WON, "lost": pb.STAGE_KIND_LOST}
MOST_CHOICES = 500


@dataclass(frozen=True)
class DealFilter:
    """What is asked for; empty means any. Ids that are none are left out, so that an old address still opens."""

    view: str
    pipeline_id: str
    unit_id: str
    owner_id: str
    organization_id: str
    person_id: str
    status: str
    closed: str

    def fields(self, visit: Visit) -> dict[str, Any]:
        """The fields of a request for a board, which shows every status."""
        since = None if self.closed == "all" else to_date(visit.today - timedelta(days=int(self.closed)))
        return {
            "pipeline_id": self.pipeline_id,
            "unit_id": self.unit_id,
            "owner_id": self.owner_id,
            "organization_id": self.organization_id,
            "person_id": self.person_id,
            "closed_from_date": since,
        }

    def list_fields(self, visit: Visit) -> dict[str, Any]:
        """The fields of a request for a list or its sums."""
        return {**self.fields(visit), "status": STATUSES.get(self.status, pb.STAGE_KIND_UNSPECIFIED)}


@dataclass(frozen=True)
class Chip:
    """One condition in plain words; `without` is the address that does without it."""

    words: str
    without: str


def read_filter(visit: Visit) -> DealFilter:
    """The filter of an address. `owner=me` is whoever looks."""
    owner = visit.query.get("owner", "")
    view = visit.query.get("view", "") or visit.setting("deals_view", "")
    closed = visit.query.get("closed", "")
    return DealFilter(
        view=view if view in VIEWS else "board",
        owner_id=visit.user_id if owner == "me" else _id(owner),
        status=visit.query.get("status", "") if visit.query.get("status", "") in STATUSES else "",
        closed=closed if closed in CLOSED else USUAL_CLOSED,
        **{f"{name}_id": _id(visit.query.get(name, "")) for name in ("pipeline", "unit", "organization", "person")},
    )


def show_choices(visit: Visit) -> Response:
    """The form in which a filter is chosen; asked for when somebody opens it."""
    found = visit.gather(
        pipelines=("deals", "ListPipelines", pb.ListPipelinesRequest()),
        units=("directory", "ListUnits", directory.ListUnitsRequest(page_size=MOST_CHOICES)),
        users=("directory", "ListUsers", directory.ListUsersRequest(page_size=MOST_CHOICES)),
    )
    return visit.render(
        "deals/choices.html",
        wanted=read_filter(visit),
        owner_word=visit.query.get("owner", ""),
        pipelines=found["pipelines"].pipelines if found["pipelines"] else (),
        units=found["units"].units if found["units"] else (),
        users=[user for user in found["users"].users if user.active] if found["users"] else (),
        closed_choices=[(key, closed_words(key)) for key in CLOSED],
    )


def closed_words(key: str) -> str:
    """How far back closed deals are shown, in words."""
    return {
        "30": _("Closed in the last 30 days"),
        "90": _("Closed in the last 90 days"),
        "365": _("Closed in the last year"),
        "all": _("Closed at any time"),
    }[key]


def make_chips(visit: Visit, wanted: DealFilter, names: Parties) -> list[Chip]:
    """The conditions in force, each with the way to be rid of it; the usual ones are no chips."""
    chips = []
    if wanted.owner_id and visit.query.get("owner") != "me":
        chips.append(
            Chip(_("Owner: %(name)s") % {"name": names.user(wanted.owner_id) or "…"}, _without(visit, "owner"))
        )
    for kind, label, name in (
        ("unit", _("Unit: %(name)s"), names.unit(wanted.unit_id)),
        ("organization", _("Organization: %(name)s"), names.organization(wanted.organization_id)),
        ("person", _("Person: %(name)s"), names.person(wanted.person_id)),
    ):
        if getattr(wanted, f"{kind}_id"):
            chips.append(Chip(label % {"name": name or "…"}, _without(visit, kind)))
    if wanted.status and wanted.view == "table":
        chips.append(Chip(status_words()[wanted.status], _without(visit, "status")))
    if wanted.closed != USUAL_CLOSED:
        chips.append(Chip(closed_words(wanted.closed), _without(visit, "closed")))
    return chips


def status_words() -> dict[str, str]:
    """What a deal's stage means, in words."""
    return {"open": _("Open"), "won": _("Won"), "lost": _("Lost")}


def list_tabs(visit: Visit) -> list[tuple[str, str, bool]]:
    """Whose deals: (words, address, whether it is the present one)."""
    owner, unit = visit.query.get("owner", ""), visit.query.get("unit", "")
    home = visit.home.id if visit.home else ""
    tabs = [(_("Mine"), visit.url(owner="me", unit=None, page=None), owner == "me")]
    if home:
        mine = unit == home and not owner
        tabs.append((_("My unit's"), visit.url(owner=None, unit=home, page=None), mine))
    tabs.append((_("Everybody's"), visit.url(owner=None, unit=None, page=None), not owner and not unit))
    return tabs


def address_query(visit: Visit, wanted: DealFilter) -> str:
    """The filter as it stands behind a question mark, for the parts of a page that are asked for again."""
    left_out = ("view", "size", "page", "stage")
    values = {name: value for name, value in visit.query.items() if value and name not in left_out}
    return urlencode({"view": wanted.view, **values})


def _without(visit: Visit, name: str) -> str:
    return visit.url(**{name: None, "page": None})


def _id(text: str) -> str:
    return text if is_id(text) else ""


PAGES = (Page("GET", "/deals/choices", show_choices),)
