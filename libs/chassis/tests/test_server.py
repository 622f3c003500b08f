"""The server asks each call for a deadline and a token, and answers every failure with a status that leaks nothing."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
import sqlalchemy as sa
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.database import Database
from chassis.errors import FieldInvalid, FieldViolation, Kind, NotPermitted, NotSignedIn, RemoteError
from chassis.rpc.client import Client, calling_as
from chassis.rpc.server import Servicer, current_access, start_server
from chassis.testing.eventually import eventually
from chassis.tokens import TokenSigner, TokenVerifier, generate_key, public_key_of
from crm.directory.v1 import directory_pb2 as pb
from crm.directory.v1 import directory_pb2_grpc as pb_grpc
from crm.imports.v1 import imports_pb2, imports_pb2_grpc

from .conftest import USER, Probe

Serve = Callable[..., Probe]
NOWHERE = "postgresql+psycopg://u:p@127.0.0.1:1/none"


def refusal(probe: Probe, request: Any = None, method: str = "GetUnit") -> RemoteError:
    """What the server answers to a call with a good token."""
    with calling_as(probe.token), pytest.raises(RemoteError) as refused:
        probe.client.call(method, request or pb.GetUnitRequest(), retry=False)
    return refused.value


def answer(probe: Probe, request: Any = None, method: str = "GetUnit") -> Any:
    with calling_as(probe.token):
        return probe.client.call(method, request or pb.GetUnitRequest(), retry=False)


def unit_named(name: str) -> pb.GetUnitResponse:
    return pb.GetUnitResponse(unit=pb.Unit(name=name))


def test_a_call_runs_for_the_user_of_its_token(serve: Serve) -> None:
    probe = serve(lambda _: unit_named(current_access().user_name))
    assert answer(probe).unit.name == "Ada"


def test_a_call_without_a_deadline_is_refused(serve: Serve) -> None:
    ran: list[str] = []
    probe = serve(lambda _: ran.append("x"))
    stub = pb_grpc.DirectoryServiceStub(probe.client.channel)
    with pytest.raises(grpc.RpcError) as refused:
        stub.GetUnit(pb.GetUnitRequest(), metadata=(("authorization", f"Bearer {probe.token}"),))
    assert refused.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert ran == []


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer x.y.z", "Basic YTpi", "Bearer a b"])
def test_a_call_without_a_valid_token_is_refused(serve: Serve, header: str | None) -> None:
    ran: list[str] = []
    probe = serve(lambda _: ran.append("x"))
    stub = pb_grpc.DirectoryServiceStub(probe.client.channel)
    metadata = () if header is None else (("authorization", header),)
    with pytest.raises(grpc.RpcError) as refused:
        stub.GetUnit(pb.GetUnitRequest(), timeout=5, metadata=metadata)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert ran == []


def test_a_token_signed_by_another_key_is_refused(serve: Serve) -> None:
    probe = serve(lambda _: unit_named("never"))
    probe.token = TokenSigner(generate_key()).sign(USER)
    assert refusal(probe).kind is Kind.UNAUTHENTICATED


def test_a_public_method_needs_no_token_and_runs_for_nobody(serve: Serve) -> None:
    probe = serve(lambda _: pb.SignInResponse(access_token=repr(current_access().grants)))
    with calling_as(""):
        found = probe.client.call("SignIn", pb.SignInRequest(login="a"))
    assert found.access_token == "()"


def test_an_error_of_ours_arrives_as_it_was_raised(serve: Serve) -> None:
    def refuse(_: Any) -> None:
        raise NotPermitted("not in Орёл", metadata={"unit": "hq.orel"})

    found = refusal(serve(refuse))
    assert (found.kind, found.reason, found.metadata) == (Kind.FORBIDDEN, "NOT_PERMITTED", {"unit": "hq.orel"})


def test_many_long_violations_arrive_although_trailers_are_short(serve: Serve) -> None:
    def refuse(_: Any) -> None:
        raise FieldInvalid(*(FieldViolation(f"f{n}", "длинное описание " * 40) for n in range(60)))

    found = refusal(serve(refuse))
    assert found.kind is Kind.INVALID
    assert found.violations[0].field == "f0"


def test_a_fault_of_ours_tells_the_caller_nothing_and_the_log_no_values(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    def fall(_: Any) -> None:
        raise ValueError("canary-secret of /srv/app")

    with caplog.at_level(logging.INFO):
        found = refusal(serve(fall))
    assert (found.kind, found.reason) == (Kind.INTERNAL, "INTERNAL")
    assert "canary" not in found.message + str(found.metadata) + str(found.violations)
    assert [record.exc_info for record in caplog.records if record.message == "call failed"]


def test_a_statement_that_fails_is_a_fault_of_ours_without_its_text(serve: Serve, database: Database) -> None:
    def fall(_: Any) -> None:
        with database.transaction() as work:
            work.execute(sa.text("SELECT * FROM secret_table"))

    found = refusal(serve(fall, database))
    assert found.kind is Kind.INTERNAL
    assert "secret_table" not in found.message


def test_a_database_that_is_away_is_unavailable_and_worth_a_retry(serve: Serve) -> None:
    away = Database(NOWHERE, "directory")

    def ask(_: Any) -> None:
        with away.transaction() as work:
            work.execute(sa.text("SELECT 1"))

    found = refusal(serve(ask))
    assert (found.kind, found.retry_after_seconds) == (Kind.UNAVAILABLE, 1.0)


@pytest.mark.parametrize("copy", [False, True])
def test_a_connection_lost_on_the_way_is_unavailable_and_the_next_call_works(
    serve: Serve, database: Database, copy: bool
) -> None:
    thing = sa.table("thing", sa.column("name"))

    def lose(_: Any) -> pb.GetUnitResponse:
        with database.transaction() as work:
            own = work.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
            if lost.is_set():
                return unit_named("back")
            lost.set()
            with database.transaction() as other:
                other.execute(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": own})
            if copy:
                work.copy_rows(thing, ["name"], [["x"]])  # type: ignore[arg-type]
            work.execute(sa.text("SELECT 1"))
        raise AssertionError("the connection was not lost")

    lost = threading.Event()
    probe = serve(lose, database)
    assert refusal(probe).kind is Kind.UNAVAILABLE
    assert answer(probe).unit.name == "back"


def test_a_slow_statement_is_told_as_such_and_not_worth_a_retry(serve: Serve, database: Database) -> None:
    def dawdle(_: Any) -> None:
        with database.transaction() as work:
            work.execute(sa.text("SET LOCAL statement_timeout = 50"))
            work.execute(sa.text("SELECT pg_sleep(5)"))

    assert refusal(serve(dawdle, database)).kind is Kind.DEADLINE


@pytest.mark.parametrize("way", ["text", "json", "copy"])
def test_a_nul_in_a_text_is_refused_by_field_whichever_way_it_goes(serve: Serve, database: Database, way: str) -> None:
    def store(request: Any) -> None:
        name = request.unit.name
        with database.transaction() as work:
            if way == "copy":
                work.copy_rows(sa.table("thing", sa.column("name")), ["name"], [[name]])  # type: ignore[arg-type]
            elif way == "json":
                work.execute(sa.select(sa.cast({"name": name}, sa.dialects.postgresql.JSONB)))
            else:
                work.execute(sa.text("INSERT INTO thing (name) VALUES (:name)"), {"name": name})

    found = refusal(serve(store, database), pb.CreateUnitRequest(unit=pb.Unit(name="a\0b")), "CreateUnit")
    assert (found.kind, [one.field for one in found.violations]) == (Kind.INVALID, ["unit.name"])


def test_more_calls_than_can_wait_are_refused_at_once(serve: Serve) -> None:
    go = threading.Event()
    probe = serve(lambda _: go.wait(20) and unit_named("done"))
    stub = pb_grpc.DirectoryServiceStub(probe.client.channel)
    metadata = (("authorization", f"Bearer {probe.token}"),)
    calls = [stub.GetUnit.future(pb.GetUnitRequest(), timeout=20, metadata=metadata) for _ in range(20)]
    eventually(lambda: sum(one.done() for one in calls) == 4)
    assert {one.code() for one in calls if one.done()} == {grpc.StatusCode.RESOURCE_EXHAUSTED}
    go.set()
    assert sum(one.exception() is None for one in calls) == 16


def test_an_unknown_method_or_path_is_unimplemented(serve: Serve) -> None:
    channel: Any = serve(lambda _: None).client.channel
    for path in ("/crm.directory.v1.DirectoryService/Nothing", "/a/b/c/d", "/x"):
        with pytest.raises(grpc.RpcError) as refused:
            channel.unary_unary(path)(b"", timeout=5)
        assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


class Parts(imports_pb2_grpc.ImportsServiceServicer):
    """Streams three parts, or fails after the first."""

    def DownloadResult(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:  # noqa: N802
        """Parts, each with the caller's name."""
        for number in range(3):
            if request.run_id == "broken" and number == 1:
                raise NotPermitted("no more")
            yield imports_pb2.DownloadResultResponse(data=f"{current_access().user_name}{number}".encode())


