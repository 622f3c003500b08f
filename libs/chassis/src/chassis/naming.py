"""Every name on the bus is built here: exchange, routing keys, bindings, queues.

The rules hold on both transports. PGMQ: `#` stands for one word or more and a queue name has at most 47 characters of
[a-z0-9_], so keys close with a last word and queue names use underscores only.
"""

from __future__ import annotations

import re
import zlib
from functools import lru_cache

EXCHANGE = "crm.events"
DEAD_EXCHANGE, DEAD_QUEUE = "crm.dlx", "crm_dead"  # RabbitMQ only: events that killed their consumer too often
UNROUTED_EXCHANGE, UNROUTED_QUEUE = "crm.unrouted", "crm_unrouted"  # RabbitMQ only: events no queue wanted
PARTITIONS = 16
QUEUES = (1, 2, 4, 8, 16)  # how many a consumer may have: each takes as many partitions as the others
_PARTITION_WORD = 5
LAST_WORD = "e"
MAX_QUEUE_NAME = 47
_WORDS = re.compile(r"(?<!^)(?=[A-Z])")
_WORD = re.compile(r"[a-z0-9_]+")


class NameInvalid(ValueError):
    """A name on the bus would not mean the same on both transports."""


def partition_of(aggregate_id: str) -> int:
    """The partition of an aggregate, 0 to 15, the same in every process."""
    return zlib.crc32(aggregate_id.encode()) % PARTITIONS


@lru_cache(maxsize=256)  # asked for each event, answered for a few dozen kinds
def fact_of(message_name: str, aggregate: str) -> str:
    """`DealStageChanged` of aggregate `deal` is the fact `stage_changed`. Errors: NameInvalid."""
    snake = _WORDS.sub("_", message_name).lower()
    if not snake.startswith(aggregate + "_"):
        raise NameInvalid(f"event {message_name} does not begin with its aggregate {aggregate}")
    return snake[len(aggregate) + 1 :]


def routing_key(service: str, aggregate: str, fact: str, major: int, aggregate_id: str, unit_path: str) -> str:
    """`crm.<service>.<aggregate>.<fact>.v<major>.p<NN>.<unit path>.e`; an empty path is the word `all`."""
    start, end = _key_around(service, aggregate, fact, major, unit_path)
    return f"{start}{partition_of(aggregate_id):02d}{end}"


@lru_cache(maxsize=4096)  # a few dozen facts in some hundred units
def _key_around(service: str, aggregate: str, fact: str, major: int, unit_path: str) -> tuple[str, str]:
    path = unit_path or "all"
    for word in (service, aggregate, fact, *path.split(".")):
        if not _WORD.fullmatch(word):
            raise NameInvalid(f"{word!r} is not a word of [a-z0-9_]")
    return f"crm.{service}.{aggregate}.{fact}.v{major}.p", f".{path}.{LAST_WORD}"


def binding(service: str = "*", aggregate: str = "*", fact: str = "*", major: str = "*", unit_path: str = "") -> str:
    """A binding for facts, of a unit's subtree where a path is given."""
    below = f"{unit_path}.#" if unit_path else "#"
    return f"crm.{service}.{aggregate}.{fact}.{major}.*.{below}"


def narrow(pattern: str, partition: int) -> str:
    """A binding that takes one partition of what `pattern` takes. Errors: NameInvalid unless that leaves it open."""
    words = pattern.split(".")
    if len(words) <= _PARTITION_WORD or words[_PARTITION_WORD] != "*":
        raise NameInvalid(f"binding {pattern!r} does not leave the partition open")
    words[_PARTITION_WORD] = f"p{partition:02d}"
    return ".".join(words)


def queue_name(consumer: str, queues: int = 1, part: int = 0) -> str:
    """The queue of a consumer: `crm_<consumer>_in`, of one with several `crm_<consumer>_in_<queues>_<part>`.

    Errors: NameInvalid when too long or not of [a-z0-9_].
    """
    name = f"crm_{consumer}_in" + (f"_{queues}_{part}" if queues > 1 else "")
    if not _WORD.fullmatch(name) or len(name) > MAX_QUEUE_NAME:
        raise NameInvalid(f"queue name {name!r} is not of [a-z0-9_] or longer than {MAX_QUEUE_NAME}")
    return name
