"""The gRPC server every service's api process runs: deadline, token, errors and trace around each call."""

from __future__ import annotations

import contextvars
import logging
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import sqlalchemy as sa
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2_grpc
from grpc_status import rpc_status
from opentelemetry.trace import SpanKind, Status, StatusCode

from chassis import measuring, telemetry
from chassis.access import Access
from chassis.audit.reading_log import Reading, ReadingLog
from chassis.database import Database
from chassis.errors import DomainError, Kind, NotSignedIn, ServiceNotHere, Unexpected
from chassis.hiding import refuse_hidden, without_hidden
from chassis.process import take_short_turns
from chassis.rpc.certificates import add_port
from chassis.rpc.limits import MAX_MESSAGE
from chassis.rpc.readiness import Readiness
from chassis.rpc.refusals import DeadlineMissing, refusal_of
from chassis.rpc.statuses import status_of
from chassis.tokens import TokenVerifier

log = logging.getLogger(__name__)
_access: contextvars.ContextVar[Access] = contextvars.ContextVar("access")
LEAST_TIME_LEFT = 0.02  # seconds: a call with less left would be answered too late
MOST_TIME_LEFT = 86_400.0  # seconds: grpc gives a call without a deadline 9e18 seconds, some clients some years
CALLS_A_THREAD = 4  # running and waiting together

Handler = Any  # grpc.RpcMethodHandler[…, …] of whatever messages a method has


def current_access() -> Access:
    """Who the present call is made for. Errors: NotSignedIn outside a call with a token."""
    found = _access.get(None)
    if found is None:
        raise NotSignedIn("sign in first")
    return found


@dataclass(frozen=True)
class Servicer:
    """One servicer of a service.

    `add` registers it (generated `add_…_to_server`), `public` are methods without a token. An implementation with a
    `database` makes its service ready only while that answers; there what callers see through the methods in `readings`
    is noted, and what they are refused. `admit` looks at each call with a token before it is answered.
    """

    service: str
    implementation: Any
    add: Callable[[Any, grpc.Server], None]
    public: frozenset[str] = frozenset()
    readings: Mapping[str, Reading] = field(default_factory=dict)
    admit: Callable[[Access, str, Message], None] | None = None


class _Doors(grpc.ServerInterceptor):
    def __init__(self, verifier: TokenVerifier, names: dict[str, Servicer]) -> None:
        self.verifier, self.names = verifier, names
        self._guarded: dict[str, Handler] = {}  # by path: a handler is wrapped once, not for every call
        self._readers = {name: ReadingLog(found) for name, one in names.items() if (found := _database_of(one))}

    def intercept_service(
        self, continuation: Callable[[grpc.HandlerCallDetails], Handler], handler_call_details: grpc.HandlerCallDetails
    ) -> Handler:
        path = handler_call_details.method
        if path in self._guarded:
            return self._guarded[path]
        handler = continuation(handler_call_details)
        if handler is None:  # no such method, whatever its path looks like
            return None
        _, service_name, method = path.split("/")
        servicer = self.names.get(service_name)
        if servicer is None:
            return handler
        return self._guarded.setdefault(path, self._guard(servicer, service_name, method).around(handler))

    def _guard(self, servicer: Servicer, service_name: str, method: str) -> _Guard:
        return _Guard(self.verifier, servicer, method, self._readers.get(service_name))


