"""The gRPC server every service's api process runs: deadline, token, errors and trace around each call."""

from __future__ import annotations

import contextvars
import logging
from collections.abc import Callable, Iterator
from concurrent import futures
from dataclasses import dataclass
from typing import Any

import grpc
import sqlalchemy as sa
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_status import rpc_status
from opentelemetry.trace import SpanKind, Status, StatusCode

from chassis import telemetry
from chassis.access import Access
from chassis.database import RETRYABLE, sqlstate_of
from chassis.errors import DomainError, Kind, NotSignedIn
from chassis.rpc.statuses import status_of
from chassis.tokens import TokenVerifier

log = logging.getLogger(__name__)
_access: contextvars.ContextVar[Access] = contextvars.ContextVar("access")
MAX_MESSAGE = 8 * 1024 * 1024
LEAST_TIME_LEFT = 0.02  # seconds: a call with less left would be answered too late


class DeadlineMissing(DomainError):
    """The caller set no deadline, or hardly any time is left."""

    kind = Kind.DEADLINE
    reason = "DEADLINE_EXCEEDED"


class NotAvailable(DomainError):
    """The service's database cannot be reached, or asks to try again."""

    kind = Kind.UNAVAILABLE
    reason = "SERVICE_NOT_AVAILABLE"


class Unexpected(DomainError):
    """A fault of ours; the trace id leads to the log."""

    reason = "INTERNAL"


def current_access() -> Access:
    """Who the present call is made for. Errors: NotSignedIn outside a call with a token."""
    found = _access.get(None)
    if found is None:
        raise NotSignedIn("sign in first")
    return found


@dataclass(frozen=True)
class Servicer:
    """One servicer of a service: `add` registers it (generated `add_…_to_server`), `public` are methods without a token."""

    service: str
    implementation: Any
    add: Callable[[Any, grpc.Server], None]
    public: frozenset[str] = frozenset()


class _Doors(grpc.ServerInterceptor):  # type: ignore[misc]
    def __init__(self, verifier: TokenVerifier, servicers: tuple[Servicer, ...], names: dict[str, Servicer]) -> None:
        self.verifier, self.names = verifier, names

    def intercept_service(
        self, continuation: Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler], details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler:
        handler = continuation(details)
        _, service_name, method = details.method.split("/")
        servicer = self.names.get(service_name)
        if handler is None or servicer is None:
            return handler
        carrier = {key: value for key, value in details.invocation_metadata or () if isinstance(value, str)}
        guard = _Guard(self.verifier, servicer, method, carrier)
        if handler.unary_unary:
            return grpc.unary_unary_rpc_method_handler(
                guard.around(handler.unary_unary), handler.request_deserializer, handler.response_serializer
            )
        return grpc.unary_stream_rpc_method_handler(
            guard.around_stream(handler.unary_stream), handler.request_deserializer, handler.response_serializer
        )


class _Guard:
    def __init__(self, verifier: TokenVerifier, servicer: Servicer, method: str, carrier: dict[str, str]) -> None:
        self.verifier, self.servicer, self.method, self.carrier = verifier, servicer, method, carrier

    def around(self, act: Callable[[Any, grpc.ServicerContext], Any]) -> Callable[[Any, grpc.ServicerContext], Any]:
        def call(request: Any, context: grpc.ServicerContext) -> Any:
            return next(self._run(lambda: iter((act(request, context),)), context))

        return call

    def around_stream(self, act: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        def call(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            yield from self._run(lambda: act(request, context), context)

        return call

    def _run(self, act: Callable[[], Iterator[Any]], context: grpc.ServicerContext) -> Iterator[Any]:
        name = f"{self.servicer.service}/{self.method}"
        with telemetry.span(
            name, self.carrier, SpanKind.SERVER, **{"rpc.system": "grpc", "rpc.method": self.method}
        ) as span:
            failed: DomainError
            try:
                self._admit(context)
                yield from act()
                return
            except DomainError as trouble:
                failed = trouble
            except sa.exc.DBAPIError as trouble:
                failed = self._of_database(trouble)
            except Exception:  # one of the three places: nothing unforeseen leaves a server bare
                log.exception("call failed", extra={"method": name})
                failed = Unexpected("something went wrong on our side; it has been recorded")
            span.set_status(Status(StatusCode.ERROR, failed.reason))
        log.info("call refused", extra={"method": name, "reason": failed.reason})
        context.abort_with_status(rpc_status.to_status(status_of(failed, self.servicer.service)))

    def _admit(self, context: grpc.ServicerContext) -> None:
        left = context.time_remaining()
        if left is None or left < LEAST_TIME_LEFT:
            raise DeadlineMissing("every call needs a deadline with time left")
        if self.method in self.servicer.public:
            _access.set(Access(user_id=""))
            return
        scheme, _, token = self.carrier.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise NotSignedIn("sign in first: the call carries no token")
        _access.set(self.verifier.verify(token))

    def _of_database(self, trouble: sa.exc.DBAPIError) -> DomainError:
        state = sqlstate_of(trouble)
        if trouble.connection_invalidated or state in RETRYABLE or state[:2] in ("", "08", "53", "57"):
            log.warning("database not available", extra={"sqlstate": state})
            return NotAvailable("the service cannot reach its database now; try again", retry_after_seconds=1)
        log.exception("statement failed", extra={"sqlstate": state}, exc_info=trouble)
        return Unexpected("something went wrong on our side; it has been recorded")


def start_server(
    address: str, servicers: tuple[Servicer, ...], verifier: TokenVerifier, threads: int = 12
) -> tuple[grpc.Server, int]:
    """Start a server on `host:port` (port 0 chooses) and answer it with its port.

    Calls beyond twice the threads are refused at once (RESOURCE_EXHAUSTED) instead of queueing without end.
    """
    names = {name: one for one in servicers for name in _names_of(one)}
    server = grpc.server(
        futures.ThreadPoolExecutor(threads, thread_name_prefix="rpc"),
        interceptors=(_Doors(verifier, servicers, names),),
        maximum_concurrent_rpcs=threads * 4,
        options=(
            ("grpc.max_receive_message_length", MAX_MESSAGE),
            ("grpc.max_send_message_length", MAX_MESSAGE),
            ("grpc.http2.min_ping_interval_without_data_ms", 30_000),
            ("grpc.so_reuseport", 0),
        ),
    )
    for one in servicers:
        one.add(one.implementation, server)
    state = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(state, server)
    for name in ("", *names):
        state.set(name, health_pb2.HealthCheckResponse.SERVING)
    port = server.add_insecure_port(address)
    server.start()
    return server, port


def _names_of(servicer: Servicer) -> list[str]:
    names: list[str] = []

    class Recorder:
        def add_generic_rpc_handlers(self, handlers: tuple[Any, ...]) -> None:
            names.extend(handler.service_name() for handler in handlers)

        def add_registered_method_handlers(self, name: str, handlers: dict[str, Any]) -> None:
            if name not in names:
                names.append(name)

    servicer.add(servicer.implementation, Recorder())  # type: ignore[arg-type]
    return names
