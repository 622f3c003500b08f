"""Imports: the list of runs, and the beginning of a new one: what the rows are, whose, and from which file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.responses import JSONResponse, Response

from chassis.access import IMPORT
from chassis.errors import FieldInvalid, FieldViolation, NotPermitted, RemoteError
from chassis.ids import new_id
from crm.directory.v1 import directory_pb2 as directory
from crm.imports.v1 import imports_pb2 as pb
from gateway.units import await_unit
from gateway.web.import_words import AT_WORK, FATES, kind_words, state_words
from gateway.web.mounting import Page
from gateway.web.texts import gettext as _
from gateway.web.values import to_day
from gateway.web.visits import Visit

ROWS = 50
MOST_UNITS = 1_000
RUN_SECONDS = 20.0  # creating a run looks at the file


def show_imports(visit: Visit) -> Response:
    """The list of runs, youngest first."""
    unit_id, token = visit.query.get("unit", ""), visit.query.get("page", "")
    found = visit.gather(
        runs=("imports", "ListRuns", pb.ListRunsRequest(page_size=ROWS, page_token=token, unit_id=unit_id)),
        units=("directory", "ListUnits", directory.ListUnitsRequest(page_size=MOST_UNITS)),
    )
    runs = found["runs"].runs if found["runs"] else []
    return visit.render(
        "imports/list.html",
        help="imports",
        runs=runs,
        away=None if found["runs"] else found["runs"],
        next_token=found["runs"].next_page_token if found["runs"] else "",
        units=list(found["units"].units) if found["units"] else [],
        unit_names=unit_names(found["units"]),
        user_names=user_names(visit, {run.user_id for run in runs}),
        kinds=kind_words(),
        states={run.id: state_words(run) for run in runs},
        counts={run.id: counts_of(run) for run in runs},
        unit_id=unit_id,
        working=" ".join(f"run:{run.id}" for run in runs if run.state in AT_WORK),
    )


def show_new(visit: Visit) -> Response:
    """The first step: what, whose, and the file."""
    if not visit.may_import:
        raise NotPermitted(_("Your positions do not allow to import. Ask a data steward."))
    found = visit.gather(
        kinds=("imports", "ListKinds", pb.ListKindsRequest()),
        templates=("imports", "ListTemplates", pb.ListTemplatesRequest(page_size=200)),
        units=("directory", "ListUnits", directory.ListUnitsRequest(page_size=MOST_UNITS)),
    )
    words = kind_words()
    known = [one.name for one in found["kinds"].kinds] if found["kinds"] else list(words)
    units = importing_units(visit, found["units"].units if found["units"] else [])
    return visit.render(
        "imports/new.html",
        help="imports",
        away=found["kinds"] if not found["kinds"] else found["units"] if not found["units"] else None,
        kinds=[(name, words[name]) for name in words if name in known],
        units=[(unit.id, indented(unit)) for unit in units],
        own_unit=visit.home.id if visit.home else "",
        templates=found["templates"].templates if found["templates"] else [],
        most_megabytes=found["kinds"].max_file_bytes // 2**20 if found["kinds"] else 0,
        request_id=new_id(),
    )


def create_run(visit: Visit) -> Response:
    """Begin the run over an uploaded file and go to its page."""
    if not visit.field("file_id"):
        raise FieldInvalid(FieldViolation("file", _("is missing; choose a file or drop it here")))
    asked = pb.CreateRunRequest(
        request_id=visit.field("request_id"),
        file_id=visit.field("file_id"),
        kind=visit.field("kind"),
        unit_id=visit.field("unit_id"),
        template_name=visit.field("template_name"),
        source=visit.field("source"),
    )
    made = await_unit(visit.services, lambda: visit.call("imports", "CreateRun", asked, timeout=RUN_SECONDS))
    return visit.go(f"/imports/{made.run.id}")


def create_file(visit: Visit) -> Response:
    """Begin an upload; answers the script of the page."""
    size = visit.field("size_bytes")
    if not size.isascii() or not size.isdigit() or len(size) > 15:
        raise FieldInvalid(FieldViolation("size_bytes", _("is not a number of bytes")))
    asked = pb.CreateFileRequest(request_id=visit.field("request_id"), name=visit.field("name"), size_bytes=int(size))
    made = visit.call("imports", "CreateFile", asked)
    return JSONResponse({"id": made.file.id, "chunk_bytes": made.chunk_bytes})


def store_chunk(visit: Visit) -> Response:
    """Take a piece of the file; the same one may come again."""
    offset = visit.query.get("offset", "")
    if not offset.isascii() or not offset.isdigit() or len(offset) > 15:
        raise FieldInvalid(FieldViolation("offset", _("is not a number of bytes")))
    chunk = pb.UploadChunkRequest(file_id=visit.path["file"], offset=int(offset), data=visit.body)
    stored = visit.services.clients["imports"].call("UploadChunk", chunk, timeout=RUN_SECONDS, retry=True)
    return JSONResponse({"received_bytes": stored.file.received_bytes})


def complete_file(visit: Visit) -> Response:
    """End the upload, or say from which byte on it must be sent again."""
    asked = pb.CompleteFileRequest(file_id=visit.path["file"], sha256=visit.field("sha256"))
    try:
        visit.services.clients["imports"].call("CompleteFile", asked, timeout=RUN_SECONDS, retry=True)
    except RemoteError as refusal:
        if refusal.reason != "CHUNK_MISSING":
            raise
        return JSONResponse({"missing": int(refusal.metadata["offset"])})
    return JSONResponse({"complete": True})


def importing_units(visit: Visit, units: Iterable[directory.Unit]) -> list[directory.Unit]:
    """The open units this person may import for."""
    access, today = visit.session.access, visit.today
    return [
        unit
        for unit in units
        if access.allows_in(IMPORT, unit.path) and ((end := to_day(unit.end_date)) is None or end > today)
    ]


def indented(unit: directory.Unit) -> str:
    """A unit's name with its depth in the tree, for a list of choices."""
    return "\u2003" * unit.path.count(".") + unit.name


