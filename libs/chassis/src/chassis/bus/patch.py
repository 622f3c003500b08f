"""What makes a process a worker process: sockets that yield to the hub, and the way to a native thread.

nameko and py-amqp wait on green sockets; psycopg's C code and protobuf never yield, so all SQL runs on native threads
through `native`. gRPC's core blocks the hub and must not be in a worker process at all.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class PatchTooLate(RuntimeError):
    """The process holds grpc, which cannot live beside an eventlet hub."""


def patch() -> None:
    """Patch sockets, select and time; must be the first statement of a worker process. Errors: PatchTooLate.

    Threads stay native: SQLAlchemy's pool locks and eventlet's native threads need real ones.
    """
    if "grpc" in sys.modules:
        raise PatchTooLate("grpc is imported already: a worker process must not import it, and patches first")
    os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")  # the system's resolver knows /etc/hosts and containers' names
    with warnings.catch_warnings():  # its call not to use it anew is answered in docs/adr; not said at every start
        warnings.simplefilter("ignore")
        import eventlet

    eventlet.monkey_patch(all=False, socket=True, select=True, time=True)


def native(act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `act` on a native thread while the hub goes on; raises what `act` raises."""
    from eventlet import tpool

    answer: T = tpool.execute(act, *args, **kwargs)
    return answer


def allow_native_threads(count: int) -> None:
    """Size the pool of native threads; before the first use of `native`."""
    from eventlet import tpool

    tpool.set_num_threads(count)
