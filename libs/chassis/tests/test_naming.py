"""Names on the bus mean the same on both transports, or are refused."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.naming import NameInvalid, binding, fact_of, partition_of, queue_name, routing_key

ID = "0198c0de-0000-7000-8000-000000000001"
WORDS = st.from_regex(r"[a-z0-9_]{1,10}", fullmatch=True)
PATHS = st.lists(WORDS, min_size=1, max_size=6).map(".".join)


def matches(pattern: str, key: str) -> bool:
    """A topic match as PGMQ does it, where `#` stands for one word or more; RabbitMQ's zero words must never matter."""
    words = (r"[^.]+" if word == "*" else r".+" if word == "#" else re.escape(word) for word in pattern.split("."))
    return re.fullmatch(r"\.".join(words), key) is not None


@given(WORDS, WORDS, WORDS, st.integers(1, 9), st.uuids().map(str), PATHS)
def test_a_key_has_its_words_in_order_and_a_last_word(
    service: str, aggregate: str, fact: str, major: int, aggregate_id: str, path: str
) -> None:
    key = routing_key(service, aggregate, fact, major, aggregate_id, path)
    assert key == f"crm.{service}.{aggregate}.{fact}.v{major}.p{partition_of(aggregate_id):02d}.{path}.e"
    assert len(key.split(".")) == 7 + len(path.split("."))


@given(PATHS, PATHS)
def test_a_binding_of_a_subtree_takes_the_unit_and_all_below_it_and_nothing_else(top: str, path: str) -> None:
    key = routing_key("deals", "deal", "created", 1, ID, path)
    assert matches(binding("deals", "deal", unit_path=top), key) == (path + ".").startswith(top + ".")
    assert matches(binding(unit_path=path), routing_key("deals", "deal", "created", 1, ID, f"{path}.below"))


def test_a_binding_of_everything_takes_events_without_a_unit() -> None:
    assert matches(binding("deals"), routing_key("deals", "deal", "created", 1, ID, ""))
    assert routing_key("deals", "deal", "created", 1, ID, "").endswith(".all.e")
    assert not matches(binding("contacts"), routing_key("deals", "deal", "created", 1, ID, "hq"))


@pytest.mark.parametrize("path", ["hq..ru", "hq.Ru", "hq.*", "hq.#", "hq.м", ".", "hq.", "hq ru", "hq\n"])
def test_a_path_that_would_mean_something_else_on_a_bus_is_refused(path: str) -> None:
    with pytest.raises(NameInvalid):
        routing_key("deals", "deal", "created", 1, ID, path)


def test_an_event_is_named_after_its_aggregate_and_its_fact() -> None:
    assert fact_of("DealStageChanged", "deal") == "stage_changed"
    assert fact_of("ImportRunFinished", "import_run") == "finished"
    with pytest.raises(NameInvalid):
        fact_of("StageOfDealChanged", "deal")


def test_a_queue_name_is_at_most_as_long_as_pgmq_takes() -> None:
    assert queue_name("reporting") == "crm_reporting_in"
    assert len(queue_name("x" * 40)) == 47
    for consumer in ("x" * 41, "Reporting", "re-porting", "re.porting", "é"):
        with pytest.raises(NameInvalid):
            queue_name(consumer)


@given(st.uuids().map(str))
def test_the_partition_of_an_aggregate_is_one_of_sixteen_and_stays(aggregate_id: str) -> None:
    assert 0 <= partition_of(aggregate_id) < 16
    assert partition_of(ID) == 9
