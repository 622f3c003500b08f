"""Batches under way are answered a few at once and settled in the order they were given."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from imports.batches import Batch
from imports.under_way import UnderWay


def batches(count: int) -> list[Batch]:
    return [Batch([], last, last - 1) for last in range(1, count + 1)]


def test_all_are_settled_in_the_order_they_were_given_with_their_own_answers() -> None:
    settled: list[tuple[int, str]] = []
    with UnderWay(lambda one: f"<{one.last}>", lambda one, answer: settled.append((one.last, answer)), 3) as under_way:
        for batch in batches(20):
            under_way.give(batch)
    assert settled == [(last, f"<{last}>") for last in range(1, 21)]


def test_the_second_is_asked_before_the_first_is_answered_and_settled_after_it() -> None:
    second = threading.Event()
    settled: list[int] = []

    def ask(batch: Batch) -> bool:
        if batch.last == 2:
            second.set()
        return second.wait(10)

    with UnderWay(ask, lambda one, answered: settled.append(one.last if answered else 0), 2) as under_way:
        for batch in batches(2):
            under_way.give(batch)
    assert settled == [1, 2]


def test_what_one_at_a_time_asks_never_overlaps() -> None:
    free = threading.Lock()

    def ask(_: Batch) -> bool:
        with ThreadPoolExecutor(1) as other:  # another thread sees whether it is free
            had = other.submit(free.acquire, blocking=False).result()
            other.submit(free.release).result()
        return had

    answers: list[bool] = []
    with UnderWay(ask, lambda _, answer: answers.append(answer), 1) as under_way:
        for batch in batches(10):
            under_way.give(batch)
    assert answers == [True] * 10


def test_a_trouble_comes_out_and_nothing_behind_it_is_settled() -> None:
    settled: list[int] = []

    def ask(batch: Batch) -> int:
        if batch.last == 3:
            raise LookupError("the third")
        return batch.last

    def give_all() -> None:
        with UnderWay(ask, lambda one, _: settled.append(one.last), 2) as under_way:
            for batch in batches(9):
                under_way.give(batch)

    with pytest.raises(LookupError, match="the third"):
        give_all()
    assert settled == [1, 2]
