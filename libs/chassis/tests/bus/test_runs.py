"""Batches become few runs of one type each, and no aggregate's events change places."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.bus.consumer import runs_of
from chassis.bus.events import Delivery
from crm.contacts.events.v1 import contacts_events_pb2 as pb

BATCHES = st.lists(st.tuples(st.integers(0, 5), st.sampled_from("ABC")), max_size=60)


def a_delivery(place: int, aggregate: int, kind: str) -> Delivery:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Delivery(str(place), kind, "s", "person", str(aggregate), place, 1, place, now, {}, pb.PersonCreated())


@settings(deadline=None)
@given(BATCHES)
def test_runs_keep_every_event_and_the_order_within_each_aggregate(batch: list[tuple[int, str]]) -> None:
    deliveries = [a_delivery(place, *one) for place, one in enumerate(batch)]

    runs = list(runs_of(deliveries))

    flat = [one for run in runs for one in run]
    assert sorted(one.version for one in flat) == list(range(len(batch)))
    assert all(len({one.type for one in run}) == 1 for run in runs)
    for aggregate in {one.aggregate_id for one in flat}:
        versions = [one.version for one in flat if one.aggregate_id == aggregate]
        assert versions == sorted(versions)


def test_interleaved_types_of_different_aggregates_make_one_run_each() -> None:
    deliveries = [a_delivery(place, place, "AB"[place % 2]) for place in range(500)]

    assert [len(run) for run in runs_of(deliveries)] == [250, 250]
