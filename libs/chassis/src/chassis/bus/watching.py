"""What a worker measures of its service's messaging now and then: what is unsent, what waits for whom."""

from __future__ import annotations

from chassis import measuring
from chassis.bus.consumer import Consumer
from chassis.database import Database
from chassis.messaging_state import OPEN_STATES, count_waiting, read_oldest_unsent

WATCH_SECONDS = 15.0  # twice within the shortest time that an alarm waits for


def watch_messaging(database: Database, consumers: tuple[Consumer, ...]) -> None:
    """Measure the service once. What waits nowhere is measured as 0, so that an alarm ends."""
    with database.reading() as work:
        measuring.oldest_unsent.set(read_oldest_unsent(work), {"branchline.service": database.service})
        found = count_waiting(work)
    for consumer in consumers:
        for state in OPEN_STATES:
            told = {"messaging.consumer.group.name": consumer.name, "branchline.state": state}
            measuring.waiting.set(found.get((consumer.name, state), 0), told)
