"""A worker process of the messaging suite: notes what it handles, and dies where the test says.

python -m tests.contract.messaging.worker_process DATABASE_URL BUS_URL FOLDER [STEP]
"""

from chassis.bus.patch import patch

patch()

import os  # noqa: E402  (the patch is the first statement of a worker process)
import signal  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable, Sequence  # noqa: E402
from datetime import timedelta  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import sqlalchemy as sa  # noqa: E402

from chassis import clock  # noqa: E402
from chassis.bus import amqp, pgmq  # noqa: E402
from chassis.bus.events import Delivery  # noqa: E402
from chassis.bus.relay import Relay  # noqa: E402
from chassis.bus.service import Timer, WorkerService  # noqa: E402
from chassis.bus.subscription import Subscription  # noqa: E402
from chassis.bus.worker import run_workers  # noqa: E402
from chassis.database import Database, UnitOfWork  # noqa: E402
from chassis.logs import start_logs  # noqa: E402
from tests.contract.messaging.jumps import JUMPS_EVERY  # noqa: E402
from tests.contract.messaging.probes import a_consumer, name_in, write_ledger  # noqa: E402

# step -> what is done when it is reached
RELAY_STEPS: dict[str, list[tuple[type, str]]] = {
    "numbered": [(Relay, "next_batch")],
    "sent": [(amqp.AmqpPublisher, "begin"), (pgmq.PgmqPublisher, "begin")],
    "confirmed": [(amqp.AmqpPublisher, "finish"), (pgmq.PgmqPublisher, "finish")],
    "advanced": [(Relay, "advance")],
}
CONSUMER_STEPS: dict[str, list[tuple[type, str]]] = {
    "received": [(amqp.AmqpReceiver, "receive"), (pgmq.PgmqReceiver, "receive")],
    "handled": [(Subscription, "_run_handlers")],
    "committed": [(Subscription, "handle")],
    "acked": [(amqp.AmqpReceiver, "ack"), (pgmq.PgmqReceiver, "ack")],
}

JUMP_SECONDS = 600.0


def die() -> None:
    """End as by kill -9."""
    os.kill(os.getpid(), signal.SIGKILL)


def break_at(step: str) -> None:
    """Die when a step of relay or consumer has been done with something in hand.

    `broken` is a fault of our own, `jumping` a clock that is ten minutes late, right, and ten minutes early in turn.
    """
    if step == "broken":
        Relay.lead = fail  # type: ignore[assignment, method-assign]
        return
    if step == "jumping":
        jump()
        return
    for kind, name in {**RELAY_STEPS, **CONSUMER_STEPS}[step]:
        setattr(kind, name, _then_die(getattr(kind, name)))


def jump() -> None:
    """Let all that asks for the time of day be told a wrong one."""
    right_now, right_time = clock.now, time.time

    def ahead() -> float:
        return JUMP_SECONDS * (int(time.monotonic() / JUMPS_EVERY) % 3 - 1)

    clock.now = lambda: right_now() + timedelta(seconds=ahead())
    time.time = lambda: right_time() + ahead()


def _then_die(act: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Any, *args: Any) -> Any:
        answer = act(self, *args)
        if args or getattr(answer, "events", True):
            if isinstance(answer, list) and not answer:
                return answer
            die()
        return answer

    return method


def handler_on(url: str) -> Callable[[UnitOfWork, Sequence[Delivery]], None]:
    """A handler that counts attempts apart from the transaction, and does what a person's name says."""
    apart = sa.create_engine(url, isolation_level="AUTOCOMMIT")

    def handler(work: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
        for one in deliveries:
            if name_in(one) in ("die", "poison"):
                with apart.connect() as connection:
                    connection.execute(sa.text("INSERT INTO attempt (event_id) VALUES (:id)"), {"id": one.event_id})
            if name_in(one) == "die":
                die()
            if name_in(one) == "poison":
                raise ValueError("not this name")
        write_ledger(work, deliveries)

    return handler


def fail(*_: object) -> None:
    """Something that fails each time."""
    raise LookupError("nothing there")


def main(url: str, bus_url: str, folder: str, step: str = "") -> None:
    """Run until told to stop."""
    start_logs("probe")
    if step:
        break_at(step)
    database = Database(url, "contacts", statement_timeout_ms=30_000)
    consumer = a_consumer(handler_on(url))
    timers = (Timer("failing", 0.2, fail),)
    run_workers([WorkerService("contacts", database, (consumer,), timers=timers)], bus_url, Path(folder) / "health")


if __name__ == "__main__":
    main(*sys.argv[1:])
