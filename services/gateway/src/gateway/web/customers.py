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
from gateway.web import own_conditions, own_fields
from gateway.web.card_reading import ORGANIZATION, PATHS, PERSON
from gateway.web.chosen_acts import list_acts
from gateway.web.columns import Columns, read_columns
from gateway.web.exports import offer_list
from gateway.web.grouping import NOBODY, OWNER, Group, list_groupings, make_groups, read_grouping
from gateway.web.grouping import UNIT as HOME
from gateway.web.mounting import Page
from gateway.web.names import Names, list_units, look_up_names
from gateway.web.tags import written_tags
from gateway.web.texts import gettext as _
from gateway.web.view_tabs import read_tabs
from gateway.web.visits import Away, Visit

SIZE = 50
MINE, UNIT, ALL = "mine", "unit", "all"
LEAST_TEXT = 2
GROUPINGS = {OWNER: pb.CUSTOMER_GROUPING_OWNER, HOME: pb.CUSTOMER_GROUPING_HOME_UNIT}


@dataclass(frozen=True)
class Wanted:
    """What a list is narrowed to, as its address says it."""

    view: str = UNIT
    text: str = ""
    unit_id: str = ""
    owner_id: str = ""
    individual: bool = False
    home_id: str = ""
    unowned: bool = False
    tags: tuple[str, ...] = ()
    own: tuple[str, ...] = ()

    def as_request(self) -> dict[str, Any]:
        """The fields of a list request."""
        return {**self.as_group_request(), "home_unit_id": self.home_id, "without_owner": self.unowned}

    def as_group_request(self) -> dict[str, Any]:
        """The fields of a request for groups."""
        narrowed = {"query": self.text, "unit_id": self.unit_id, "owner_id": self.owner_id}
        return {**narrowed, "tags": self.tags, "field_conditions": self.own}


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
        wanted, name = read_wanted(visit), PATHS[record_type]
        columns = read_columns(visit, name)
        narrower = own_conditions.add_condition(visit, columns.own.values())
        if narrower:
            return visit.go(narrower)
        groups = _read_groups(visit, record_type, wanted)
        listed = Listed(None, look_up_names(visit, [wanted.owner_id]), {}, {}) if groups else None
        listed = listed or _read_page(visit, record_type, wanted, columns)
        template = "customers/list.html" if record_type == PERSON else "organizations/list.html"
        exported = "persons" if record_type == PERSON else "organizations"
        return visit.render(
            template,
            columns=columns,
            exportable=offer_list(exported, list_request(visit, record_type, wanted), columns.shown),
            help="customers" if record_type == PERSON else "organizations",
            listed=listed,
            rows=_rows(record_type, listed.answer),
            wanted=wanted,
            words=words,
            tabs=_tabs(visit),
            views_kept=read_tabs(visit, name, columns, view=wanted.view),
            units=list_units(visit),
            acts=list_acts(visit, name),
            groups=groups,
            groupings=list_groupings(visit, name),
            views=_filters(visit, record_type, wanted, listed.names)
            + own_conditions.list_chips(visit, columns.own.values()),
            own_text=own_fields.show_cell,
            own_signs=own_conditions.sign_words(),
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
    text, owner = query.get("q", "").strip()[:200], query.get("owner", "")
    return Wanted(
        view if view in (MINE, UNIT, ALL) else ALL,
        text if len(text) >= LEAST_TEXT else "",
        query.get("unit", "") or (visit.home.id if view == UNIT and visit.home else ""),
        visit.user_id if view == MINE else "" if owner == NOBODY else owner,
        query.get("kind") == "individual",
        query.get("home", ""),
        owner == NOBODY and view != MINE,
        written_tags(query.get("tag", "")),
        own_conditions.read_conditions(visit),
    )


def list_request(visit: Visit, record_type: str, wanted: Wanted) -> Any:
    """What a page of the list asks for."""
    shared = {**wanted.as_request(), "page_size": SIZE, "page_token": visit.query.get("page", "")}
    if record_type == PERSON:
        return pb.ListPersonsRequest(**shared, individual_only=wanted.individual)
    return pb.ListOrganizationsRequest(**shared)


def _read_page(visit: Visit, record_type: str, wanted: Wanted, columns: Columns) -> Listed:
    method = "ListPersons" if record_type == PERSON else "ListOrganizations"
    answer = visit.gather(found=("contacts", method, list_request(visit, record_type, wanted)))["found"]
    rows = _rows(record_type, answer)
    ids = [one.id for one in rows]
    own = [columns.own[key] for key in columns.shown if key in columns.own]
    users = {wanted.owner_id}.union(*({one.owner_id} | own_fields.users_named(own, one.attributes) for one in rows))
    around = visit.gather_calls(
        names=lambda: look_up_names(visit, users),
        latest=lambda: _latest(visit, record_type, ids),
        steps=lambda: _next_steps(visit, record_type, ids),
    )
    return Listed(answer, around["names"] or Names(), around["latest"] or {}, around["steps"])


def _read_groups(visit: Visit, record_type: str, wanted: Wanted) -> list[Group]:
    """The groups, where the address asks for some and there are any."""
    grouping = read_grouping(visit, PATHS[record_type])
    if not grouping:
        return []
    request = pb.GroupCustomersRequest(
        grouping=GROUPINGS[grouping],
        organizations=record_type == ORGANIZATION,
        individual_only=wanted.individual and record_type == PERSON,
        **wanted.as_group_request(),
    )
    answer = visit.gather(groups=("contacts", "GroupCustomers", request))["groups"]
    narrowed = "owner" if grouping == OWNER else "home"
    whole: dict[str, str | None] = {"view": ALL if wanted.view == MINE else wanted.view, "group": None, "page": None}

    def path(key: str) -> str:
        return visit.url(**{**whole, "owner": wanted.owner_id or None, narrowed: key or NOBODY})

    return make_groups(visit, grouping, answer, path, {})


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
    if wanted.unowned:
        chips.append((_("Nobody is responsible"), visit.url(owner=None, page=None)))
    elif visit.query.get("owner"):
        owner = names.user(wanted.owner_id)
        named = owner.name if owner else _("a colleague elsewhere")
        chips.append((_("of %(name)s") % {"name": named}, visit.url(owner=None, page=None)))
    for tag in wanted.tags:
        others = ", ".join(one for one in wanted.tags if one != tag)
        chips.append((_("tagged “%(tag)s”") % {"tag": tag}, visit.url(tag=others or None, page=None)))
    if wanted.home_id:
        home = names.unit(wanted.home_id) or _("Somewhere else")
        chips.append((_("at home in %(unit)s") % {"unit": home}, visit.url(home=None, page=None)))
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
