"""Each process sends its traces where its environment says, and stops when asked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from chassis.process import start_process
from chassis.settings import SettingsInvalid
from chassis.testing.eventually import eventually


class Receiver(HTTPServer):
    """Takes OTLP over HTTP and keeps what came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), ReceiverHandler)
        self.received: list[tuple[str, ExportTraceServiceRequest]] = []


class ReceiverHandler(BaseHTTPRequestHandler):
    """One export."""

    def do_POST(self) -> None:  # noqa: N802
        """Keep it."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert isinstance(self.server, Receiver)
        self.server.received.append((self.path, ExportTraceServiceRequest.FromString(body)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


WORK = """
import logging
from chassis import telemetry
from chassis.process import start_process
start_process("contacts-serve")
try:
    with telemetry.span("contacts/GetPerson", **{"rpc.method": "GetPerson"}):
        logging.getLogger("one").info("said")
        {act}
except ValueError:
    pass
"""


FAILS, DOES_WELL = (WORK.replace("{act}", act) for act in ('raise ValueError("canary of Ada")', "pass"))


def run(code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environ}, capture_output=True, text=True, timeout=60
    )


def test_spans_go_to_the_receiver_and_carry_no_message(receiver: Receiver) -> None:
    ended = run(
        FAILS, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{receiver.server_port}/", OTEL_TRACES_SAMPLER_ARG="1"
    )
    assert ended.returncode == 0, ended.stderr
    ((path, export),) = receiver.received
    (resource,) = export.resource_spans
    names = {one.key: one.value.string_value for one in resource.resource.attributes}
    (span,) = resource.scope_spans[0].spans
    assert (path, names["service.name"], names["service.namespace"]) == ("/v1/traces", "contacts-serve", "branchline")
    assert (span.name, span.status.message) == ("contacts/GetPerson", "ValueError")
    assert b"canary" not in export.SerializeToString()
    entry = json.loads(ended.stderr.splitlines()[0])
    assert (entry["message"], entry["trace_id"]) == ("said", span.trace_id.hex())


@pytest.mark.parametrize(("code", "sent"), [(FAILS, 1), (DOES_WELL, 0)])
def test_without_a_sampled_trace_a_failure_alone_is_sent(receiver: Receiver, code: str, sent: int) -> None:
    endpoint = f"http://127.0.0.1:{receiver.server_port}"
    ended = run(code, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_TRACES_SAMPLER_ARG="0")
    assert (ended.returncode, len(receiver.received)) == (0, sent), ended.stderr


@pytest.mark.parametrize("share", ["1.5", "-1", "often"])
def test_a_share_that_is_none_is_refused_by_name(share: str) -> None:
    with pytest.raises(SettingsInvalid, match="OTEL_TRACES_SAMPLER_ARG"):
        start_process("x", {"OTEL_TRACES_SAMPLER_ARG": share})


WAITING = """
from chassis.process import stop_signal
asked = stop_signal()
print("ready", flush=True)
asked.wait()
print("stopping", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_process_asked_to_stop_ends_by_itself(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", WAITING], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.stdout.readline() == "stopping\n"
        assert eventually(lambda: process.poll() == 0)


STRESS = """
import os, random, signal, threading
from chassis.process import stop_signal

def ask(pause):
    for _ in range(pause):
        pass
    os.kill(os.getpid(), signal.SIGTERM)

for _ in range(300):
    asked = stop_signal()
    threading.Thread(target=ask, args=(random.randrange(3_000),)).start()
    asked.wait()
print("always heard", flush=True)
"""


def test_no_moment_is_too_early_or_too_late_to_ask() -> None:
    """An event set by the handler itself was missed, or hung, in one of some thousand stops."""
    assert run(STRESS).stdout == "always heard\n"
