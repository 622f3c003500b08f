"""Files, runs with their findings, rows and results, templates and kinds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool

from chassis.errors import FieldInvalid, FieldViolation
from chassis.rpc.client import calling_as
from crm.imports.v1 import imports_pb2 as pb
from gateway.calls import PAGE, Call, bearer, refuse_unknown_parameters
from gateway.json_values import to_json
from gateway.schemas import answer_model
from gateway.services import Services
from gateway.signed_in import SignedIn

RUN_TIME = 20.0  # seconds: creating a run looks at the file
FILES = (
    Call("POST", "/files", "imports", "CreateFile", "Begin the upload of a file", body="*", status=201),
    Call(
        "POST",
        "/files/{file_id}/complete",
        "imports",
        "CompleteFile",
        "End an upload; size and checksum must agree",
        body="*",
        answer="file",
        timeout=RUN_TIME,
    ),
)
RUNS = (
    Call(
        "POST",
        "/runs",
        "imports",
        "CreateRun",
        "Start a run over a file; it is checked whole and waits",
        body="*",
        answer="run",
        status=201,
        timeout=RUN_TIME,
    ),
    Call("GET", "/runs", "imports", "ListRuns", "List runs, youngest first", query=(*PAGE, "unit=unit_id")),
    Call("GET", "/runs/{run_id}", "imports", "GetRun", "Read a run", answer="run"),
    Call(
        "PATCH",
        "/runs/{run_id}",
        "imports",
        "UpdateRun",
        "Change reading options, mapping or choices and check again",
        body="*",
        answer="run",
    ),
    Call("POST", "/runs/{run_id}/confirm", "imports", "ConfirmRun", "Load a checked run", answer="run"),
    Call("POST", "/runs/{run_id}/cancel", "imports", "CancelRun", "End a run; what is loaded stays", answer="run"),
    Call(
        "POST",
        "/runs/{run_id}/undo",
        "imports",
        "UndoRun",
        "Take back what a finished run did, or count what that would do",
        body="*",
        answer="run",
    ),
    Call("GET", "/runs/{run_id}/kept", "imports", "ListRunKept", "List what stays of an undone run", query=PAGE),
    Call(
        "GET",
        "/runs/{run_id}/findings",
        "imports",
        "ListFindings",
        "List findings, worst first",
        query=(*PAGE, "severity"),
    ),
    Call("GET", "/runs/{run_id}/rows", "imports", "ListRows", "List rows with their fates", query=(*PAGE, "fate")),
    Call(
        "POST",
        "/runs/{run_id}/template",
        "imports",
        "SaveTemplate",
        "Save the mapping of a run as the next version of a template",
        body="*",
        answer="template",
        status=201,
    ),
)
TEMPLATES = (
    Call("GET", "/templates", "imports", "ListTemplates", "List templates", query=(*PAGE, "kind", "name")),
    Call("GET", "/kinds", "imports", "ListKinds", "List the kinds of data that can be imported"),
)
MEDIA_TYPES = {"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "csv": "text/csv"}
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
_OCTETS = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


def add_file_routes(router: APIRouter, services: Services, signed_in: SignedIn) -> None:
    """Add the two routes that carry bytes: a chunk in, a result out."""

    @router.put(
        "/files/{file_id}/chunks",
        operation_id="uploadChunk",
        summary="Store a chunk; the same chunk may be sent again",
        response_model=answer_model(pb.File.DESCRIPTOR),
        dependencies=[Depends(bearer)],
        openapi_extra={"requestBody": {"required": True, "content": _OCTETS}},
    )
    async def upload_chunk(
        file_id: str,
        request: Request,
        offset: Annotated[int | None, Query(ge=0, le=2**62)] = None,
        content_range: Annotated[str | None, Header(max_length=100)] = None,
    ) -> Any:
        refuse_unknown_parameters(request, {"offset"})
        data = await request.body()
        begin = _begin_of(offset, content_range, len(data))
        chunk = pb.UploadChunkRequest(file_id=file_id, offset=begin, data=data)
        return await run_in_threadpool(_store, services, signed_in, request, chunk)

    @router.get(
        "/runs/{run_id}/result",
        operation_id="downloadResult",
        summary="Download every original row with its fate and reason",
        response_class=StreamingResponse,
        responses={200: {"content": dict.fromkeys(MEDIA_TYPES.values(), {"schema": {"type": "string"}})}},
        dependencies=[Depends(bearer)],
    )
    def download_result(
        run_id: str, request: Request, format: Annotated[Literal["xlsx", "csv"], Query()] = "xlsx"
    ) -> StreamingResponse:
        refuse_unknown_parameters(request, {"format"})
        asked = pb.DownloadResultRequest(run_id=run_id, format=format)
        with calling_as(signed_in.token_of(request)):
            pieces = services.clients["imports"].stream("DownloadResult", asked)
            first = next(pieces, None)  # a refusal comes before the first piece, while the answer is still open
        name = f"result-{re.sub('[^0-9a-f-]', '', run_id)}.{format}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(bytes_of(first, pieces), media_type=MEDIA_TYPES[format], headers=headers)


def _store(services: Services, signed_in: SignedIn, request: Request, chunk: pb.UploadChunkRequest) -> JSONResponse:
    with calling_as(signed_in.token_of(request)):
        answer = services.clients["imports"].call("UploadChunk", chunk, timeout=RUN_TIME, retry=True)
    return JSONResponse(to_json(answer.file))


def bytes_of(first: Any, rest: Iterator[Any]) -> Iterator[bytes]:
    """The bytes of a stream of pieces whose first one is here already."""
    if first is not None:
        yield first.data
    for piece in rest:
        yield piece.data


def _begin_of(offset: int | None, content_range: str | None, length: int) -> int:
    """Where a chunk begins, by `?offset=` or by Content-Range (RFC 9110 section 14.4). Errors: FieldInvalid."""
    if content_range is None:
        if offset is None:
            raise _invalid("offset", "is missing; say where the chunk begins by ?offset= or Content-Range")
        return offset
    found = _RANGE.fullmatch(content_range)
    if not found or int(found[2]) - int(found[1]) + 1 != length:
        raise _invalid("Content-Range", f"does not fit the {length} bytes sent; use bytes FIRST-LAST/SIZE")
    if offset not in (None, int(found[1])):
        raise _invalid("offset", "says another place than Content-Range")
    return int(found[1])


def _invalid(field: str, description: str) -> FieldInvalid:
    return FieldInvalid(FieldViolation(field, description))
