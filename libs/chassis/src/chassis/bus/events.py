"""What an event looks like in the log, on the wire and in a handler's hands; knows no transport and no table.

Source: CloudEvents 1.0, AMQP binding, binary mode (attributes as headers with the prefix `cloudEvents_`). All header
values are strings, so both transports carry the same.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from google.protobuf.message import DecodeError, Message

from chassis.cells import is_cell_true
from chassis.ids import is_id
from chassis.logged_event import LoggedEvent

CONTENT_TYPE = "application/x-crm-protobuf"
MAX_VERSION, MAX_EPOCH = 2**63 - 1, 2**31 - 1  # what the columns hold
NAMELESS = uuid.UUID("0a5dc3a4-6f4e-4c0b-9d8e-3d6f3c1f7b52")  # namespace of ids made for messages that carry none


class Envelope(NamedTuple):
    """Where an event comes from and what it is about, before its message is decoded."""

    event_id: str
    type: str
    source: str
    aggregate: str
    aggregate_id: str
    version: int
    epoch: int
    position: int
    time: datetime
    headers: Mapping[str, str]
    body: bytes
    attempts: int = 0
    flaw: str = ""  # why it cannot be handled at all; empty when it can


class Incoming(NamedTuple):
    """A message as a transport delivered it. `attempts` counts earlier deliveries that ended in a crash.

    `envelope` is what `open_envelope` makes of it, where the transport knows that already.
    """

    tag: int
    attempts: int
    content_type: str
    routing_key: str
    headers: Mapping[str, str]
    body: bytes
    envelope: Envelope | None = None


class Delivery(NamedTuple):
    """One event for a handler. `(epoch, version)` grows with each change of the aggregate; `time` is its commit's."""

    event_id: str
    type: str
    source: str
    aggregate: str
    aggregate_id: str
    version: int
    epoch: int
    position: int
    time: datetime
    headers: Mapping[str, str]
    message: Message


class Undecodable(Exception):
    """The event cannot become a message here; `code` says why: TYPE_UNKNOWN or BODY_INVALID."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def wire_headers(event: LoggedEvent, source: str) -> dict[str, str]:
    """The headers an event travels with, all of them strings."""
    time = event.create_time.isoformat()
    return wire_headers_of(
        source, event.event_id, event.type, event.aggregate, event.aggregate_id, event.version, event.epoch,
        event.position, time, event.headers,
    )  # fmt: skip


def wire_headers_of(
    source: str, event_id: str, kind: str, aggregate: str, aggregate_id: str, version: int, epoch: int, position: int,
    time: str, more: Mapping[str, str],
) -> dict[str, str]:  # fmt: skip
    """The same of an event in parts, its time as text."""
    return {
        "cloudEvents_specversion": "1.0",
        "cloudEvents_id": event_id,
        "cloudEvents_source": source,
        "cloudEvents_type": kind,
        "cloudEvents_subject": f"{aggregate}/{aggregate_id}",
        "cloudEvents_time": time,
        "cloudEvents_datacontenttype": "application/protobuf",
        "cloudEvents_sequence": f"{version:019d}",
        "cloudEvents_partitionkey": aggregate_id,
        "crm_epoch": str(epoch),
        "crm_position": str(position),
        **more,
    }


def open_envelope(message: Incoming) -> Envelope:
    """Read the headers of a message; what cannot be read gives an envelope with a `flaw` and ids of its own."""
    if message.envelope is not None:
        return message.envelope._replace(attempts=message.attempts) if message.attempts else message.envelope
    if message.content_type != CONTENT_TYPE:
        return _flawed(message, "CONTENT_TYPE_UNKNOWN")
    headers = message.headers
    try:
        if not is_cell_true(message.routing_key, headers, _text(headers, "cloudEvents_source")):
            return _flawed(message, "CELL_FALSE")
        aggregate, _, aggregate_id = _text(headers, "cloudEvents_subject").partition("/")
        return Envelope(
            event_id=_id(headers["cloudEvents_id"]),
            type=_text(headers, "cloudEvents_type"),
            source=_text(headers, "cloudEvents_source"),
            aggregate=aggregate,
            aggregate_id=_id(aggregate_id),
            version=_number(headers, "cloudEvents_sequence", MAX_VERSION),
            epoch=_number(headers, "crm_epoch", MAX_EPOCH),
            position=_number(headers, "crm_position", MAX_VERSION),
            time=datetime.fromisoformat(headers["cloudEvents_time"]),
            headers=headers,
            body=message.body,
            attempts=message.attempts,
        )
    except (KeyError, ValueError, AttributeError, TypeError):
        return _flawed(message, "HEADERS_INVALID")


def read_time(message: Incoming) -> datetime | None:
    """When the event of a message was committed, where its headers tell."""
    try:
        return datetime.fromisoformat(message.headers["cloudEvents_time"]).astimezone(UTC)
    except (KeyError, ValueError, TypeError):
        return None


def clean_text(text: object) -> str:
    """The text without NUL, which PostgreSQL cannot store."""
    return str(text).replace("\0", "\ufffd")


def _text(headers: Mapping[str, str], name: str) -> str:
    text = headers[name]
    if not text or "\0" in text:
        raise ValueError(name)
    return text


def _id(text: str) -> str:
    """The canonical form of an id, which it nearly always has already."""
    return text if isinstance(text, str) and is_id(text) else str(uuid.UUID(text))


def _number(headers: Mapping[str, str], name: str, highest: int) -> int:
    number = int(headers[name])
    if not 0 <= number <= highest:
        raise ValueError(name)
    return number


def _flawed(message: Incoming, flaw: str) -> Envelope:
    headers = {clean_text(key): clean_text(value) for key, value in message.headers.items()}
    own_id = str(uuid.uuid5(NAMELESS, f"{sorted(headers.items())}{message.body.hex()}"))
    now = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
    kind = headers.get("cloudEvents_type", "")
    source = headers.get("cloudEvents_source", "")
    return Envelope(own_id, kind, source, "", own_id, 0, 0, 0, now, headers, message.body, message.attempts, flaw)


class Catalogue:
    """The messages a consumer understands, by full name."""

    def __init__(self, types: Iterable[type[Message]]) -> None:
        self._types = {kind.DESCRIPTOR.full_name: kind for kind in types}
        self._packages = {name.rpartition(".")[0] for name in self._types}

    def passes_over(self, envelope: Envelope) -> bool:
        """Tell whether an event is a fact that its contract got after this consumer was written, and so none of its.

        Another major version is no such fact: what it changed may concern the consumer.
        """
        name = envelope.type
        return not envelope.flaw and name not in self._types and name.rpartition(".")[0] in self._packages

    def deliver(self, envelope: Envelope) -> Delivery:
        """Decode the message of an envelope. Errors: Undecodable."""
        if envelope.flaw:
            raise Undecodable(envelope.flaw)
        kind = self._types.get(envelope.type)
        if kind is None:
            raise Undecodable("TYPE_UNKNOWN")
        try:
            message = kind.FromString(envelope.body)
        except DecodeError:
            raise Undecodable("BODY_INVALID") from None
        return Delivery(
            envelope.event_id, envelope.type, envelope.source, envelope.aggregate, envelope.aggregate_id,
            envelope.version, envelope.epoch, envelope.position, envelope.time, envelope.headers, message,
        )  # fmt: skip