def unit_names(units: Any) -> dict[str, str]:
    """Names of units by id; none where the directory is away."""
    return {unit.id: unit.name for unit in units.units} if units else {}


def user_names(visit: Visit, ids: set[str]) -> dict[str, str]:
    """Names of users by id; none where the directory is away."""
    wanted = sorted(one for one in ids if one)
    if not wanted:
        return {}
    asked = directory.BatchGetUsersRequest(user_ids=wanted)
    users = visit.gather(users=("directory", "BatchGetUsers", asked))["users"]
    return {user.id: user.display_name for user in users.users} if users else {}


def counts_of(run: pb.Run) -> pb.RunCounts | None:
    """The counts to show: of the load where there was one, else of the check; None before it has ended."""
    if run.actual.rows_read:
        return run.actual
    return run.expected if run.expected.rows_read else None


def shares_of(counts: pb.RunCounts) -> list[tuple[str, int, int, int]]:
    """The pieces of the one bar: fate, rows, where it begins and how long it is, in thousandths of the bar."""
    total = sum(getattr(counts, fate) for fate in FATES) or 1
    pieces, before = [], 0
    for fate in FATES:
        rows = getattr(counts, fate)
        begin, before = before, before + rows
        if rows:
            start, end = begin * 1000 // total, before * 1000 // total
            pieces.append((fate, rows, start, max(end - start, 4)))
    return pieces


PAGES = (
    Page("GET", "/imports", show_imports),
    Page("POST", "/imports", create_run),
    Page("GET", "/imports/new", show_new),
    Page("POST", "/imports/files", create_file),
    Page("PUT", "/imports/files/{file}/chunks", store_chunk, takes_bytes=True),
    Page("POST", "/imports/files/{file}/complete", complete_file),
)
