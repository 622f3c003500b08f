"""Exports: one's own with their files, those that wait for the viewer's agreement, and the beginning of a new one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from starlette.responses import Response

from chassis.ids import new_id
from crm.imports.v1 import imports_pb2 as pb
from gateway.routes.exports import stream_export
from gateway.web.mounting import Page
from gateway.web.report_words import report_titles
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

ROWS = 50
UNDER_WAY = (pb.EXPORT_STATE_QUEUED, pb.EXPORT_STATE_READING, pb.EXPORT_STATE_WRITING)
PAGING = ("page_size", "page_token")
REPORT = "report:"
# What a file has for the columns of a page.
COLUMNS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "persons": {"name": ("full_name",), "unit": ("units",)},
    "organizations": {"town": ("city",), "unit": ("units",)},
    "deals": {
        "customer": ("organization", "person"), "amount": ("amount", "currency"), "days": ("stage_time",),
        "opened": ("open_date",), "expected": ("expected_close_date",), "closed": ("close_date",),
    },
}  # fmt: skip
NOT_EXPORTED = ("last", "next")


@dataclass(frozen=True)
class Exportable:
    """What a page offers to take along: a list with the conditions of the page, and the columns it shows."""

    list: str
    filters: Mapping[str, str]
    columns: str = ""
    request_id: str = field(default_factory=new_id)


def offer_list(name: str, request: Any, shown: Iterable[str] = ()) -> Exportable:
    """The list that a page asked for by this request, with the columns the page shows."""
    known = COLUMNS.get(name, {})
    columns = [one for key in shown if key not in NOT_EXPORTED for one in known.get(key, (key,))]
    return Exportable(name, filters_of(request), ",".join(columns))


def offer_report(name: str, parameters: Any) -> Exportable:
    """A report with these parameters."""
    return Exportable(f"{REPORT}{name}", filters_of(parameters))


def filters_of(request: Any) -> dict[str, str]:
    """The conditions and the order of a request as texts by name, as exports take them."""
    return {one.name: _text_of(one, value) for one, value in request.ListFields() if one.name not in PAGING}


def _text_of(one: FieldDescriptor, value: Any) -> str:
    if one.is_repeated:
        return ("\n" if one.name == "field_conditions" else ",").join(value)
    if one.enum_type is not None:
        return str(one.enum_type.values_by_number[value].name)
    if one.message_type is None:
        return str(value).lower() if isinstance(value, bool) else str(value)
    if one.message_type.name == "Date":
        return f"{value.year:04}-{value.month:02}-{value.day:02}"
    return str(value.ToJsonString())


def show_exports(visit: Visit) -> Response:
    """The page of exports, youngest first; those to decide stand above."""
    found = visit.gather(
        mine=("imports", "ListExports", pb.ListExportsRequest(page_size=ROWS, page_token=visit.query.get("page", ""))),
        asked=("imports", "ListExports", pb.ListExportsRequest(page_size=ROWS, to_decide=True)),
        lists=("imports", "ListExportLists", pb.ListExportListsRequest()),
    )
    mine = found["mine"]
    exports = [one for one in mine.exports if not one.can_decide] if mine else []
    return visit.render(
        "exports/page.html",
        help="exports",
        away=None if mine else mine,
        exports=exports,
        asked=found["asked"].exports if found["asked"] else [],
        budget=found["lists"] or None,
        next_token=mine.next_page_token if mine else "",
        titles={one.list: list_words(one.list) for one in exports},
        words=state_words(),
        working=any(one.state in UNDER_WAY for one in exports),
        ready=pb.EXPORT_STATE_READY,
        stoppable=(*UNDER_WAY, pb.EXPORT_STATE_ASKED),
        failed=pb.EXPORT_STATE_FAILED,
        list_words=list_words,
        request_id=new_id(),
    )


def create_export(visit: Visit) -> Response:
    """Ask for an export of a list as its page stood."""
    chosen = visit.field("columns") if visit.field("which") != "all" else ""
    asked = pb.CreateExportRequest(
        request_id=visit.field("request_id"),
        list=visit.field("list"),
        format=visit.field("format"),
        columns=[one for one in chosen.split(",") if one],
        reason=visit.field("reason"),
    )
    for name, value in visit.form.multi_items():
        if name.startswith("filter.") and isinstance(value, str):
            asked.filters[name.removeprefix("filter.")] = value
    visit.call("imports", "CreateExport", asked)
    return visit.go("/exports")


def decide_export(visit: Visit) -> Response:
    """Agree to somebody's large export, or not."""
    asked = pb.DecideExportRequest(
        request_id=visit.field("request_id"),
        export_id=visit.path["export"],
        approve=visit.field("decision") == "approve",
        answer=visit.field("answer"),
    )
    visit.call("imports", "DecideExport", asked)
    return visit.go("/exports")


def cancel_export(visit: Visit) -> Response:
    """End one's own export, or delete its file."""
    visit.call("imports", "CancelExport", pb.CancelExportRequest(export_id=visit.path["export"]))
    return visit.go("/exports")


def send_file(visit: Visit) -> Response:
    """The file of one's own export."""
    return stream_export(visit.services, visit.path["export"])


def show_waiting(visit: Visit) -> Response:
    """How many exports wait for the viewer's agreement, as a link at the top; nothing where none does."""
    found = visit.call("imports", "ListExports", pb.ListExportsRequest(page_size=ROWS, to_decide=True))
    return visit.render("exports/waiting.html", count=len(found.exports))


def list_words(name: str) -> str:
    """What is exported, in words."""
    known = {
        "persons": _("Persons"),
        "organizations": _("Organizations"),
        "deals": _("Deals"),
        "activities": _("Activities"),
    }
    return known.get(name) or report_titles().get(name.removeprefix(REPORT), name)


def state_words() -> dict[int, str]:
    """How far an export is."""
    return {
        pb.EXPORT_STATE_QUEUED: _("waits its turn"),
        pb.EXPORT_STATE_READING: _("rows are being read"),
        pb.EXPORT_STATE_ASKED: _("waits for a second person"),
        pb.EXPORT_STATE_WRITING: _("the file is being written"),
        pb.EXPORT_STATE_READY: _("ready"),
        pb.EXPORT_STATE_DECLINED: _("not agreed to"),
        pb.EXPORT_STATE_FAILED: _("stopped"),
        pb.EXPORT_STATE_CANCELLED: _("ended by its owner"),
        pb.EXPORT_STATE_EXPIRED: _("deleted, its time being over"),
    }


PAGES = (
    Page("GET", "/exports", show_exports),
    Page("POST", "/exports", create_export),
    Page("GET", "/exports/waiting", show_waiting),
    Page("GET", "/exports/{export}/file", send_file),
    Page("POST", "/exports/{export}/decide", decide_export),
    Page("POST", "/exports/{export}/cancel", cancel_export),
)
