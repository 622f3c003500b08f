"""How soon reporting counts what was just written, at a steady pace of writes."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

WRITES_A_SECOND = 100
WRITERS = 4  # one after the other waits for its commit; four keep the pace
SECONDS = 15.0
LOOK_SECONDS = 0.02  # between two looks at the report; the figures are that much too high at most
PATIENCE_SECONDS = 60.0


class NeverVisible(RuntimeError):
    """Reporting did not come to count all that was written."""


def measure_visibility(write: Callable[[], None], count: Callable[[], int]) -> tuple[float, float]:
    """Seconds from a commit to the first report that counts it, 95 % of all; and the writes a second that were made.

    The n-th commit is visible as soon as the count has grown by n, since reporting takes them in their order.
    Errors: NeverVisible.
    """
    start, commits = count(), _Commits()
    begun = time.monotonic()
    seen: list[float] = []
    with _writing(write, commits) as done:
        end = time.monotonic() + SECONDS + PATIENCE_SECONDS
        while not done.is_set() or len(seen) < len(commits.times):
            counted, now = count() - start, time.monotonic()
            seen += [now] * (counted - len(seen))
            if now > end:
                raise NeverVisible(f"{counted} of {len(commits.times)} writes are counted")
            time.sleep(LOOK_SECONDS)
    waits = [max(at - made, 0.0) for at, made in zip(seen, sorted(commits.times), strict=False)]
    return statistics.quantiles(waits, n=20)[-1], len(waits) / (max(commits.times) - begun)


class _Commits:
    """When each write was answered, on the monotonic clock."""

    def __init__(self) -> None:
        self.times: list[float] = []


@contextmanager
def _writing(write: Callable[[], None], commits: _Commits) -> Iterator[threading.Event]:
    done, begun = threading.Event(), time.monotonic()

    def keep_pace(writer: int) -> None:
        for number in range(writer, int(SECONDS * WRITES_A_SECOND), WRITERS):
            time.sleep(max(0.0, begun + number / WRITES_A_SECOND - time.monotonic()))
            write()
            commits.times.append(time.monotonic())

    def run() -> None:
        try:
            with ThreadPoolExecutor(WRITERS) as pool:
                list(pool.map(keep_pace, range(WRITERS)))
        finally:
            done.set()

    thread = threading.Thread(target=run, name="writers")
    thread.start()
    try:
        yield done
    finally:
        thread.join()
