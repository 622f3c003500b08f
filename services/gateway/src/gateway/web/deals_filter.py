"""Which deals a page is about: the words behind the question mark, the same for the board and the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from chassis.dates import to_date
from chassis.ids import is_id
from crm.deals.v1 import deals_pb2 as pb
from crm.directory.v1 import directory_pb2 as directory
from gateway.web.grouping import NOBODY
from gateway.web.mounting import Page
from gateway.web.names import look_up_names
from gateway.web.parties import Parties
from gateway.web.people import ask_for_people, people_of
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

VIEWS = ("board", "table", "forecast")
CLOSED = ("30", "90", "365", "all")
USUAL_CLOSED = "90"  # a board is for what goes on; what was closed long ago is one choice away
MONTHS = 12  # of a forecast, each with a row of its own
# In the place of a month: those past, those after the forecast's, and deals of which nobody has said when.
OVERDUE, LATER, NO_MONTH = "overdue", "later", "none"
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
    stage_id: str = ""
    month: str = ""
    exact_id: str = ""
    unowned: bool = False

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
        status = STATUSES.get(self.status, pb.STAGE_KIND_UNSPECIFIED)
        return {
            **self.fields(visit),
            "status": status,
            "stage_id": self.stage_id,
            **month_fields(visit, self.month),
            "exact_unit_id": self.exact_id,
            "without_owner": self.unowned,
        }

    def forecast_fields(self, visit: Visit) -> dict[str, Any]:
        """The fields of a request for a forecast, which is about open deals."""
        return {name: value for name, value in self.fields(visit).items() if name != "closed_from_date"}


def month_fields(visit: Visit, month: str) -> dict[str, Any]:
    """What a list asks for to have the deals of one row of the forecast."""
    if month == NO_MONTH:
        return {"without_expected_date": True}
    ahead = months_ahead(visit)
    if month == OVERDUE:
        return {"expected_before_date": to_date(ahead[0])}
    if month == LATER:
        return {"expected_from_date": to_date(next_month(ahead[-1]))}
    first = read_month(month)
    if first is None:
        return {}
    return {"expected_from_date": to_date(first), "expected_before_date": to_date(next_month(first))}


def months_ahead(visit: Visit) -> list[date]:
    """The first days of this month and of those after it that a forecast shows one by one."""
    months = [visit.today.replace(day=1)]
    while len(months) < MONTHS:
        months.append(next_month(months[-1]))
    return months


def read_month(written: str) -> date | None:
    """The first day of a month written as 2026-05; None for anything else."""
    try:
        return date.fromisoformat(f"{written}-01")
    except ValueError:
        return None


def next_month(first: date) -> date:
    """The first day of the month after."""
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


@dataclass(frozen=True)
class Chip:
    """One condition in plain words; `without` is the address that does without it."""

    words: str
    without: str


def read_filter(visit: Visit) -> DealFilter:
    """The filter of an address. `owner=me` is whoever looks."""
    owner = visit.query.get("owner", "")
    view = visit.query.get("view", "") or visit.setting("deals_view", "")
    closed, month = visit.query.get("closed", ""), visit.query.get("expected", "")
    return DealFilter(
        view=view if view in VIEWS else "board",
        owner_id=visit.user_id if owner == "me" else _id(owner),
        status=visit.query.get("status", "") if visit.query.get("status", "") in STATUSES else "",
        closed=closed if closed in CLOSED else USUAL_CLOSED,
        stage_id=_id(visit.query.get("in_stage", "")),
        exact_id=_id(visit.query.get("exact", "")),
        unowned=owner == NOBODY,
        month=month if month in (NO_MONTH, OVERDUE, LATER) or read_month(month) else "",
        **{f"{name}_id": _id(visit.query.get(name, "")) for name in ("pipeline", "unit", "organization", "person")},
    )


def show_choices(visit: Visit) -> Response:
    """The form in which a filter is chosen; asked for when somebody opens it."""
    wanted = read_filter(visit)
    owner = look_up_names(visit, [wanted.owner_id]).user(wanted.owner_id)
    found = visit.gather(
        pipelines=("deals", "ListPipelines", pb.ListPipelinesRequest()),
        units=("directory", "ListUnits", directory.ListUnitsRequest(page_size=MOST_CHOICES)),
        people=ask_for_people(),
    )
    return visit.render(
        "deals/choices.html",
        wanted=wanted,
        owner=("me", _("Me")) if visit.query.get("owner") == "me" else (wanted.owner_id, owner.name if owner else ""),
        pipelines=found["pipelines"].pipelines if found["pipelines"] else (),
        units=found["units"].units if found["units"] else (),
        people=people_of(found["people"]).starting_with(("me", _("Me"))),
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


def month_words(visit: Visit, month: str) -> str:
    """A month in words, such as May 2026."""
    words = {OVERDUE: _("Overdue"), LATER: _("Later"), NO_MONTH: _("Nobody has said when")}
    first = read_month(month)
    return visit.texts.month(first) if first else words[month]


def make_chips(
    visit: Visit, wanted: DealFilter, names: Parties, stages: Mapping[str, str] = MappingProxyType({})
) -> list[Chip]:
    """The conditions in force, each with the way to be rid of it; the usual ones are no chips.

    `stages` are the names of stages by their ids.
    """
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
    if wanted.exact_id and wanted.view == "table":
        place = _("Unit: %(name)s") % {"name": names.unit(wanted.exact_id) or "…"}
        chips.append(Chip(place, _without(visit, "exact")))
    if wanted.unowned and wanted.view == "table":
        chips.append(Chip(_("Nobody is responsible"), _without(visit, "owner")))
    if wanted.status and wanted.view == "table":
        chips.append(Chip(status_words()[wanted.status], _without(visit, "status")))
    if wanted.month and wanted.view == "table":
        chips.append(
            Chip(_("Expected: %(month)s") % {"month": month_words(visit, wanted.month)}, _without(visit, "expected"))
        )
    if wanted.stage_id and wanted.view == "table":
        chips.append(
            Chip(_("Stage: %(name)s") % {"name": stages.get(wanted.stage_id, "…")}, _without(visit, "in_stage"))
        )
    if wanted.closed != USUAL_CLOSED and wanted.view != "forecast":
        chips.append(Chip(closed_words(wanted.closed), _without(visit, "closed")))
    return chips


def status_words() -> dict[str, str]:
    """What a deal's stage means, in words."""
    return {"open": _("Open"), "won": _("Won"), "lost": _("Lost")}


def list_tabs(visit: Visit) -> list[tuple[str, str, bool]]:
    """Whose deals: (words, address, whether it is the present one)."""
    owner, unit = visit.query.get("owner", ""), visit.query.get("unit", "")
    home, within = visit.home.id if visit.home else "", visit.narrowing_unit
    tabs = [(_("Mine"), visit.url(owner="me", unit=within, page=None, saved=None, cols=None), owner == "me")]
    if home:
        mine = unit == home and not owner
        tabs.append((_("My unit's"), visit.url(owner=None, unit=home, page=None, saved=None, cols=None), mine))
    everybody = not owner and unit in ("", within) and not (unit and unit == home)
    whole = visit.url(owner=None, unit=within, page=None, saved=None, cols=None)
    return [*tabs, (_("Everybody's"), whole, everybody)]


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
