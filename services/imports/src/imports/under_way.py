"""Batches that their owner is answering: a few at once, settled one after another in the order they were given."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from types import TracebackType
from typing import Generic, TypeVar

from imports.batches import Batch

T = TypeVar("T")


class UnderWay(Generic[T]):
    """Calls `ask(batch)` on threads of its own and `settle(batch, answer)` on the caller's, a little later.

    Used as a context; leaving it in peace settles the rest. What `ask` or `settle` raises comes out of `give` or the
    end of the context, and nothing after that is settled.
    """

    def __init__(self, ask: Callable[[Batch], T], settle: Callable[[Batch, T], None], at_once: int) -> None:
        self._ask, self._settle, self._at_once = ask, settle, at_once
        self._pool = ThreadPoolExecutor(at_once, "under way")
        self._asked: deque[tuple[Batch, Future[T]]] = deque()

    def give(self, batch: Batch) -> None:
        """Have a batch answered; waits while as many as may be are under way."""
        self._asked.append((batch, self._pool.submit(copy_context().run, self._ask, batch)))
        while len(self._asked) > self._at_once:  # one more waits its turn, so that settling keeps nobody waiting
            self._settle_first()

    def __enter__(self) -> UnderWay[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, trouble: BaseException | None, place: TracebackType | None
    ) -> None:
        try:
            while self._asked and kind is None:
                self._settle_first()
        finally:
            self._pool.shutdown(cancel_futures=True)

    def _settle_first(self) -> None:
        batch, asked = self._asked.popleft()
        self._settle(batch, asked.result())
