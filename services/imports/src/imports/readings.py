"""What callers see through each call, as the audit trail notes it, and which calls a frozen unit stops."""

from __future__ import annotations

from chassis.audit.entries import FILE, LIST, READ
from chassis.audit.reading_log import Reading

RUN = "run"
READINGS = {
    "ListFindings": Reading(LIST, RUN, said="run_id"),
    "ListRows": Reading(LIST, RUN, said="run_id"),
    "ListRunKept": Reading(LIST, RUN, said="run_id"),
    "DownloadResult": Reading(FILE, RUN, said="run_id"),
    "DownloadExport": Reading(FILE, "export", said="export_id"),
    "ListExports": Reading(LIST, "export", "exports.id"),
    "GetExport": Reading(READ, "export", "export.id"),
}
# What a frozen unit stops: what takes data away or changes many records at once, and reading lists page after page.
STOPPED = ("CreateRun", "ConfirmRun", "UndoRun", "DownloadResult", "UploadChunk", "CreateExport", "DownloadExport")
LISTS = ("ListRows", "ListFindings", "ListRunKept")
