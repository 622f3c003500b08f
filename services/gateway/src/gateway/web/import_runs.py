"""One import run: its four steps on one page that can be left and found again, its rows and its result file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from starlette.responses import Response, StreamingResponse

from chassis.dates import from_date
from crm.contacts.v1 import contacts_pb2 as contacts
from crm.directory.v1 import directory_pb2 as directory
from crm.imports.v1 import imports_pb2 as pb
from gateway.routes.imports import MEDIA_TYPES
from gateway.web import import_words as words
from gateway.web.finding_words import finding_words
from gateway.web.imports import counts_of, shares_of, user_names
from gateway.web.mounting import Page
from gateway.web.names import list_units
from gateway.web.own_fields import belongs_to, label_of
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

FINDINGS, ROWS = 50, 50
STEPS = ("file", "columns", "check", "run")
RUN_STEP = (
    pb.RUN_STATE_LOADING, pb.RUN_STATE_FINISHED, pb.RUN_STATE_CANCELLED, pb.RUN_STATE_UNDOING, pb.RUN_STATE_UNDONE
)  # fmt: skip
LOADED = (pb.RUN_STATE_FINISHED, pb.RUN_STATE_UNDOING, pb.RUN_STATE_UNDONE)
# Where a row's record can be looked at.
RECORDS = {"persons": "/customers/", "organizations": "/organizations/", "deals": "/deals/"}
LISTS = {"persons": "/customers", "organizations": "/organizations", "deals": "/deals", "interactions": "/customers"}
NO_NAME = re.compile("[^0-9a-f-]")


def show_run(visit: Visit) -> Response:
    """The page of a run."""
    return visit.render("imports/run.html", help="imports", **_values(visit))


def show_live(visit: Visit) -> Response:
    """The steps alone, as they stand now."""
    return visit.render("imports/steps.html", **_values(visit))


def show_rows(visit: Visit) -> Response:
    """Rows of a run with what became of each."""
    run_id, fate = visit.path["run"], visit.query.get("fate", "")
    asked = pb.ListRowsRequest(run_id=run_id, page_size=ROWS, page_token=visit.query.get("page", ""), fate=fate)
    run = read_run(visit)
    found = visit.call("imports", "ListRows", asked)
    return visit.render(
        "imports/rows.html",
        help="imports",
        run=run,
        rows=found.rows,
        columns=found.columns,
        next_token=found.next_page_token,
        fate=fate,
        fates=words.fate_words(),
        counts=counts_of(run),
        record_path=RECORDS.get(run.kind, ""),
        finding_words=finding_words(),
    )


def show_kept(visit: Visit) -> Response:
    """What stays of an import that is undone, each with the reason."""
    run_id = visit.path["run"]
    asked = pb.ListRunKeptRequest(run_id=run_id, page_size=ROWS, page_token=visit.query.get("page", ""))
    run = read_run(visit)
    found = visit.call("imports", "ListRunKept", asked)
    return visit.render(
        "imports/kept.html",
        help="imports",
        run=run,
        kept=found.kept,
        next_token=found.next_page_token,
        reasons=words.kept_words(),
        fields=words.kept_field_words(),
        paths={"person": "/customers/", "organization": "/organizations/"},
    )


def download_result(visit: Visit) -> Response:
    """Every original row with its fate and reason, as a workbook or a text file."""
    wanted = visit.query.get("format", "xlsx")
    wanted = wanted if wanted in MEDIA_TYPES else "xlsx"
    asked = pb.DownloadResultRequest(run_id=visit.path["run"], format=wanted)
    pieces = visit.services.clients["imports"].stream("DownloadResult", asked)
    first = next(pieces, None)  # a refusal comes before the first piece, while the answer is still open
    name = f"result-{NO_NAME.sub('', visit.path['run'])}.{wanted}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_bytes_of(first, pieces), media_type=MEDIA_TYPES[wanted], headers=headers)


def read_run(visit: Visit) -> pb.Run:
    """The run of the address. Errors: RemoteError RUN_NOT_FOUND."""
    run: pb.Run = visit.call("imports", "GetRun", pb.GetRunRequest(run_id=visit.path["run"])).run
    return run


def may_change(visit: Visit, run: pb.Run) -> bool:
    """Whether the columns, the reading and the choices of a run can still be changed."""
    waits = run.state == pb.RUN_STATE_WAITING or (run.state == pb.RUN_STATE_FAILED and not run.actual.rows_read)
    return waits and visit.may_import


def _values(visit: Visit) -> dict[str, Any]:
    run = read_run(visit)
    step = visit.query.get("step", "")
    step = step if step in STEPS else _present_step(run)
    calls: dict[str, tuple[str, str, Any]] = {
        "unit": ("directory", "GetUnit", directory.GetUnitRequest(unit=run.unit_id)),
        **_calls_of(step, run, visit),
    }
    found = visit.gather(**calls)
    return {
        "run": run,
        "step": step,
        "steps": _steps(run, step),
        "state": words.state_words(run),
        "working": run.state in words.AT_WORK or _is_counted(run),
        "counted": _is_counted(run),
        "may_undo": visit.may_import and run.kind in words.RECORD_TYPES and run.state == pb.RUN_STATE_FINISHED,
        "may_change": may_change(visit, run),
        "kind": words.kind_words().get(run.kind, run.kind),
        "unit_name": found["unit"].unit.name if found["unit"] else "",
        "user_name": user_names(visit, {run.user_id}).get(run.user_id, ""),
        "fates": words.fate_words(),
        "meanings": words.fate_meanings(),
        "counts": counts_of(run),
        "shares": shares_of(counts_of(run) or pb.RunCounts()),
        **_of_columns(visit, run, found),
        **_of_check(visit, run, found),
        **_of_end(run),
    }


def _is_counted(run: pb.Run) -> bool:
    """Whether what undoing would do is being counted."""
    undo = run.undo
    return run.HasField("undo") and undo.dry_run and not undo.done and not undo.message


def _present_step(run: pb.Run) -> str:
    return "run" if run.state in RUN_STEP and (run.actual.rows_read or run.state != pb.RUN_STATE_CANCELLED) else "check"


def _steps(run: pb.Run, step: str) -> list[tuple[str, str, bool, bool]]:
    """Of each step: key, name, whether it is shown, whether it is done."""
    present = STEPS.index(_present_step(run))
    if run.state in LOADED:
        present += 1
    names = {"file": _("File"), "columns": _("Columns"), "check": _("Check"), "run": _("Load")}
    return [(key, names[key], key == step, at < present) for at, key in enumerate(STEPS)]


def _calls_of(step: str, run: pb.Run, visit: Visit) -> dict[str, tuple[str, str, Any]]:
    if step == "columns":
        own = {}
        if run.kind in words.RECORD_TYPES:
            asked_fields = contacts.ListCustomerFieldsRequest(record_type=words.RECORD_TYPES[run.kind])
            own = {"own_fields": ("contacts", "ListCustomerFields", asked_fields)}
        return {
            **own,
            "kinds": ("imports", "ListKinds", pb.ListKindsRequest()),
            "templates": ("imports", "ListTemplates", pb.ListTemplatesRequest(page_size=200, kind=run.kind)),
        }
    if step == "check" and run.state not in words.BEING_CHECKED:
        severity, token = visit.query.get("severity", ""), visit.query.get("page", "")
        asked = pb.ListFindingsRequest(run_id=run.id, page_size=FINDINGS, page_token=token, severity=severity)
        return {"findings": ("imports", "ListFindings", asked)}
    return {}


def _own_fields(visit: Visit, found: dict[str, Any]) -> list[Any]:
    """The company's own fields that cards of the run's unit have."""
    if not found.get("own_fields") or not found["unit"]:
        return []
    units = list_units(visit)
    return [one for one in found["own_fields"].customer_fields if belongs_to(one, found["unit"].unit.path, units)]


def _of_columns(visit: Visit, run: pb.Run, found: dict[str, Any]) -> dict[str, Any]:
    kinds = found.get("kinds")
    fields = [field for kind in (kinds.kinds if kinds else ()) if kind.name == run.kind for field in kind.fields]
    names = words.field_words()
    own = {column.field for column in run.mapping if column.field}
    offered = [(field.name, names.get(field.name, field.name)) for field in fields]
    offered += [(words.OWN + one.key, label_of(one)) for one in _own_fields(visit, found)]
    return {
        "fields": [*offered, (words.ATTRIBUTE, _("Keep as a further fact"))],
        "descriptions": {field.name: field.description for field in fields},
        "missing": [names.get(field.name, field.name) for field in fields if field.required and field.name not in own],
        "origins": words.origin_words(),
        "cell_kinds": words.cell_kind_words(),
        "templates": found["templates"].templates if found.get("templates") else [],
    }


def _of_check(visit: Visit, run: pb.Run, found: dict[str, Any]) -> dict[str, Any]:
    findings = found.get("findings")
    listed = list(findings.findings) if findings else []
    fields = {column.column: column.field for column in run.mapping}
    names = words.field_words()
    return {
        "findings": listed,
        "column_words": names,
        "findings_away": findings if findings is not None and not findings else None,
        "findings_next": findings.next_page_token if findings else "",
        "severity": visit.query.get("severity", ""),
        "severities": words.severity_words(),
        "finding_words": finding_words(),
        "unknown": [
            (one, fields[one.column], names.get(fields[one.column], fields[one.column]))
            for one in listed
            if one.code.startswith("unknown_") and fields.get(one.column) and may_change(visit, run)
        ],
        "chosen": [(names.get(one.field, one.field), one.text, one.meaning) for one in run.choices],
    }


def _of_end(run: pb.Run) -> dict[str, Any]:
    first, last = from_date(run.first_date, "first_date"), from_date(run.last_date, "last_date")
    period = f"&from={first.isoformat()}&to={last.isoformat()}" if first and last else ""
    report = {"deals": "won", "plans": "plan-fact", "interactions": "activities"}.get(run.kind, "")
    return {
        "list_path": LISTS.get(run.kind, ""),
        "report_path": f"/reports/{report}?unit={run.unit_id}{period}" if report else "",
    }


def _bytes_of(first: Any, rest: Iterator[Any]) -> Iterator[bytes]:
    if first is not None:
        yield first.data
    for piece in rest:
        yield piece.data


PAGES = (
    Page("GET", "/imports/{run}", show_run),
    Page("GET", "/imports/{run}/live", show_live),
    Page("GET", "/imports/{run}/rows", show_rows),
    Page("GET", "/imports/{run}/kept", show_kept),
    Page("GET", "/imports/{run}/result", download_result),
)
