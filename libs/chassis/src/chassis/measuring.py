"""What every process measures: names by OpenTelemetry's semantic conventions, ours below `branchline.`.

Without an endpoint to send them to, measuring does nothing. docs/operator/watching.md says what each figure tells.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.util.types import AttributeValue
from sqlalchemy.pool import QueuePool

_meter = metrics.get_meter("branchline")
# Seconds; from an indexed read to a report over millions.
_STEPS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
calls = _meter.create_histogram("rpc.server.call.duration", "s", explicit_bucket_boundaries_advisory=_STEPS)
requests = _meter.create_histogram("http.server.request.duration", "s", explicit_bucket_boundaries_advisory=_STEPS)
batches = _meter.create_histogram("messaging.process.duration", "s", explicit_bucket_boundaries_advisory=_STEPS)
consumed = _meter.create_counter("messaging.client.consumed.messages", "{message}")
sent = _meter.create_counter("messaging.client.sent.messages", "{message}")
consumer_lag = _meter.create_gauge("branchline.consumer.lag", "s", "age of the oldest event in hand; 0 when idle")
oldest_unsent = _meter.create_gauge("branchline.outbox.oldest.age", "s", "age of the oldest event not on the bus")
waiting = _meter.create_gauge("branchline.events.waiting", "{event}", "events put aside, by consumer and state")
depth = _meter.create_gauge("branchline.queue.messages", "{message}", "messages that wait in a consumer's queues")
blocked = _meter.create_gauge("branchline.publisher.blocked", "1", "1 while the broker takes nothing for want of room")
bridge_age = _meter.create_gauge("branchline.bridge.oldest.age", "s", "age of the oldest event another cell lacks")
degraded = _meter.create_gauge("branchline.worker.troubles", "{part}", "parts of a worker that cannot do their work")


@contextmanager
def timed(histogram: metrics.Histogram, **attributes: AttributeValue) -> Iterator[dict[str, AttributeValue]]:
    """Measure how long the block takes; it may add attributes, and a failure adds its class as `error.type`."""
    told = dict(attributes)
    begin = time.perf_counter()
    try:
        yield told
    except BaseException as trouble:
        told.setdefault("error.type", getattr(trouble, "reason", type(trouble).__name__))
        raise
    finally:
        histogram.record(time.perf_counter() - begin, told)


_pools: WeakKeyDictionary[QueuePool, str] = WeakKeyDictionary()


def watch_pool(pool: QueuePool, name: str) -> None:
    """Measure a pool of connections for as long as it is there."""
    _pools[pool] = name


def _count_connections(_options: CallbackOptions) -> Iterable[Observation]:
    for pool, name in list(_pools.items()):
        told = {"db.client.connection.pool.name": name}
        yield Observation(pool.checkedout(), {**told, "db.client.connection.state": "used"})
        yield Observation(pool.checkedin(), {**told, "db.client.connection.state": "idle"})


def _count_most(_options: CallbackOptions) -> Iterable[Observation]:
    for pool, name in list(_pools.items()):
        yield Observation(pool.size() + pool._max_overflow, {"db.client.connection.pool.name": name})


_meter.create_observable_up_down_counter("db.client.connection.count", [_count_connections], "{connection}")
_meter.create_observable_up_down_counter("db.client.connection.max", [_count_most], "{connection}")
