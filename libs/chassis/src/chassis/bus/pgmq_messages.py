"""How an event stands in a queue inside PostgreSQL, in the form of kombu's virtual transports. Pure."""

from __future__ import annotations

import base64
import json
from functools import lru_cache

from chassis.bus.events import CONTENT_TYPE, Incoming
from chassis.bus.parcels import quoted
from chassis.logged_event import LoggedEvent
from chassis.naming import EXCHANGE


def message_text(event: LoggedEvent, source: str) -> str:
    """The event as kombu's virtual transports store a message: JSON with the body in base64.

    Written into a form, since an encoder takes ten times as long: ids, numbers and times need no quoting, and of what
    does there are few different texts.
    """
    return _MESSAGE.format(
        body=base64.b64encode(event.data).decode(),
        id=event.event_id,
        key=quoted(event.routing_key),
        type=quoted(event.type),
        source=quoted(source),
        aggregate=quoted(event.aggregate)[:-1],
        aggregate_id=event.aggregate_id,
        time=event.create_time.isoformat(),
        version=event.version,
        epoch=event.epoch,
        position=event.position,
        more=_more_headers(tuple(event.headers.items())),
    )


_MESSAGE = (
    '{{"body": "{body}", "content-encoding": "binary", "content-type": "' + CONTENT_TYPE + '", "headers": {{'
    '"cloudEvents_specversion": "1.0", "cloudEvents_id": "{id}", "cloudEvents_source": {source}, '
    '"cloudEvents_type": {type}, "cloudEvents_subject": {aggregate}/{aggregate_id}", "cloudEvents_time": "{time}", '
    '"cloudEvents_datacontenttype": "application/protobuf", "cloudEvents_sequence": "{version:019d}", '
    '"cloudEvents_partitionkey": "{aggregate_id}", "crm_epoch": "{epoch}", "crm_position": "{position}"{more}}}, '
    '"properties": {{"message_id": "{id}", "type": {type}, "delivery_mode": 2, '
    '"delivery_info": {{"exchange": "' + EXCHANGE + '", "routing_key": {key}}}, '
    '"delivery_tag": "{id}", "body_encoding": "base64"}}}}'
)


@lru_cache(maxsize=1024)  # those of one transaction are the same
def _more_headers(headers: tuple[tuple[str, str], ...]) -> str:
    """Headers that the writer gave, behind those of every event; the later of two of one name counts."""
    return "".join(f", {json.dumps(name)}: {json.dumps(value)}" for name, value in headers)


def incoming_of(
    msg_id: int, read_count: int, content_type: str | None, key: str | None, headers: str | None, body: str | None,
    encoding: str | None,
) -> Incoming:  # fmt: skip
    """What a reader gets of a message that the server took apart."""
    text = body or ""
    try:
        decoded = base64.b64decode(text) if encoding == "base64" else text.encode()
    except ValueError:
        decoded = text.encode()
    told = json.loads(headers) if headers else None
    return Incoming(
        msg_id, read_count - 1, content_type or "", key or "", told if isinstance(told, dict) else {}, decoded
    )
