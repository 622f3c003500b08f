"""Saved views as tabs of a list: what is open is saved under a name, changed, shared, put in order, removed.

A tab is an address that holds the whole view. Whoever gets it without having the view sees the same filter as chips.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.responses import Response

from chassis.errors import FieldInvalid, FieldViolation
from gateway import saved_views
from gateway.saved_views import CONDITIONS, EVERYBODY, MINE, UNIT, ViewFacts, write_query
from gateway.web.columns import Columns
from gateway.web.mounting import Page
from gateway.web.names import list_units
from gateway.web.report_sending import REPORTS
from gateway.web.report_words import SHAPES
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

SAVE, UPDATE, DELETE, EARLIER, LATER = "save", "update", "delete", "earlier", "later"


@dataclass(frozen=True)
class Tab:
    """One view: `kept` where the viewer may change it."""

    id: str
    name: str
    path: str
    query: str
    sharing: str
    unit_id: str
    kept: bool
    send_every: str = ""


@dataclass(frozen=True)
class ViewTabs:
    """The views of a list; `query` is what is shown now, `sharings` with whom it may be shared, in words."""

    list_name: str
    tabs: list[Tab]
    open_tab: Tab | None
    query: str
    sharings: list[tuple[str, str]]

    @property
    def changed(self) -> bool:
        """Whether what is shown differs from the open view."""
        return self.open_tab is not None and self.open_tab.query != self.query


def read_tabs(visit: Visit, list_name: str, columns: Columns, **shown: str) -> ViewTabs:
    """The views of the viewer; `shown` are conditions in force that the address need not say."""
    return find_tabs(visit, list_name, {**visit.query, **shown, "cols": ",".join(columns.shown)})


def find_tabs(visit: Visit, list_name: str, values: Mapping[str, str]) -> ViewTabs:
    """The views of the viewer, where these conditions are shown."""
    with visit.sessions.database.transaction() as work:
        rows = saved_views.list_views(work, visit.session.access, visit.units_above, list_name)
    tabs = in_order(visit, list_name, [_tab(visit, row) for row in rows])
    here = next((one for one in tabs if one.id == visit.query.get("saved")), None)
    return ViewTabs(list_name, tabs, here, write_query(list_name, values), _sharings(visit, here))


def in_order(visit: Visit, list_name: str, tabs: list[Tab]) -> list[Tab]:
    """The tabs as the viewer has put them; those never moved come last, by name."""
    kept = visit.setting(_order(list_name))
    places = {str(id): place for place, id in enumerate(kept)} if isinstance(kept, list) else {}
    return sorted(tabs, key=lambda one: places.get(one.id, len(places)))


def change_views(visit: Visit) -> Response:
    """Do what the form asks for. Errors: FieldInvalid, NotPermitted, ViewNotFound, TooManyViews."""
    list_name, change, view_id = visit.path["name"], visit.field("change"), visit.field("saved")
    if list_name not in CONDITIONS:
        raise HTTPException(404)
    if change in (EARLIER, LATER):
        return _move(visit, list_name, view_id, -1 if change == EARLIER else 1)
    access, above = visit.session.access, visit.units_above
    with visit.sessions.database.transaction() as work:
        if change == DELETE:
            saved_views.remove_view(work, access, above, view_id)
            return visit.go(f"/{list_name}")
        if change not in (SAVE, UPDATE):
            raise FieldInvalid(FieldViolation("change", _("is none of the choices")))
        facts = _read_facts(visit, list_name)
        if change == SAVE:
            row = saved_views.make_view(work, access, facts)
        else:
            row = saved_views.change_view(work, access, above, view_id, facts)
    return visit.go(_path(row))


def _read_facts(visit: Visit, list_name: str) -> ViewFacts:
    sharing, unit_path, unit_id = visit.field("sharing") or MINE, "", ""
    if sharing not in saved_views.SHARINGS:
        sharing, unit_id = UNIT, sharing
        unit_path = visit.home.path if visit.home and visit.home.id == unit_id else _path_of(visit, unit_id)
    name, query = visit.field("view_name"), saved_views.read_query(list_name, visit.field("query"))
    if not name:
        raise FieldInvalid(FieldViolation("view_name", _("give the view a name")))
    if len(name) > saved_views.MOST_NAME:
        raise FieldInvalid(FieldViolation("view_name", _("is longer than %(most)s signs") % {"most": 60}))
    if list_name == REPORTS and dict(parse_qsl(query)).get("report") not in SHAPES:
        raise FieldInvalid(FieldViolation("view_name", _("There is no such report")))
    return ViewFacts(list_name, name, query, sharing, unit_id, unit_path, visit.field("send_every"))


def _path_of(visit: Visit, unit_id: str) -> str:
    """Where a unit stands. Errors: FieldInvalid for one the viewer does not know."""
    found = list_units(visit).get(unit_id)
    if found is None:
        raise FieldInvalid(FieldViolation("sharing", _("is none of the choices")))
    return str(found.path)


def _move(visit: Visit, list_name: str, view_id: str, by: int) -> Response:
    with visit.sessions.database.transaction() as work:
        rows = saved_views.list_views(work, visit.session.access, visit.units_above, list_name)
    tabs = in_order(visit, list_name, [_tab(visit, row) for row in rows])
    at = next((place for place, one in enumerate(tabs) if one.id == view_id), None)
    if at is None:
        raise saved_views.ViewNotFound(view_id)
    moved = tabs.pop(at)
    tabs.insert(max(at + by, 0), moved)
    visit.save_setting(_order(list_name), [one.id for one in tabs])
    return visit.go(moved.path)


def _tab(visit: Visit, row: Any) -> Tab:
    kept = saved_views.may_keep(visit.session.access, visit.units_above, row)
    return Tab(str(row.id), row.name, _path(row), row.query, row.sharing, row.unit_id, kept, row.send_every)


def _path(row: Any) -> str:
    asked, page = f"{row.query}&" if row.query else "", row.list_name
    if page == REPORTS:
        name, _amp, asked = asked.removeprefix("report=").partition("&")
        page = f"{REPORTS}/{name}" if name in SHAPES else REPORTS
    return f"/{page}?{asked}saved={row.id}"


def _sharings(visit: Visit, here: Tab | None) -> list[tuple[str, str]]:
    """With whom the viewer may share; nothing to choose where only oneself is left."""
    access, found = visit.session.access, [(MINE, _("only me"))]
    if visit.home and saved_views.may_share(access, visit.home.path):
        found.append((visit.home.id, visit.home.name))
    if here is not None and here.unit_id and here.kept and here.unit_id not in dict(found):
        found.append((here.unit_id, _("the unit as before")))
    if saved_views.may_share(access) or (here is not None and here.kept and here.sharing == EVERYBODY):
        found.append((EVERYBODY, _("everybody")))
    return found


def _order(list_name: str) -> str:
    return f"views_order_{list_name}"


PAGES = (Page("POST", "/lists/{name}/views", change_views),)
