"""Calls to other services: a deadline on each, the caller's token and trace passed on, errors as facts again."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from opentelemetry.trace import SpanKind

from chassis import telemetry
from chassis.errors import Kind, NotSignedIn
from chassis.rpc.certificates import open_channel
from chassis.rpc.limits import MAX_MESSAGE
from chassis.rpc.statuses import error_of

_token: contextvars.ContextVar[str] = contextvars.ContextVar("token", default="")
DEFAULT_TIMEOUT = 10.0  # seconds
RETRY_PAUSES = (0.05, 0.2, 0.8)  # seconds between attempts when a service is away
# A service that is replaced under load is away for a second: 200 repetitions bear that. One that stays away would get
# every call four times; beyond them it gets a tenth more calls than were made.
MOST_REPETITIONS, REPETITIONS_A_CALL = 200.0, 0.1


@contextmanager
def calling_as(token: str) -> Iterator[None]:
    """Make the calls inside for the user of this token."""
    mark = _token.set(token)
    try:
        yield
    finally:
        _token.reset(mark)


class RepetitionBudget:
    """How many calls may still be repeated: each call earns a part of one, so an outage is not answered by a storm.

    Thread-safe. Source: the throttling of retries in gRPC's proposal A6, with a bucket that calls fill.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left = MOST_REPETITIONS

    def earn(self) -> None:
        """Count a call."""
        with self._lock:
            self._left = min(self._left + REPETITIONS_A_CALL, MOST_REPETITIONS)

    def spend(self) -> bool:
        """Take a repetition; False when there is none left."""
        with self._lock:
            if self._left < 1:
                return False
            self._left -= 1
            return True


class Client:
    """Calls one service: `Client("contacts", address, ContactsServiceStub).call("GetPerson", request)`.

    Thread-safe; the channel connects when first used and again after a loss.
    """

    def __init__(self, service: str, address: str, stub: Callable[[grpc.Channel], Any]) -> None:
        self.service = service
        self.channel = open_channel(
            address,
            options=(
                ("grpc.max_receive_message_length", MAX_MESSAGE),
                ("grpc.max_send_message_length", MAX_MESSAGE),
                ("grpc.keepalive_time_ms", 60_000),
                ("grpc.initial_reconnect_backoff_ms", 100),
                ("grpc.max_reconnect_backoff_ms", 2_000),
                # A container that is replaced has another address under its name: asked for again at once, not after
                # half a minute, and the old one is not waited for longer than a call may take.
                ("grpc.dns_min_time_between_resolutions_ms", 500),
                ("grpc.min_reconnect_backoff_ms", 2_000),
                ("grpc.enable_retries", 0),
            ),
        )
        self.stub = stub(self.channel)
        self._budget = RepetitionBudget()

    def call(self, method: str, request: Any, *, timeout: float = DEFAULT_TIMEOUT, retry: bool | None = None) -> Any:
        """Call a method; `timeout` in seconds covers all attempts.

        A call is repeated while the service is away if it only reads or carries a request id (`retry` says otherwise).
        Errors: RemoteError with the kind and reason the service answered, or UNAVAILABLE, DEADLINE.
        """
        again = _may_repeat(method, request) if retry is None else retry
        end = time.monotonic() + timeout
        self._budget.earn()
        with telemetry.span(f"{self.service}/{method}", None, SpanKind.CLIENT, **{"rpc.system": "grpc"}):
            for pause in (*RETRY_PAUSES, None):
                try:
                    left = max(end - time.monotonic(), 0.001)
                    return getattr(self.stub, method)(request, timeout=left, metadata=_metadata())
                except grpc.RpcError as trouble:
                    error = error_of(trouble, self.service)
                    if (
                        not again
                        or error.kind is not Kind.UNAVAILABLE
                        or pause is None
                        or time.monotonic() + pause > end
                        or not self._budget.spend()
                    ):
                        raise error from None
                time.sleep(pause)
        raise AssertionError("unreachable")

    def stream(self, method: str, request: Any, *, timeout: float = 300.0) -> Iterator[Any]:
        """Call a streaming method; yields its messages. Errors: as `call`."""
        try:
            yield from getattr(self.stub, method)(request, timeout=timeout, metadata=_metadata())
        except grpc.RpcError as trouble:
            raise error_of(trouble, self.service) from None

    def close(self) -> None:
        """Close the channel."""
        self.channel.close()


def _may_repeat(method: str, request: Any) -> bool:
    reads = ("Get", "List", "BatchGet", "Match", "Search", "Count", "Run")
    return method.startswith(reads) or bool(getattr(request, "request_id", ""))


def _metadata() -> list[tuple[str, str]]:
    token = _token.get()
    pairs = [("authorization", f"Bearer {token}")] if token else []
    return pairs + list(telemetry.current_trace().items())


def current_token() -> str:
    """The token calls are made with now. Errors: NotSignedIn when there is none."""
    token = _token.get()
    if not token:
        raise NotSignedIn("sign in first")
    return token
