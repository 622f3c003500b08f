"""Door 1 of imports: gRPC. Translates, calls, translates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc

from chassis.database import Database, UnitOfWork
from chassis.once import answer_once
from chassis.rpc.server import Servicer, current_access
from crm.imports.v1 import imports_pb2 as pb
from crm.imports.v1 import imports_pb2_grpc as grpc_pb
from imports import queries
from imports.exporting.door import ExportCalls
from imports.files import CHUNK_BYTES, complete_file, create_file, store_chunk
from imports.messages import (
    choices_from,
    file_message,
    finding_message,
    kept_message,
    kind_messages,
    mapping_from,
    options_from,
    row_message,
    run_message,
    template_message,
)
from imports.readings import LISTS, READINGS, STOPPED
from imports.results import write_result
from imports.runs import cancel_run, confirm_run, create_run, get_run, update_run
from imports.settings import SERVICE, Settings
from imports.templates import save_template
from imports.undoing import ask_undo
from units.freezing import Freeze

Context = grpc.ServicerContext


class ImportsServicer(ExportCalls, grpc_pb.ImportsServiceServicer):
    """crm.imports.v1.ImportsService."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database, self.settings = database, settings

    def CreateFile(self, request: pb.CreateFileRequest, context: Context) -> pb.CreateFileResponse:
        """Begin an upload."""
        with self.database.transaction(current_access()) as work:

            def act() -> pb.CreateFileResponse:
                row = create_file(work, request.name, request.size_bytes, self.settings.max_file_bytes)
                return pb.CreateFileResponse(file=file_message(row), chunk_bytes=CHUNK_BYTES)

            return answer_once(work, request, pb.CreateFileResponse, act)

    def UploadChunk(self, request: pb.UploadChunkRequest, context: Context) -> pb.UploadChunkResponse:
        """Store a chunk."""
        with self.database.transaction(current_access()) as work:
            row = store_chunk(work, request.file_id, request.offset, request.data)
            return pb.UploadChunkResponse(file=file_message(row))

    def CompleteFile(self, request: pb.CompleteFileRequest, context: Context) -> pb.CompleteFileResponse:
        """End an upload."""
        with self.database.transaction(current_access()) as work:
            return pb.CompleteFileResponse(file=file_message(complete_file(work, request.file_id, request.sha256)))

    def CreateRun(self, request: pb.CreateRunRequest, context: Context) -> pb.CreateRunResponse:
        """Start a run."""
        with self.database.transaction(current_access()) as work:

            def act() -> pb.CreateRunResponse:
                row = create_run(
                    work,
                    file_id=request.file_id,
                    kind_name=request.kind,
                    unit_id=request.unit_id,
                    options=options_from(request.options),
                    template_name=request.template_name,
                    template_version=request.template_version,
                    source=request.source,
                    choices=choices_from(request.choices),
                    mapping=mapping_from(request.mapping),
                    unattended=request.unattended,
                )
                return pb.CreateRunResponse(run=_run(work, row))

            return answer_once(work, request, pb.CreateRunResponse, act)

    def GetRun(self, request: pb.GetRunRequest, context: Context) -> pb.GetRunResponse:
        """Read a run."""
        with self.database.transaction(current_access()) as work:
            return pb.GetRunResponse(run=_run(work, get_run(work, request.run_id)))

    def ListRuns(self, request: pb.ListRunsRequest, context: Context) -> pb.ListRunsResponse:
        """List runs."""
        with self.database.transaction(current_access()) as work:
            rows, token = queries.list_runs(work, request.page_size, request.page_token, request.unit_id)
            files = queries.files_of(work, rows)
            runs = [run_message(row, files[row.file_id]) for row in rows]
            return pb.ListRunsResponse(runs=runs, next_page_token=token)

    def UpdateRun(self, request: pb.UpdateRunRequest, context: Context) -> pb.UpdateRunResponse:
        """Change a run that waits."""
        given = {
            "options": options_from(request.options),
            "mapping": mapping_from(request.mapping),
            "choices": choices_from(request.choices),
            "source": request.source,
        }
        with self.database.transaction(current_access()) as work:
            changes = {name: given[name] for name in request.update_mask if name in given}
            return pb.UpdateRunResponse(run=_run(work, update_run(work, request.run_id, request.etag, changes)))

    def ConfirmRun(self, request: pb.ConfirmRunRequest, context: Context) -> pb.ConfirmRunResponse:
        """Let a run load."""
        with self.database.transaction(current_access()) as work:
            return pb.ConfirmRunResponse(run=_run(work, confirm_run(work, request.run_id, request.etag)))

    def CancelRun(self, request: pb.CancelRunRequest, context: Context) -> pb.CancelRunResponse:
        """End a run."""
        with self.database.transaction(current_access()) as work:
            return pb.CancelRunResponse(run=_run(work, cancel_run(work, request.run_id)))

    def UndoRun(self, request: pb.UndoRunRequest, context: Context) -> pb.UndoRunResponse:
        """Take back what a run did."""
        with self.database.transaction(current_access()) as work:
            return pb.UndoRunResponse(run=_run(work, ask_undo(work, request.run_id, request.dry_run)))

    def ListRunKept(self, request: pb.ListRunKeptRequest, context: Context) -> pb.ListRunKeptResponse:
        """List what stays."""
        with self.database.transaction(current_access()) as work:
            rows, token = queries.list_kept(work, request.run_id, request.page_size, request.page_token)
            return pb.ListRunKeptResponse(kept=map(kept_message, rows), next_page_token=token)

    def ListFindings(self, request: pb.ListFindingsRequest, context: Context) -> pb.ListFindingsResponse:
        """List findings."""
        with self.database.transaction(current_access()) as work:
            rows, token = queries.list_findings(
                work, request.run_id, request.page_size, request.page_token, request.severity
            )
            return pb.ListFindingsResponse(findings=map(finding_message, rows), next_page_token=token)

    def ListRows(self, request: pb.ListRowsRequest, context: Context) -> pb.ListRowsResponse:
        """List rows with their fates."""
        with self.database.transaction(current_access()) as work:
            rows, token, columns = queries.list_rows(
                work, request.run_id, request.page_size, request.page_token, request.fate
            )
            return pb.ListRowsResponse(rows=map(row_message, rows), next_page_token=token, columns=columns)

    def DownloadResult(
        self, request: pb.DownloadResultRequest, context: Context
    ) -> Iterator[pb.DownloadResultResponse]:
        """Stream the result file."""
        for piece in write_result(self.database, current_access(), request.run_id, request.format or "xlsx"):
            yield pb.DownloadResultResponse(data=piece)

    def SaveTemplate(self, request: pb.SaveTemplateRequest, context: Context) -> pb.SaveTemplateResponse:
        """Save a run's mapping."""
        with self.database.transaction(current_access()) as work:
            row = save_template(work, get_run(work, request.run_id), request.name)
            return pb.SaveTemplateResponse(template=template_message(row))

    def ListTemplates(self, request: pb.ListTemplatesRequest, context: Context) -> pb.ListTemplatesResponse:
        """List templates."""
        with self.database.transaction(current_access()) as work:
            asked = (request.page_size, request.page_token, request.kind)
            if request.name:
                rows, token = queries.list_template_versions(work, *asked, request.name)
            else:
                rows, token = queries.list_templates(work, *asked)
            return pb.ListTemplatesResponse(templates=map(template_message, rows), next_page_token=token)

    def ListKinds(self, request: pb.ListKindsRequest, context: Context) -> pb.ListKindsResponse:
        """List kinds."""
        return pb.ListKindsResponse(kinds=kind_messages(), max_file_bytes=self.settings.max_file_bytes)


def _run(work: UnitOfWork, row: Any) -> pb.Run:
    return run_message(row, queries.file_of(work, row.file_id))


def servicers(settings: Settings) -> tuple[Servicer, ...]:
    """The servicers of this service over its own database."""
    database = Database(settings.database_url, SERVICE, statement_timeout_ms=30_000)
    servicer = ImportsServicer(database, settings)
    return (
        Servicer(
            SERVICE,
            servicer,
            grpc_pb.add_ImportsServiceServicer_to_server,
            readings=READINGS,
            admit=Freeze(database, STOPPED, LISTS).admit,
        ),
    )
