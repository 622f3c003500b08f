"""One trace from the click through every process to the last handler, as an OTLP receiver of our own is told it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from branchline.exits import Failure
from branchline.platform.folder import DataFolder
from branchline.rest import connect
from chassis.testing.eventually import eventually
from tests.e2e.office import Office
from tests.e2e.platforms import CommandLine

pytestmark = pytest.mark.timeout(600)
BUSY_SECONDS = 60.0  # of a machine that does much else; spans are sent every five
ATTEMPTS = 3  # a span is sent at most once: one whose receiver does not answer in time is gone, and its trace is cut
ROWS = 'name,email\n"Granin%d, Anna",anna%d@example.com\n"Berg%d, Ben",ben%d@example.com\n'


@dataclass(frozen=True)
class Told:
    """A span as it was received."""

    process: str
    name: str
    trace: bytes
    parent: bytes
    failed: bool


@dataclass
class Receiver:
    """Takes what processes send over OTLP."""

    spans: dict[bytes, Told] = field(default_factory=dict)
    measures: set[tuple[str, str]] = field(default_factory=set)  # process and name

    def take(self, path: str, body: bytes) -> None:
        """Keep what one request carries."""
        if path == "/v1/traces":
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                process = _name_of(resource)
                for scope in resource.scope_spans:
                    for one in scope.spans:
                        told = Told(process, one.name, one.trace_id, one.parent_span_id, one.status.code == 2)
                        self.spans[one.span_id] = told
        if path == "/v1/metrics":
            for found in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                for measured in found.scope_metrics:
                    self.measures |= {(_name_of(found), one.name) for one in measured.metrics}

    def chains(self, name: str) -> list[list[str]]:
        """From each span of a name up to where its trace begins, each as `process name`."""
        return [self._chain(one) for one in list(self.spans.values()) if one.name == name]

    def _chain(self, span: Told) -> list[str]:
        found = [f"{span.process} {span.name}"]
        while (above := self.spans.get(span.parent)) is not None:
            assert above.trace == span.trace
            found.append(f"{above.process} {above.name}")
            span = above
        return found


def _name_of(found: Any) -> str:
    values = {one.key: one.value.string_value for one in found.resource.attributes}
    assert values["service.namespace"] == "branchline"
    return str(values["service.name"])


@pytest.fixture(scope="module")
def receiver() -> Iterator[tuple[Receiver, str]]:
    """A receiver and its address."""
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """A test prints nothing of it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield kept, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def begin(command_line: CommandLine, address: str, share: str) -> None:
    """Start a platform that traces a share of what happens."""
    told = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": address,
        "OTEL_TRACES_SAMPLER_ARG": share,
        "OTEL_METRIC_EXPORT_INTERVAL": "2000",
    }
    started = command_line.run("up", "--detach", "--json", environment=told)
    assert started.status == 0, started.out + started.err + command_line.logs()


def test_an_imported_row_is_followed_to_the_contact_and_to_the_report(
    command_line: CommandLine, receiver: tuple[Receiver, str], tmp_path: Path
) -> None:
    kept, address = receiver
    begin(command_line, address, "1.0")
    wanted = [
        "worker process crm_reporting_in",
        "api contacts/ImportPersons",
        "jobs contacts/ImportPersons",
        "jobs job load",
        "api imports/ConfirmRun",
        "gateway imports/ConfirmRun",
    ]

    def has_come() -> bool:
        chains = kept.chains("process crm_reporting_in")
        assert any(one[:-1] == wanted and one[-1].startswith("gateway POST ") for one in chains), json.dumps(chains)
        return True

    with connect(DataFolder(command_line.data)) as rest:
        office = Office(rest)
        for attempt in range(ATTEMPTS):
            file = tmp_path / f"customers{attempt}.csv"
            file.write_text(ROWS % ((attempt,) * 4), encoding="utf-8")
            assert office.load(file, office.company, "persons")["created"] == 2
            try:
                eventually(has_come, within=BUSY_SECONDS)
                break
            except AssertionError:
                if attempt == ATTEMPTS - 1:
                    raise


def test_every_process_measures(receiver: tuple[Receiver, str], command_line: CommandLine) -> None:
    kept, _ = receiver
    wanted = {
        ("gateway", "http.server.request.duration"),
        ("api", "rpc.server.call.duration"),
        ("worker", "messaging.process.duration"),
        ("worker", "messaging.client.sent.messages"),
        ("worker", "branchline.outbox.oldest.age"),
        ("worker", "branchline.events.waiting"),
        ("worker", "branchline.consumer.lag"),
    }
    eventually(lambda: wanted <= kept.measures, within=BUSY_SECONDS)


def test_what_fails_is_told_though_nothing_is_sampled(
    receiver: tuple[Receiver, str], command_line: CommandLine
) -> None:
    kept, address = receiver
    assert command_line.run("down").status == 0
    kept.spans.clear()
    begin(command_line, address, "0")
    with connect(DataFolder(command_line.data)) as rest:
        Office(rest)
        with pytest.raises(Failure):
            rest.get("/persons/019b0000-0000-7000-8000-000000000000")
    eventually(lambda: kept.chains("contacts/GetPerson"), within=BUSY_SECONDS)
    assert all(one.failed for one in kept.spans.values())