class _Guard:
    def __init__(self, verifier: TokenVerifier, servicer: Servicer, method: str, log_of: ReadingLog | None) -> None:
        self.verifier, self.servicer, self.method = verifier, servicer, method
        self.name = f"{servicer.service}/{method}"
        self.reading, self.readers = servicer.readings.get(method), log_of

    def around(self, handler: Handler) -> Handler:
        both = (handler.request_deserializer, handler.response_serializer)
        if handler.unary_unary:
            return grpc.unary_unary_rpc_method_handler(self._around_call(handler.unary_unary), *both)
        if handler.unary_stream:
            return grpc.unary_stream_rpc_method_handler(self._around_stream(handler.unary_stream), *both)
        raise TypeError(f"{self.name}: a stream of requests is not part of our contracts")

    def _around_call(self, act: Callable[..., Any]) -> Callable[..., Any]:
        def call(request: Message, context: grpc.ServicerContext) -> Any:
            with self._guarded(request, context):
                answer = act(request, context)
                self._note(request, answer)
                return without_hidden(answer, current_access().hidden)

        return call

    def _around_stream(self, act: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        def call(request: Message, context: grpc.ServicerContext) -> Iterator[Any]:
            with self._guarded(request, context):
                for answer in act(request, context):
                    yield without_hidden(answer, current_access().hidden)
                self._note(request, None)

        return call

    def _note(self, request: Message, answer: Any) -> None:
        if self.reading and self.readers:
            self.readers.note_read(self.reading, self.name, current_access(), request, answer)

    @contextmanager
    def _guarded(self, request: Message, context: grpc.ServicerContext) -> Iterator[None]:
        """Admit the call, run it in its span, and end it with a status when it fails in whatever way."""
        failed: DomainError
        about = {"rpc.system": "grpc", "rpc.method": self.method}
        carrier = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
        with (
            measuring.timed(measuring.calls, **about, **{"branchline.service": self.servicer.service}) as told,
            telemetry.span(self.name, carrier, SpanKind.SERVER, **about) as span,
        ):
            try:
                self._admit(context, carrier)
                if self.servicer.admit:
                    self.servicer.admit(current_access(), self.method, request)
                refuse_hidden(request, current_access().hidden)
                yield
                return
            except DomainError as trouble:
                failed = _without_values(trouble)
                if trouble.kind is Kind.FORBIDDEN and self.readers and (access := _access.get(None)):
                    self.readers.note_refusal(self.name, access, trouble.reason, trouble.metadata)
            except sa.exc.SQLAlchemyError as trouble:
                failed = refusal_of(trouble, request)
            except Exception:  # one of the three places: nothing unforeseen leaves a server bare
                log.exception("call failed", extra={"method": self.name})
                failed = Unexpected("something went wrong on our side; it has been recorded")
            span.set_status(Status(StatusCode.ERROR, failed.reason))
            told["error.type"] = failed.reason
            log.info("call refused", extra={"method": self.name, "reason": failed.reason})
        context.abort_with_status(rpc_status.to_status(status_of(failed, self.servicer.service)))

    def _admit(self, context: grpc.ServicerContext, carrier: dict[str, str]) -> None:
        left = context.time_remaining()
        if left is None or not LEAST_TIME_LEFT <= left <= MOST_TIME_LEFT:
            raise DeadlineMissing("every call needs a deadline, at most a day, with time left")
        if self.method in self.servicer.public:
            _access.set(Access(user_id=""))
            return
        scheme, _, token = carrier.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise NotSignedIn("sign in first: the call carries no token")
        _access.set(self.verifier.verify(token))


def _without_values(trouble: DomainError) -> DomainError:
    """The refusal without the record's present values, where the caller may not see all of them."""
    access = _access.get(None)
    if access is not None and access.hidden:
        trouble.metadata.pop("current", None)
    return trouble


def start_server(
    address: str, servicers: tuple[Servicer, ...], verifier: TokenVerifier, threads: int = 12
) -> tuple[grpc.Server, int]:
    """Start a server on `host:port` (port 0 chooses) and answer it with its port.

    Calls beyond four times the threads are refused at once (RESOURCE_EXHAUSTED) instead of queueing without end.
    """
    take_short_turns()
    names = {name: one for one in servicers for name in _names_of(one)}
    server = grpc.server(
        futures.ThreadPoolExecutor(threads, thread_name_prefix="rpc"),
        interceptors=[_Doors(verifier, names)],
        maximum_concurrent_rpcs=threads * CALLS_A_THREAD,
        options=(
            ("grpc.max_receive_message_length", MAX_MESSAGE),
            ("grpc.max_send_message_length", MAX_MESSAGE),
            ("grpc.http2.min_ping_interval_without_data_ms", 30_000),
            ("grpc.so_reuseport", 0),
        ),
    )
    for one in servicers:
        one.add(one.implementation, server)
    ready = Readiness({name: _database_of(one) for name, one in names.items()})
    health_pb2_grpc.add_HealthServicer_to_server(ready, server)
    port = add_port(server, address)
    server.start()
    return server, port


def database_named(databases: Mapping[str, Database], service: str) -> Database:
    """The database of a service of this process; the only one where none is named. Errors: ServiceNotHere."""
    name = service or (next(iter(databases)) if len(databases) == 1 else "")
    if name not in databases:
        raise ServiceNotHere(f"service {service!r} is not here; name one of {', '.join(sorted(databases))}")
    return databases[name]


def _database_of(servicer: Servicer) -> Database | None:
    found = getattr(servicer.implementation, "database", None)
    return found if isinstance(found, Database) else None


def _names_of(servicer: Servicer) -> list[str]:
    names: list[str] = []

    class Recorder:
        def add_generic_rpc_handlers(self, handlers: tuple[Any, ...]) -> None:
            names.extend(handler.service_name() for handler in handlers)

        def add_registered_method_handlers(self, name: str, _handlers: dict[str, Any]) -> None:
            if name not in names:
                names.append(name)

    servicer.add(servicer.implementation, Recorder())  # type: ignore[arg-type]
    return names
