"""The processes of docker compose send traces and measures to whoever is called `otel-collector` on their network.

The collector itself is somebody else's image; one of ours stands in for it here, so what it makes of its own
configuration is not tried.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from branchline.rest import Rest
from chassis.testing.eventually import eventually
from tests.compose.platforms import Composed, run
from tests.compose.test_compose import a_person

pytestmark = [pytest.mark.long, pytest.mark.timeout(1_800)]

SENDERS = {"gateway": "gateway-serve", "contacts-api": "contacts-serve", "contacts-worker": "contacts-work"}
TOLD = "OTEL_EXPORTER_OTLP_ENDPOINT=http://otel-collector:4318 OTEL_TRACES_SAMPLER_ARG=1"
SECONDS = 180.0  # measures are sent once a minute
# Writes a line of path and sender for each export; a service's name stands in the body as it is.
RECEIVER = f"""
import http.server
NAMES = {sorted(SENDERS.values())}
class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        for name in NAMES:
            if name.encode() in body:
                print("got", self.path, name, flush=True)
        self.send_response(200)
        self.end_headers()
http.server.ThreadingHTTPServer(("", 4318), Collector).serve_forever()
"""


@pytest.fixture
def collector(composed: Composed) -> Iterator[str]:
    """A container under the collector's name, and processes that were told of it; answers the container's id."""
    network = f"{composed.project}_services"
    place = ("--network", network, "--network-alias", "otel-collector", "--user", "10001")
    made = run("docker", "run", "--detach", *place, "python:3.13-slim", "python", "-c", RECEIVER)
    start = f"docker compose up --detach --no-deps {' '.join(SENDERS)}"
    try:
        composed.shell(f"{TOLD} {start}")
        composed.wait_until_it_answers()
        yield made
    finally:
        composed.shell(start)
        run("docker", "rm", "--force", made)


def open_branch(rest: Rest) -> None:
    """Open a branch, of which the workers of every service hear."""
    company = rest.get("/units")["units"][0]["id"]
    branch = {"code": "traced", "name": "Traced", "parent_id": company, "kind": "branch", "start_date": "2020-01-01"}
    rest.post("/units", branch, key=str(uuid.uuid4()))


def test_traces_and_measures_of_every_kind_of_process_reach_the_collector(
    composed: Composed, collector: str, rest: Rest
) -> None:
    a_person(rest, "Somebody traced")
    open_branch(rest)

    def got() -> set[str]:
        return {line.removeprefix("got ") for line in run("docker", "logs", collector).splitlines()}

    wanted = {f"/v1/{kind} {name}" for kind in ("traces", "metrics") for name in SENDERS.values()}
    eventually(lambda: wanted <= got(), within=SECONDS, every=1.0)
