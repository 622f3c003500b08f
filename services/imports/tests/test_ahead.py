"""The next item is made while the present one is worked on, and nothing else changes."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from imports.ahead import one_ahead


def test_items_come_whole_and_in_order() -> None:
    assert list(one_ahead(iter(range(50)))) == list(range(50))
    assert list(one_ahead(iter([None, 0, None]))) == [None, 0, None]
    assert list(one_ahead(iter(()))) == []


def test_the_next_item_is_made_before_the_present_one_is_given_back() -> None:
    second = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        second.set()
        yield 2

    ahead = one_ahead(items())
    assert next(ahead) == 1
    assert second.wait(10)
    assert next(ahead) == 2


def test_a_trouble_in_the_making_reaches_the_worker_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise LookupError("the second")

    ahead = one_ahead(items())
    assert next(ahead) == 1
    with pytest.raises(LookupError, match="the second"):
        next(ahead)
