"""How many queues each consumer is to have, as the settings say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chassis.bus.consumer import Consumer
from chassis.bus.transport import Bus, DividingBus
from chassis.naming import QUEUES
from chassis.settings import SettingsInvalid, load_settings


@dataclass(frozen=True)
class QueueSettings:
    """`REPORTING_QUEUES` says how many queues the consumer `reporting` has: 1, 2, 4, 8 or 16."""

    queues: int = 1


def divided(consumers: Sequence[Consumer], bus: Bus) -> tuple[Consumer, ...]:
    """The consumers with as many queues as is set for each, on a bus where they may have several.

    Errors: SettingsInvalid.
    """
    if not isinstance(bus, DividingBus):
        return tuple(consumers)
    return tuple(replace(one, queues=_read_queues(one)) for one in consumers)


def _read_queues(consumer: Consumer) -> int:
    setting = f"{consumer.name.upper()}_QUEUES"
    number = load_settings(QueueSettings, f"{consumer.name.upper()}_").queues
    if number not in QUEUES:
        raise SettingsInvalid(f"settings: {setting} is {number}, not one of {', '.join(map(str, QUEUES))}")
    if number > 1 and not consumer.divisible:
        raise SettingsInvalid(f"settings: {setting} is {number}, but {consumer.name} must hear everything in one queue")
    return number
