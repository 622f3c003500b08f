"""A client repeats what may be repeated, keeps to its deadline, and passes on who asks and the trace."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry import trace

from chassis import telemetry
from chassis.errors import Kind, NotSignedIn, RemoteError
from chassis.rpc.client import Client, calling_as, current_token
from chassis.rpc.refusals import NotAvailable
from crm.directory.v1 import directory_pb2 as pb
from crm.directory.v1 import directory_pb2_grpc as pb_grpc

from .conftest import Probe

Serve = Callable[..., Probe]
STORM = 300  # calls of a service that is away


def failing(times: int, calls: list[Any]) -> Callable[[Any], Any]:
    """An act that is not available for the first `times` calls."""

    def act(request: Any) -> Any:
        calls.append(request)
        if len(calls) <= times:
            raise NotAvailable("away")
        is_read = isinstance(request, pb.GetUnitRequest)
        return pb.GetUnitResponse() if is_read else pb.CreateUnitResponse()

    return act


@pytest.mark.parametrize(
    ("method", "request_message", "attempts"),
    [
        ("GetUnit", pb.GetUnitRequest(), 3),
        ("CreateUnit", pb.CreateUnitRequest(request_id="once"), 3),
        ("CreateUnit", pb.CreateUnitRequest(), 1),
    ],
)
def test_only_reads_and_calls_with_a_request_id_are_repeated(
    serve: Serve, method: str, request_message: Any, attempts: int
) -> None:
    calls: list[Any] = []
    probe = serve(failing(2, calls))
    with calling_as(probe.token):
        if attempts == 1:
            with pytest.raises(RemoteError):
                probe.client.call(method, request_message)
        else:
            probe.client.call(method, request_message)
    assert len(calls) == attempts


def test_a_refusal_is_not_repeated(serve: Serve) -> None:
    calls: list[Any] = []

    def refuse(request: Any) -> None:
        calls.append(request)
        raise RemoteError(Kind.CONFLICT, "STALE_ETAG", "stale")

    probe = serve(refuse)
    with calling_as(probe.token), pytest.raises(RemoteError, match="stale"):
        probe.client.call("GetUnit", pb.GetUnitRequest())
    assert len(calls) == 1


def test_the_deadline_covers_all_attempts(serve: Serve) -> None:
    calls: list[Any] = []
    probe = serve(failing(100, calls))
    start = time.monotonic()
    with calling_as(probe.token), pytest.raises(RemoteError) as refused:
        probe.client.call("GetUnit", pb.GetUnitRequest(), timeout=0.5)
    assert time.monotonic() - start < 2
    assert refused.value.kind in (Kind.UNAVAILABLE, Kind.DEADLINE)
    assert 2 <= len(calls) <= 3


def test_a_callee_that_hangs_costs_no_more_than_the_deadline(serve: Serve) -> None:
    go = threading.Event()
    probe = serve(lambda _: go.wait(10) and pb.GetUnitResponse())
    start = time.monotonic()
    with calling_as(probe.token), pytest.raises(RemoteError) as refused:
        probe.client.call("GetUnit", pb.GetUnitRequest(), timeout=0.3)
    assert time.monotonic() - start < 2
    assert refused.value.kind is Kind.DEADLINE
    go.set()


def test_a_service_that_comes_back_soon_was_not_away(serve: Serve) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    client = Client("directory", f"127.0.0.1:{port}", pb_grpc.DirectoryServiceStub)
    started: list[Probe] = []
    answer = pb.SignInResponse(access_token="t")
    later = threading.Timer(0.3, lambda: started.append(serve(lambda _: answer, None, port)))
    later.start()
    try:
        assert client.call("SignIn", pb.SignInRequest(), retry=True).access_token == "t"
    finally:
        later.join()
        client.close()


def test_an_absent_service_is_unavailable_by_its_name() -> None:
    client = Client("deals", "127.0.0.1:1", pb_grpc.DirectoryServiceStub)
    with pytest.raises(RemoteError) as refused:
        client.call("SignIn", pb.SignInRequest(), retry=False)
    assert (refused.value.kind, refused.value.service) == (Kind.UNAVAILABLE, "deals")
    client.close()


def test_the_trace_goes_on_in_the_callee(serve: Serve) -> None:
    seen: list[int] = []

    def note(_: Any) -> Any:
        seen.append(trace.get_current_span().get_span_context().trace_id)
        return pb.GetUnitResponse()

    probe = serve(note)
    carrier = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    with calling_as(probe.token), telemetry.span("click", carrier):
        probe.client.call("GetUnit", pb.GetUnitRequest())
    assert seen == [0x0AF7651916CD43DD8448EB211C80319C]


def test_calls_are_made_as_the_user_of_the_innermost_token() -> None:
    with pytest.raises(NotSignedIn):
        current_token()
    with calling_as("outer"):
        with calling_as("inner"):
            assert current_token() == "inner"
        assert current_token() == "outer"


def test_an_answer_that_is_too_large_is_an_error_and_not_a_crash(serve: Serve) -> None:
    probe = serve(lambda _: pb.GetUnitResponse(unit=pb.Unit(name="x" * 9_000_000)))
    with calling_as(probe.token), pytest.raises(RemoteError) as refused:
        probe.client.call("GetUnit", pb.GetUnitRequest())
    assert refused.value.kind is Kind.EXHAUSTED


def test_a_service_that_stays_away_gets_no_storm_of_repeated_calls(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.rpc.client.MOST_REPETITIONS", 20.0)
    monkeypatch.setattr("chassis.rpc.client.RETRY_PAUSES", (0.0, 0.0, 0.0))
    calls: list[Any] = []
    away = 1_000_000
    probe = serve(lambda request: failing(away, calls)(request))
    with calling_as(probe.token):
        for _ in range(STORM):
            with pytest.raises(RemoteError):
                probe.client.call("GetUnit", pb.GetUnitRequest())
        assert STORM < len(calls) <= 1.2 * STORM

        away = 0
        for _ in range(10):
            probe.client.call("GetUnit", pb.GetUnitRequest())
        away = len(calls) + 1
        probe.client.call("GetUnit", pb.GetUnitRequest())  # repeated again, and answered
