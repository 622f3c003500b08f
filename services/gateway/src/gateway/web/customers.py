"""The lists of persons and of organizations: saved views as tabs, filters as chips, pages by name, a count at the foot.

A page costs two rounds of calls: the customers, then for all of them at once their owners, last interactions and next
steps. The count comes after the page, since counting a whole base takes longer than showing fifty of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from crm.contacts.v1 import contacts_pb2 as pb
from crm.scheduling.v1 import scheduling_pb2
from gateway.web import customer_words as words
from gateway.web.card_reading import ORGANIZATION, PATHS, PERSON
from gateway.web.mounting import Page
from gateway.web.names import Names, list_units, look_up_names
from gateway.web.texts import gettext as _
from gateway.web.visits import Away, Visit

SIZE = 50
MINE, UNIT, ALL = "mine", "unit", "all"
LEAST_TEXT = 2


@dataclass(frozen=True)
class Wanted:
    """What a list is narrowed to, as its address says it."""

    view: str = UNIT
    text: str = ""
    unit_id: str = ""
    owner_id: str = ""
    individual: bool = False

    def as_request(self) -> dict[str, Any]:
        """The fields of a list request."""
        return {"query": self.text, "unit_id": self.unit_id, "owner_id": self.owner_id}


@dataclass(frozen=True)
class Listed:
    """One page of a list with all its rows refer to."""

    answer: Any
    names: Names
    latest: dict[str, Any]
    next_steps: dict[str, Any] | Away


def show_list(record_type: str) -> Callable[[Visit], Response]:
    """The page of a list."""

    def show(visit: Visit) -> Response:
        wanted = read_wanted(visit)
        listed = _read_page(visit, record_type, wanted)
        template = "customers/list.html" if record_type == PERSON else "organizations/list.html"
        return visit.render(
            template,
            help="customers" if record_type == PERSON else "organizations",
            listed=listed,
            rows=_rows(record_type, listed.answer),
            wanted=wanted,
            words=words,
            tabs=_tabs(visit),
            units=list_units(visit),
            views=_filters(visit, record_type, wanted, listed.names),
        )

    return show


def show_count(record_type: str) -> Callable[[Visit], Response]:
    """How many customers a list has in all."""

    def show(visit: Visit) -> Response:
        wanted = read_wanted(visit)
        request = pb.CountCustomersRequest(**wanted.as_request())
        count = visit.call("contacts", "CountCustomers", request)
        individuals = count.individual_customers if wanted.individual else count.persons
        total = individuals if record_type == PERSON else count.organizations
        return visit.render("customers/count.html", total=total, record_type=record_type)

    return show


def read_wanted(visit: Visit) -> Wanted:
    """The filter of an address; the view of one's own customers and of one's own unit fill in what they mean."""
    query = visit.query
    view = query.get("view", UNIT if visit.home else ALL)
    text = query.get("q", "").strip()[:200]
    return Wanted(
        view if view in (MINE, UNIT, ALL) else ALL,
        text if len(text) >= LEAST_TEXT else "",
        query.get("unit", "") or (visit.home.id if view == UNIT and visit.home else ""),
        visit.user_id if view == MINE else query.get("owner", ""),
        query.get("kind") == "individual",
    )


def _read_page(visit: Visit, record_type: str, wanted: Wanted) -> Listed:
    shared = {**wanted.as_request(), "page_size": SIZE, "page_token": visit.query.get("page", "")}
    if record_type == PERSON:
        request: Any = pb.ListPersonsRequest(**shared, individual_only=wanted.individual)
        answer = visit.gather(found=("contacts", "ListPersons", request))["found"]
    else:
        answer = visit.gather(found=("contacts", "ListOrganizations", pb.ListOrganizationsRequest(**shared)))["found"]
    rows = _rows(record_type, answer)
    ids = [one.id for one in rows]
    around = visit.gather_calls(
        names=lambda: look_up_names(visit, [one.owner_id for one in rows] + [wanted.owner_id]),
        latest=lambda: _latest(visit, record_type, ids),
        steps=lambda: _next_steps(visit, record_type, ids),
    )
    return Listed(answer, around["names"] or Names(), around["latest"] or {}, around["steps"])


def _rows(record_type: str, answer: Any) -> Any:
    if not answer:
        return []
    return answer.persons if record_type == PERSON else answer.organizations


def _latest(visit: Visit, record_type: str, ids: list[str]) -> dict[str, Any]:
    if not ids:
        return {}
    request = pb.BatchGetLatestInteractionsRequest(**{f"{record_type}_ids": ids})
    answer = visit.call("contacts", "BatchGetLatestInteractions", request, timeout=3.0)
    if record_type == PERSON:
        return {one.person_id: one for one in answer.person_interactions}
    return {one.organization_id: one for one in answer.organization_interactions}


def _next_steps(visit: Visit, record_type: str, ids: list[str]) -> dict[str, Any]:
    if not ids:
        return {}
    request = scheduling_pb2.BatchGetNextStepsRequest(**{f"{record_type}_ids": ids})
    answer = visit.call("scheduling", "BatchGetNextSteps", request, timeout=3.0)
    return {one.person_id or one.organization_id: one.activity for one in answer.next_steps}


def _tabs(visit: Visit) -> list[tuple[str, str]]:
    """The saved views; that of one's own unit only where there is one."""
    home = [(UNIT, _("My unit's"))] if visit.home else []
    return [(MINE, _("Mine")), *home, (ALL, _("Everybody's"))]


def _filters(visit: Visit, record_type: str, wanted: Wanted, names: Names) -> list[tuple[str, str]]:
    """The chips: what the list is narrowed to in plain words, and the address without it."""
    chips = []
    if wanted.text:
        chips.append((_("like “%(text)s”") % {"text": wanted.text}, visit.url(q=None, page=None)))
    if visit.query.get("unit"):
        chips.append((_("known to %(unit)s") % {"unit": names.unit(wanted.unit_id)}, visit.url(unit=None, page=None)))
    if visit.query.get("owner"):
        owner = names.user(wanted.owner_id)
        named = owner.name if owner else _("a colleague elsewhere")
        chips.append((_("of %(name)s") % {"name": named}, visit.url(owner=None, page=None)))
    if wanted.individual and record_type == PERSON:
        chips.append((_("customers in their own right"), visit.url(kind=None, page=None)))
    return chips


PAGES = tuple(
    page
    for kind in (PERSON, ORGANIZATION)
    for page in (
        Page("GET", f"/{PATHS[kind]}", show_list(kind)),
        Page("GET", f"/{PATHS[kind]}/count", show_count(kind)),
    )
)
