"""Many events as one message, for the queues inside PostgreSQL that only our own readers read. Pure.

A row of a queue is written, marked as read, deleted and cleaned up after; for one event that costs several times what
the event itself does, for a parcel of hundreds it costs nothing. Outsiders get a message an event, in kombu's form.

The text of a parcel is deflated: events of one batch are much alike, and a sixth is written, logged and read a queue.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache

import orjson

from chassis.bus.events import CONTENT_TYPE, Envelope, Incoming, open_envelope, wire_headers_of
from chassis.cells import is_cell_true
from chassis.ids import is_id
from chassis.logged_event import LoggedEvent

MOST_EVENTS = 500  # as many as a consumer takes at once
DEFLATED = "z"  # begins the text of a parcel; one of an earlier version is plain JSON, which begins with a bracket
LEVEL = 1  # higher ones take twice as long and save a tenth
MOST_CHARACTERS = 2_000_000  # what a reader holds in memory beside the events themselves; one event may be larger

quoted = lru_cache(maxsize=1024)(json.dumps)  # of types, keys and sources there are few different ones


def entry_of(event: LoggedEvent) -> str:
    """One event as an entry of a parcel, which is the same for all queues."""
    return (
        f'["{event.event_id}",{quoted(event.type)},{quoted(event.aggregate)},"{event.aggregate_id}",{event.version},'
        f'{event.epoch},{event.position},"{event.create_time.isoformat()}",{quoted(event.routing_key)},'
        f'{_headers_text(tuple(event.headers.items()))},"{base64.b64encode(event.data).decode()}"]'
    )


def pack(source: str, entries: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Entries as parcels in their order: each the text of a message and how many events it holds."""
    some: list[str] = []
    size = 0
    for entry in entries:
        if some and (len(some) == MOST_EVENTS or size + len(entry) > MOST_CHARACTERS):
            yield _text_of(source, some), len(some)
            some, size = [], 0
        some.append(entry)
        size += len(entry)
    if some:
        yield _text_of(source, some), len(some)


@lru_cache(maxsize=4)  # a few megabytes: the readers of one process get the same parcels at about the same time
def unpack(text: str) -> tuple[Incoming, ...]:
    """The events as messages without a tag. Errors: ValueError (what came is no parcel)."""
    try:
        source, entries = orjson.loads(_inflate(text) if text.startswith(DEFLATED) else text)
        return tuple([_message_of(source, *entry) for entry in entries])
    except (TypeError, ValueError, zlib.error) as trouble:
        raise ValueError("no parcel") from trouble


def _message_of(
    source: str, event_id: str, kind: str, aggregate: str, aggregate_id: str, version: int, epoch: int, position: int,
    time: str, key: str, headers: dict[str, str], body: str,
) -> Incoming:  # fmt: skip
    told = wire_headers_of(
        source, event_id, kind, aggregate, aggregate_id, version, epoch, position, time, headers
    )  # fmt: skip
    data = base64.b64decode(body)
    moment = _moment_of(time)
    is_plain = is_id(f"{event_id}") and is_id(f"{aggregate_id}") and _are_words(source, kind, aggregate)
    if moment and is_plain and is_cell_true(key, told, source):
        place = (version, epoch, position)
        envelope = Envelope(event_id, kind, source, aggregate, aggregate_id, *place, moment, told, data)
    else:
        envelope = open_envelope(Incoming(0, 0, CONTENT_TYPE, key, told, data))
    return Incoming(0, 0, CONTENT_TYPE, key, told, data, envelope)


@lru_cache(maxsize=256)
def _are_words(source: str, kind: str, aggregate: str) -> bool:
    """Whether they can be read back out of headers, as those that a relay writes."""
    return all(one and "\0" not in one for one in (source, kind, aggregate)) and "/" not in aggregate


def _moment_of(time: str) -> datetime | None:
    try:
        return datetime.fromisoformat(time)
    except ValueError:
        return None


def _text_of(source: str, entries: Sequence[str]) -> str:
    text = f"[{quoted(source)},[{','.join(entries)}]]"
    return DEFLATED + base64.b64encode(zlib.compress(text.encode(), LEVEL)).decode()


def _inflate(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text[len(DEFLATED) :]))


@lru_cache(maxsize=1024)  # those of one transaction are the same
def _headers_text(headers: tuple[tuple[str, str], ...]) -> str:
    return json.dumps(dict(headers))
