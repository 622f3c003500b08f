"""How long to wait before the next try: longer after each failure, never longer than a limit, never all at once."""

from __future__ import annotations

import random

MOST_DOUBLINGS = 30  # a power of the failures of a day's outage would be more than a float holds


def longest_wait(failures: int, first: float, last: float) -> float:
    """Seconds: `first` doubled with each failure, at most `last`."""
    return float(min(first * 2 ** min(failures, MOST_DOUBLINGS), last))


def backoff_seconds(failures: int, first: float, last: float) -> float:
    """Seconds by chance between half of the longest wait and all of it, so that many do not try at one moment."""
    longest = longest_wait(failures, first, last)
    return random.uniform(longest / 2, longest)
