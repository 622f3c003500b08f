"""DomainError to gRPC status and back, in one table."""

from __future__ import annotations

import json

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from chassis.errors import DomainError, FieldViolation, Kind, RemoteError

CODES = {
    Kind.INVALID: code_pb2.INVALID_ARGUMENT,
    Kind.NOT_FOUND: code_pb2.NOT_FOUND,
    Kind.ALREADY_EXISTS: code_pb2.ALREADY_EXISTS,
    Kind.PRECONDITION: code_pb2.FAILED_PRECONDITION,
    Kind.CONFLICT: code_pb2.ABORTED,
    Kind.FORBIDDEN: code_pb2.PERMISSION_DENIED,
    Kind.UNAUTHENTICATED: code_pb2.UNAUTHENTICATED,
    Kind.EXHAUSTED: code_pb2.RESOURCE_EXHAUSTED,
    Kind.UNAVAILABLE: code_pb2.UNAVAILABLE,
    Kind.DEADLINE: code_pb2.DEADLINE_EXCEEDED,
    Kind.INTERNAL: code_pb2.INTERNAL,
}
_KINDS = {code: kind for kind, code in CODES.items()} | {
    code_pb2.CANCELLED: Kind.UNAVAILABLE,
    code_pb2.OUT_OF_RANGE: Kind.INVALID,
    code_pb2.UNIMPLEMENTED: Kind.UNAVAILABLE,
}
MAX_METADATA = 4_000  # headers stay under grpc's default limit of 8 KiB


def status_of(error: DomainError, service: str) -> status_pb2.Status:
    """The status of an error with ErrorInfo, and BadRequest or RetryInfo where they apply."""
    details = [
        error_details_pb2.ErrorInfo(reason=error.reason, domain=f"{service}.crm", metadata=_short(error.metadata))
    ]
    packed = [_pack(details[0])]
    if error.violations:
        packed.append(
            _pack(
                error_details_pb2.BadRequest(
                    field_violations=[
                        error_details_pb2.BadRequest.FieldViolation(
                            field=one.field, description=one.description[:500], reason=one.reason
                        )
                        for one in error.violations[:20]
                    ]
                )
            )
        )
    if error.retry_after_seconds is not None:
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(int(error.retry_after_seconds * 1000))
        packed.append(_pack(error_details_pb2.RetryInfo(retry_delay=delay)))
    return status_pb2.Status(code=CODES[error.kind], message=error.message[:1000], details=packed)


def error_of(call: grpc.RpcError, service: str) -> RemoteError:
    """The error another service answered, or the transport's own trouble as UNAVAILABLE or DEADLINE."""
    status = rpc_status.from_call(call) if isinstance(call, grpc.Call) else None
    if status is None:
        kind = _KINDS.get(call.code().value[0], Kind.INTERNAL) if isinstance(call, grpc.Call) else Kind.UNAVAILABLE
        reason = "DEADLINE_EXCEEDED" if kind is Kind.DEADLINE else "SERVICE_NOT_AVAILABLE"
        return RemoteError(kind, reason, f"{service} did not answer", service=service)
    info, violations, retry = (
        error_details_pb2.ErrorInfo(),
        error_details_pb2.BadRequest(),
        error_details_pb2.RetryInfo(),
    )
    for detail in status.details:
        for known in (info, violations, retry):
            if detail.Is(known.DESCRIPTOR):
                detail.Unpack(known)
    return RemoteError(
        _KINDS.get(status.code, Kind.INTERNAL),
        info.reason or "SERVICE_NOT_AVAILABLE",
        status.message,
        service=service,
        metadata=dict(info.metadata),
        violations=tuple(FieldViolation(one.field, one.description, one.reason) for one in violations.field_violations),
        retry_after_seconds=retry.retry_delay.ToMilliseconds() / 1000 if retry.HasField("retry_delay") else None,
    )


def _pack(message: object) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)  # type: ignore[arg-type]
    return packed


def _short(metadata: dict[str, str]) -> dict[str, str]:
    return metadata if len(json.dumps(metadata)) <= MAX_METADATA else {"truncated": "true"}