@pytest.fixture
def parts(private_key: str) -> Iterator[Client]:
    add = imports_pb2_grpc.add_ImportsServiceServicer_to_server
    verifier = TokenVerifier(public_key_of(private_key))
    made = Parts()  # type: ignore[abstract]  # its other methods are not called
    server, port = start_server("127.0.0.1:0", (Servicer("imports", made, add),), verifier)
    client = Client("imports", f"127.0.0.1:{port}", imports_pb2_grpc.ImportsServiceStub)
    yield client
    client.close()
    server.stop(0).wait()


def test_a_stream_is_guarded_like_a_call(parts: Client, signer: TokenSigner) -> None:
    with calling_as(signer.sign(USER)):
        sent = [one.data for one in parts.stream("DownloadResult", imports_pb2.DownloadResultRequest())]
    assert sent == [b"Ada0", b"Ada1", b"Ada2"]
    with pytest.raises(RemoteError) as refused:
        list(parts.stream("DownloadResult", imports_pb2.DownloadResultRequest()))
    assert refused.value.kind is Kind.UNAUTHENTICATED


def test_a_stream_that_fails_on_the_way_ends_with_its_reason(parts: Client, signer: TokenSigner) -> None:
    with calling_as(signer.sign(USER)):
        stream = parts.stream("DownloadResult", imports_pb2.DownloadResultRequest(run_id="broken"))
        assert next(stream).data == b"Ada0"
        with pytest.raises(RemoteError) as refused:
            next(stream)
    assert refused.value.reason == "NOT_PERMITTED"


def health_of(probe: Probe, service: str = "") -> Any:
    stub = health_pb2_grpc.HealthStub(probe.client.channel)
    return stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=10).status


def test_a_service_is_ready_while_its_own_database_answers(serve: Serve, database: Database) -> None:
    name = "crm.directory.v1.DirectoryService"
    serving, away = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
    ready, unready = serve(lambda _: None, database), serve(lambda _: None, Database(NOWHERE, "directory"))
    assert [health_of(ready), health_of(ready, name)] == [serving, serving]
    assert [health_of(unready), health_of(unready, name)] == [away, away]
    with pytest.raises(grpc.RpcError) as refused:
        health_of(ready, "crm.nothing")
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND


def test_outside_a_call_nobody_asks() -> None:
    with pytest.raises(NotSignedIn):
        current_access()


def test_who_has_an_answer_does_not_wait_long_for_who_calculates(serve: Serve) -> None:
    serve(lambda _: unit_named("x"))
    assert sys.getswitchinterval() <= 0.001
