"""Exports: asked for, decided by a second person, ended, and their files."""

from __future__ import annotations

import re

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse

from chassis.rpc.client import calling_as
from crm.imports.v1 import imports_pb2 as pb
from gateway.calls import PAGE, Call, bearer, refuse_unknown_parameters
from gateway.routes.imports import MEDIA_TYPES, bytes_of
from gateway.services import Services
from gateway.signed_in import SignedIn

FILE_TYPES = {**MEDIA_TYPES, "json": "application/json", "vcf": "text/vcard"}
EXPORTS = (
    Call(
        "POST",
        "/exports",
        "imports",
        "CreateExport",
        "Ask for a list or a report as a file, which a job writes",
        body="*",
        answer="export",
        status=201,
    ),
    Call("GET", "/exports", "imports", "ListExports", "List exports, youngest first", query=(*PAGE, "to_decide")),
    Call("GET", "/exports/{export_id}", "imports", "GetExport", "Read an export", answer="export"),
    Call(
        "POST",
        "/exports/{export_id}/decide",
        "imports",
        "DecideExport",
        "Let somebody's export of more rows than their budget go on, or not",
        body="*",
        answer="export",
    ),
    Call("POST", "/exports/{export_id}/cancel", "imports", "CancelExport", "End one's own export", answer="export"),
    Call("GET", "/export_lists", "imports", "ListExportLists", "List what can be exported, and the own budget"),
)


def add_export_file_route(router: APIRouter, services: Services, signed_in: SignedIn) -> None:
    """Add the route that gives the file to its owner."""

    @router.get(
        "/exports/{export_id}/file",
        operation_id="downloadExport",
        summary="Download the file of one's own export",
        response_class=StreamingResponse,
        responses={200: {"content": dict.fromkeys(FILE_TYPES.values(), {"schema": {"type": "string"}})}},
        dependencies=[Depends(bearer)],
    )
    def download_export(export_id: str, request: Request) -> StreamingResponse:
        refuse_unknown_parameters(request, set())
        with calling_as(signed_in.token_of(request)):
            return stream_export(services, export_id)


def stream_export(services: Services, export_id: str) -> StreamingResponse:
    """The file of an export for the present caller. Errors: RemoteError."""
    found = services.call("imports", "GetExport", pb.GetExportRequest(export_id=export_id)).export
    pieces = services.clients["imports"].stream("DownloadExport", pb.DownloadExportRequest(export_id=export_id))
    first = next(pieces, None)  # a refusal comes before the first piece, while the answer is still open
    name = f"{re.sub('[^a-z-]', '-', found.list)}-{found.create_time.ToDatetime():%Y-%m-%d}.{found.format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(bytes_of(first, pieces), media_type=FILE_TYPES[found.format], headers=headers)
