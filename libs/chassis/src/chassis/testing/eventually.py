"""Waiting for what must come true, without sleeping longer than needed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(probe: Callable[[], T], within: float = 30.0, every: float = 0.02) -> T:
    """Call `probe` until it answers something true and return that; `within` and `every` in seconds.

    Errors: AssertionError with the last answer, or the probe's own last AssertionError.
    """
    end = time.monotonic() + within
    while True:
        trouble: AssertionError | None = None
        try:
            answer = probe()
        except AssertionError as failed:
            trouble = failed
        else:
            if answer:
                return answer
        if time.monotonic() > end:
            raise trouble or AssertionError(f"not true within {within} s; last answer: {answer!r}")
        time.sleep(every)
