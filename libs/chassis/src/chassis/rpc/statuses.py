"""DomainError to gRPC status and back, in one table."""

from __future__ import annotations

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
# All trailers together stay under the 8 KiB that a client takes by default: a status goes as base64 (4/3), its message
# once more, percent-encoded (3 signs a byte outside ASCII).
MAX_STATUS = 4_400  # bytes
MAX_MESSAGE = 450  # bytes
MAX_METADATA = 2_400  # bytes
MAX_DESCRIPTION = 300  # characters
_PACKING = 60  # bytes that the type and the lengths of a packed BadRequest take


def status_of(error: DomainError, service: str) -> status_pb2.Status:
    """The status of an error with ErrorInfo, and BadRequest or RetryInfo where they apply.

    What is too long is cut: the message, descriptions, last the number of violations; metadata is left out whole.
    """
    info = error_details_pb2.ErrorInfo(reason=error.reason, domain=f"{service}.crm", metadata=_short(error.metadata))
    packed = [_pack(info)]
    if error.retry_after_seconds is not None:
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(int(error.retry_after_seconds * 1000))
        packed.append(_pack(error_details_pb2.RetryInfo(retry_delay=delay)))
    made = status_pb2.Status(code=CODES[error.kind], message=_cut(error.message, MAX_MESSAGE), details=packed)
    if error.violations:
        made.details.append(_pack(_violations_that_fit(error.violations, MAX_STATUS - made.ByteSize())))
    return made


def error_of(call: grpc.RpcError, service: str) -> RemoteError:
    """The error another service answered, or the transport's own trouble as UNAVAILABLE or DEADLINE."""
    status = _status_in(call)
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


def _status_in(call: grpc.RpcError) -> status_pb2.Status | None:
    if not isinstance(call, grpc.Call):
        return None
    try:
        return rpc_status.from_call(call)
    except ValueError:  # its details contradict its code: not one of our servers
        return None


def _violations_that_fit(violations: tuple[FieldViolation, ...], room: int) -> error_details_pb2.BadRequest:
    found = error_details_pb2.BadRequest()
    for one in violations:
        found.field_violations.add(
            field=one.field[:MAX_DESCRIPTION], description=one.description[:MAX_DESCRIPTION], reason=one.reason
        )
        if found.ByteSize() + _PACKING > room and len(found.field_violations) > 1:
            del found.field_violations[-1]
            break
    return found


def _cut(text: str, most: int) -> str:
    return text.encode()[:most].decode(errors="ignore")


def _short(metadata: dict[str, str]) -> dict[str, str]:
    size = sum(len(key.encode()) + len(value.encode()) + 6 for key, value in metadata.items())
    return metadata if size <= MAX_METADATA else {"truncated": "true"}
