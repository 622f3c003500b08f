"""What is exported is what the dashboard and the alarms ask for, and it tells the truth."""

from __future__ import annotations

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from chassis import measuring
from chassis.bus.bridge import Bridge, Lane
from chassis.bus.bridge_lanes import Cursors
from chassis.bus.entrypoints import BatchSubscription
from chassis.bus.health import WorkerHealth
from chassis.bus.relay import Relay, publish_waiting
from chassis.bus.sources import DatabaseSource
from chassis.bus.transport import Bus, open_bus
from chassis.bus.watching import watch_messaging
from chassis.database import Database, UnitOfWork
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.errors import RemoteError
from chassis.rpc.client import Client
from chassis.rpc.events_door import events_servicer
from chassis.rpc.server import start_server
from chassis.testing.bus import make_bus
from chassis.testing.eventually import eventually
from chassis.tokens import TokenVerifier, generate_key, public_key_of
from crm.platform.v1 import events_pb2, events_pb2_grpc
from gateway.tracing import Traced
from gateway.webhooks.carrying import measure_send
from gateway.webhooks.rules import DELIVERED, Outcome
from imports.fates import ACTUAL, RowFate, store_fates
from tests.contract.messaging.probes import SOURCE, ServiceDatabase, a_consumer, an_event, open_service
from tests.contract.messaging.test_subscription import arriving, subscribed, unless_poison

INFRA = Path(__file__).resolve().parents[3] / "infra"
RULES, DASHBOARD = INFRA / "prometheus" / "alerts.yml", INFRA / "grafana" / "branchline.json"
ADDED = {"service_name", "le"}  # by every resource, by every histogram
WORDS = {"by", "max", "sum", "rate", "histogram_quantile"}
UNITS = {"s": "_seconds"}
Exported = dict[str, set[str]]


@pytest.fixture(scope="module")
def reader() -> InMemoryMetricReader:
    """Where everything that is measured from now on ends up; a process has one for all its life."""
    found = InMemoryMetricReader()
    metrics.set_meter_provider(MeterProvider([found]))
    return found


@pytest.fixture(scope="module")
def measured(
    request: pytest.FixtureRequest, postgres: EmbeddedPostgres, reader: InMemoryMetricReader
) -> InMemoryMetricReader:
    """A service at which everything that is measured has happened once."""
    service = open_service(postgres)
    work_once(service, open_bus(make_bus(request, postgres, "pgmq").url))
    call_once(service)
    request_once()
    measure_send(Outcome(DELIVERED, 200, millis=5))
    store_fates(cast("UnitOfWork", Nowhere()), "run", ACTUAL, [RowFate(1, "created")])
    WorkerHealth().trouble("bus", "away")
    return reader


class Nowhere:
    """Takes rows and keeps none."""

    def copy_rows(self, *_: object) -> None:
        """Keep nothing."""


def call_once(service: ServiceDatabase) -> None:
    """A call that is refused."""
    verifier = TokenVerifier(public_key_of(generate_key()))
    server, port = start_server("127.0.0.1:0", (events_servicer({"contacts": service.database}),), verifier)
    client = Client("platform", f"127.0.0.1:{port}", events_pb2_grpc.EventsServiceStub)
    with pytest.raises(RemoteError):
        client.call("GetLag", events_pb2.GetLagRequest())
    client.close()
    server.stop(0).wait()


def request_once() -> None:
    """A request of a browser."""
    import asyncio

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})

    async def ignore(*_: Any) -> Any:
        return {}

    request = Traced(app)({"type": "http", "method": "GET"}, ignore, ignore)
    with ThreadPoolExecutor(1) as pool:  # the thread of the tests has a loop of its own once a browser was open
        pool.submit(asyncio.run, request).result()


def points(reader: InMemoryMetricReader, name: str) -> dict[str, Any]:
    """The values of a measure by its attributes, `consumer state` and so on."""
    found = {}
    for metric in all_metrics(reader):
        if metric.name == name:
            found = {" ".join(map(str, (one.attributes or {}).values())): one for one in metric.data.data_points}
    return found


def all_metrics(reader: InMemoryMetricReader) -> list[Any]:
    """Everything measured so far."""
    data = reader.get_metrics_data()
    return [m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics] if data else []


def exported(reader: InMemoryMetricReader) -> Exported:
    """Names of series in Prometheus with their labels, as its translation of OpenTelemetry makes them."""
    found: Exported = {}
    for metric in all_metrics(reader):
        labels = {key.replace(".", "_") for one in metric.data.data_points for key in one.attributes} | ADDED
        base = metric.name.replace(".", "_") + UNITS.get(metric.unit, "")
        kind = type(metric.data).__name__
        grows = kind == "Sum" and metric.data.is_monotonic
        endings = ("_bucket", "_sum", "_count") if kind == "Histogram" else ("_total",) if grows else ("",)
        found |= {base + ending: labels for ending in endings}
    return found


def queries() -> dict[str, str]:
    """Every query of alarms and dashboard by where it stands."""
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    found = {rule["alert"]: rule["expr"] for group in rules for rule in group["rules"]}
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return found | {panel["title"]: target["expr"] for panel in panels for target in panel["targets"]}


