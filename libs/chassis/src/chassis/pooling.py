"""The pool of a database's connections: as many as are needed at once, and few of them with much in their memory.

A connection of PostgreSQL is a process that remembers each table and plan it has met, two megabytes new and eight in
time. So the one put back last is lent first, the others rest, and one that nobody needed for a while is closed. Beyond
`pool_size` a connection is made only for who has waited: in a rush of short questions one is free long before a new
one had begun, which knows no plan yet; where all are held, by calls that wait for each other, nobody waits for long.
"""

from __future__ import annotations

import threading
import time
import weakref
from contextlib import suppress
from typing import Any

import sqlalchemy as sa
from sqlalchemy.util.queue import Empty

USED = "chassis_used"  # when a connection was last put back, on the monotonic clock
REST_SECONDS = 30.0
SWEEP_SECONDS = 5.0  # between two looks
PATIENCE_SECONDS = 0.03  # a question takes a tenth of it, beginning a connection and its plans about as long


class RestingPool(sa.QueuePool):
    """A pool that lets resting connections go; whichever pool of the process gets one back looks after all of them."""

    _every: weakref.WeakSet[RestingPool] = weakref.WeakSet()
    _guard = threading.Lock()
    _next_look = 0.0

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **{**named, "use_lifo": True})
        with RestingPool._guard:
            RestingPool._every.add(self)

    def let_go(self, before: float) -> None:
        """Close what rests since before a moment of the monotonic clock."""
        places: Any = self._pool
        while True:
            with places.mutex:
                rests = bool(places.queue) and places.queue[0].info.get(USED, before) < before
                record = places.queue.popleft() if rests else None
            if record is None:
                return
            try:
                record.close()
            finally:
                self._dec_overflow()

    def _do_get(self) -> Any:
        if self._overflow >= 0:
            with suppress(Empty):
                return self._pool.get(True, PATIENCE_SECONDS)
        return super()._do_get()

    def _do_return_conn(self, record: Any) -> None:
        super()._do_return_conn(record)
        now = time.monotonic()
        if now >= RestingPool._next_look:
            RestingPool._next_look = now + SWEEP_SECONDS
            with RestingPool._guard:
                pools = list(RestingPool._every)
            for pool in pools:
                pool.let_go(now - REST_SECONDS)
