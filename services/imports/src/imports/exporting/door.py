"""The part of imports' first door that is about exports. Translates, calls, translates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import sqlalchemy as sa

from chassis.access import EXPORT
from chassis.database import Database
from chassis.dates import to_time
from chassis.once import answer_once
from chassis.rpc.server import current_access
from crm.imports.v1 import imports_pb2 as pb
from imports.errors import ExportNotReady
from imports.exporting import requests
from imports.exporting.budget import rows_used
from imports.exporting.lists import LISTS
from imports.exporting.storing import ASKED, READY
from imports.settings import Settings
from imports.tables import export_piece

Context = grpc.ServicerContext


class ExportCalls:
    """The calls of crm.imports.v1.ImportsService that are about exports."""

    database: Database
    settings: Settings

    def CreateExport(self, request: pb.CreateExportRequest, context: Context) -> pb.CreateExportResponse:
        """Ask for an export."""
        with self.database.transaction(current_access()) as work:

            def act() -> pb.CreateExportResponse:
                row = requests.create_export(
                    work,
                    list_name=request.list,
                    format_=request.format,
                    columns=request.columns,
                    filters=request.filters,
                    reason=request.reason,
                    budget=self.settings.export_rows_a_day,
                )
                return pb.CreateExportResponse(export=_message(row))

            return answer_once(work, request, pb.CreateExportResponse, act)

    def GetExport(self, request: pb.GetExportRequest, context: Context) -> pb.GetExportResponse:
        """Read an export."""
        with self.database.transaction(current_access()) as work:
            return pb.GetExportResponse(export=_message(requests.get_export(work, request.export_id)))

    def ListExports(self, request: pb.ListExportsRequest, context: Context) -> pb.ListExportsResponse:
        """List exports."""
        with self.database.transaction(current_access()) as work:
            rows, token = requests.list_exports(work, request.page_size, request.page_token, request.to_decide)
            return pb.ListExportsResponse(exports=map(_message, rows), next_page_token=token)

    def DecideExport(self, request: pb.DecideExportRequest, context: Context) -> pb.DecideExportResponse:
        """Agree to a large export, or not."""
        with self.database.transaction(current_access()) as work:

            def act() -> pb.DecideExportResponse:
                row = requests.decide_export(work, request.export_id, request.approve, request.answer)
                return pb.DecideExportResponse(export=_message(row))

            return answer_once(work, request, pb.DecideExportResponse, act)

    def CancelExport(self, request: pb.CancelExportRequest, context: Context) -> pb.CancelExportResponse:
        """End an export."""
        with self.database.transaction(current_access()) as work:
            return pb.CancelExportResponse(export=_message(requests.cancel_export(work, request.export_id)))

    def DownloadExport(
        self, request: pb.DownloadExportRequest, context: Context
    ) -> Iterator[pb.DownloadExportResponse]:
        """Stream the file, a piece in memory."""
        with self.database.transaction(current_access()) as work:
            found = requests.get_own(work, request.export_id)
            work.access.require_somewhere(EXPORT)
        if found.state != READY:
            raise ExportNotReady(f"the export is {found.state}: {found.message}", metadata={"state": found.state})
        position = 0
        while position < found.size_bytes:
            piece = self._piece(found.id, position)
            yield pb.DownloadExportResponse(data=piece)
            position += len(piece)

    def _piece(self, export_id: str, position: int) -> bytes:
        """The bytes from a position on. Errors: ExportNotReady when they are deleted meanwhile."""
        c = export_piece.c
        with self.database.transaction(current_access()) as work:
            asked = sa.select(c.data).where(c.export_id == export_id, c.position == position)
            piece = work.execute(asked).scalar()
        if not piece:
            raise ExportNotReady("the file was deleted")
        return bytes(piece)

    def ListExportLists(self, request: pb.ListExportListsRequest, context: Context) -> pb.ListExportListsResponse:
        """Say what the caller may export."""
        access = current_access()
        with self.database.transaction(access) as work:
            used = rows_used(work, access.user_id)
        lists = [
            pb.ExportList(
                name=one.name,
                filters=one.filters,
                columns=[
                    pb.ExportColumn(name=each.name, type=each.type, import_field=each.import_field)
                    for each in one.columns
                ],
            )
            for one in LISTS.values()
            if access.grants_for(EXPORT, one.records)
        ]
        return pb.ListExportListsResponse(lists=lists, budget_rows=self.settings.export_rows_a_day, used_rows=used)


def _message(row: Any) -> pb.Export:
    """An export as the present caller sees it."""
    own = row.user_id == current_access().user_id
    values: dict[str, Any] = {name: getattr(row, name) for name in _SAME}
    return pb.Export(
        **values | {name: to_time(getattr(row, name)) for name in _TIMES},
        etag=str(row.version),
        columns=row.columns,
        filters=row.filters,
        unit_id=row.unit_id or "",
        state=pb.ExportState.Value("EXPORT_STATE_" + row.state.upper()),
        own=own,
        can_decide=row.state == ASKED and not own,
    )


_SAME = (
    "id", "list", "format", "row_count", "message", "reason", "user_id", "user_name", "decider_id", "decider_name",
    "answer", "size_bytes",
)  # fmt: skip
_TIMES = ("decide_time", "create_time", "end_time", "expire_time")