def strange(expression: str, known: Exported) -> set[str]:
    """Names in a query that are no series that is exported, and labels that none of its series has."""
    bare = re.sub(r'"[^"]*"|\[[^\]]*\]', "", expression)
    labels = set(re.findall(r"([a-z_]+)\s*(?:=~|!~|!=|=)", bare))
    for group in re.findall(r"by \(([^)]*)\)", bare):
        labels |= {one.strip() for one in group.split(",")}
    names = set(re.findall(r"[a-z_][a-z_]+", bare)) - labels - WORDS
    has = set().union(*(known.get(name, set()) for name in names))
    return {name for name in names if name not in known} | (labels - has)


@pytest.mark.parametrize("place", sorted(queries()))
def test_every_query_asks_for_what_is_exported(place: str, measured: InMemoryMetricReader) -> None:
    assert strange(queries()[place], exported(measured)) == set()


def test_a_query_for_what_nobody_exports_is_found(measured: InMemoryMetricReader) -> None:
    known = exported(measured)
    good = 'sum by (branchline_service) (rate(rpc_server_call_duration_seconds_count{error_type=~"X"}[5m])) > 0.5'
    assert strange(good, known) == set()
    assert strange(good.replace("duration_seconds", "duration_minutes"), known) >= {
        "rpc_server_call_duration_minutes_count"
    }
    assert strange(good.replace("error_type", "mood"), known) == {"mood"}


def work_once(service: ServiceDatabase, bus: Bus) -> None:
    """One event written, published, handled; one put aside."""
    consumer = a_consumer()
    bus.declare([consumer])
    service.write(1)
    relay, publisher = Relay(service.database), bus.publisher()
    assert relay.lead()
    publish_waiting(relay, publisher, lambda act: act())
    publisher.close()
    relay.resign()
    subscribed(service).handle([arriving(an_event())])
    watch_messaging(service.database, (consumer,))
    [depth] = bus.count_messages((consumer,))
    measuring.depth.set(depth, {"messaging.consumer.group.name": consumer.name})
    measuring.blocked.set(0, {"branchline.source": SOURCE})
    carry_once(service, bus)
    BatchSubscription(consumer, bus, WorkerHealth(), threading.Event())._tell_lag([arriving(an_event())])


def carry_once(service: ServiceDatabase, bus: Bus) -> None:
    """What the service said, carried as if by a bridge."""
    bridge = Bridge("hq", [Lane(DatabaseSource(service.database))], Cursors(service.database, "up", ["contacts"]))
    assert bridge.lead()
    publisher = bus.publisher()
    assert bridge.carry(publisher) == 1
    bridge.tell_ages()
    publisher.close()
    bridge.resign()


def test_what_waits_and_what_is_unsent_is_told_and_told_to_be_over(
    service: ServiceDatabase, reader: InMemoryMetricReader
) -> None:
    consumer = a_consumer()
    service.write(1)
    subscribed(service, unless_poison).handle([arriving(an_event(name="poison"))])
    service.ask("UPDATE parked_event SET state = 'parked'")
    service.ask("UPDATE outbox SET create_time = now() - interval '40 seconds'")
    watch_messaging(service.database, (consumer,))
    assert points(reader, "branchline.events.waiting")["probe parked"].value == 1
    assert points(reader, "branchline.outbox.oldest.age")["contacts"].value >= 40

    service.ask("DELETE FROM outbox")
    service.ask("UPDATE parked_event SET state = 'skipped'")
    watch_messaging(service.database, (consumer,))
    assert points(reader, "branchline.events.waiting")["probe parked"].value == 0
    assert points(reader, "branchline.outbox.oldest.age")["contacts"].value == 0


def test_the_lag_of_a_consumer_is_the_age_of_what_it_has_in_hand(reader: InMemoryMetricReader) -> None:
    bus = open_bus("pgmq://nobody@nowhere/bus")
    subscription = BatchSubscription(a_consumer(), bus, WorkerHealth(), threading.Event())
    old = {"cloudEvents_time": "2020-01-01T00:00:00+00:00"}
    subscription._tell_lag([arriving(an_event(), headers=old), arriving(an_event(2))])
    assert points(reader, "branchline.consumer.lag")["probe"].value > 86_400
    subscription._tell_lag([])
    assert points(reader, "branchline.consumer.lag")["probe"].value == 0


def test_the_connections_of_a_pool_are_told_as_used_and_idle(
    service: ServiceDatabase, reader: InMemoryMetricReader
) -> None:
    database = Database(service.url, "measured", pool_size=2, overflow=1)
    with database.engine.connect(), database.engine.connect():
        assert points(reader, "db.client.connection.count")["measured used"].value == 2
    found = points(reader, "db.client.connection.count")
    assert (found["measured used"].value, found["measured idle"].value) == (0, 2)
    assert points(reader, "db.client.connection.max")["measured"].value == 3


def test_what_waits_in_a_queue_is_counted_in_events(bus: Bus) -> None:
    consumer, other = a_consumer(), a_consumer(name="other")
    bus.declare([consumer, other])
    publisher = bus.publisher()
    publisher.begin(SOURCE, [an_event(position) for position in range(1, 8)])
    publisher.finish()
    receiver = bus.receiver(other)
    assert receiver is not None
    messages = eventually(lambda: receiver.receive(10, 0.5))
    receiver.ack(messages)

    eventually(lambda: list(bus.count_messages([consumer, other])) == [7, 7 - len(messages)])


def test_a_block_that_fails_is_measured_with_the_class_of_its_failure(reader: InMemoryMetricReader) -> None:
    with pytest.raises(KeyError), measuring.timed(measuring.batches, **{"messaging.consumer.group.name": "failing"}):
        raise KeyError("x")
    assert points(reader, "messaging.process.duration")["failing KeyError"].count == 1
