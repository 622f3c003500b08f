"""Messages as AMQP 0-9-1 frames, written and read directly where py-amqp's general way costs most of the time.

py-amqp needs about 160 µs to write and 100 µs to read a message with our dozen text headers, this 25 and 30. Anything
that is not a publish or a delivery is left to py-amqp. Source: AMQP 0-9-1 specification, sections 4.2.3 to 4.2.6.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from struct import Struct
from typing import Any

from amqp.exceptions import FrameSyntaxError, UnexpectedFrame
from amqp.method_framing import frame_handler
from amqp.serialization import decode_properties_basic

from chassis.bus.events import Incoming

METHOD, HEADER, BODY, END = 1, 2, 3, b"\xce"
_FRAME = Struct(">BHI")
_PUBLISH = Struct(">HHH")  # class 60, method 40, ticket 0
_DELIVER = b"\x00\x3c\x00\x3c"  # class 60, method 60
_CONTENT = Struct(">HHQH")  # class, weight, body size, property flags
# content type 15, content encoding 14, headers 13, delivery mode 12, message id 7, timestamp 6, type 5
_FLAGS = 1 << 15 | 1 << 14 | 1 << 13 | 1 << 12 | 1 << 7 | 1 << 6 | 1 << 5
_SIMPLE_FLAGS = 1 << 15 | 1 << 14 | 1 << 13  # what comes first on the wire and is all that a delivery needs
_LONG = Struct(">I")
_LONG_LONG = Struct(">Q")
_PERSISTENT = b"\x02"
_SIGNED = Struct(">q")
_TEXT, _INTEGER = 0x53, 0x6C  # field types S, long string, and l, signed 64 bits (the delivery count)
MANDATORY = b"\x01"
FRAME_OVERHEAD = 8
READ_BYTES = 1 << 16


def publish_frames(
    channel: int, frame_max: int, exchange: str, key: str, body: bytes, headers: Mapping[str, str],
    content_type: str, message_id: str, kind: str, time: int,
) -> bytes:  # fmt: skip
    """All frames of one persistent, mandatory publish. Units: `time` in seconds since 1970."""
    method = _PUBLISH.pack(60, 40, 0) + _short(exchange) + _short(key) + MANDATORY
    table = b"".join([_short(name) + b"S" + _long(value) for name, value in headers.items()])
    properties = b"".join(
        (
            _CONTENT.pack(60, 0, len(body), _FLAGS), _short(content_type), b"\x06binary", _LONG.pack(len(table)), table,
            _PERSISTENT, _short(message_id), _LONG_LONG.pack(time), _short(kind),
        )
    )  # fmt: skip
    room = frame_max - FRAME_OVERHEAD
    parts = [_frame(METHOD, channel, method), _frame(HEADER, channel, properties)]
    parts.extend(_frame(BODY, channel, body[start : start + room]) for start in range(0, len(body), room))
    return b"".join(parts)


class FrameStream:
    """Reads a connection's socket in large pieces and hands the frames to the connection.

    py-amqp reads a message in ten calls of the socket. Each gives the interpreter's lock away, and beside a busy native
    thread it takes up to 5 ms to come back.
    """

    def __init__(self, wire: Any) -> None:
        self._wire = wire
        self._rest = b""

    def drain(self, seconds: float) -> bool:
        """Take what has come, waiting at most so long; False when nothing came. Errors: OSError, AMQPError."""
        transport = self._wire.transport
        try:
            with transport.having_timeout(seconds):
                data = transport.sock.recv(READ_BYTES)
        except TimeoutError:
            return False
        if not data:
            raise ConnectionResetError("the broker closed the connection")
        self._feed(self._rest + data)
        return True

    def give_back(self) -> None:
        """Leave the stream to py-amqp, with the beginning of a frame that has come already."""
        self._wire.transport._read_buffer, self._rest = self._rest, b""

    def take_back(self) -> None:
        """Go on after py-amqp has read for itself."""
        transport = self._wire.transport
        self._rest, transport._read_buffer = transport._read_buffer, b""

    def _feed(self, data: bytes) -> None:
        at, stop = 0, len(data)
        while stop - at >= FRAME_OVERHEAD:
            kind, channel, size = _FRAME.unpack_from(data, at)
            after = at + FRAME_OVERHEAD + size
            if after > stop:
                break
            if data[after - 1] != END[0]:
                raise UnexpectedFrame("a frame does not end where it says")
            content = data[at + 7 : after - 1]
            at = after
            self._wire.on_inbound_frame((kind, channel, content))
        self._rest = data[at:]


@dataclass
class _Partial:
    tag: int
    key: str
    content_type: str = ""
    headers: Mapping[str, Any] = field(default_factory=dict)
    size: int = 0
    chunks: list[bytes] = field(default_factory=list)


class DeliveryReader:
    """A frame handler for `amqp.Connection` that gathers deliveries in `deliveries` and passes on everything else."""

    def __init__(self) -> None:
        self.deliveries: deque[Incoming] = deque()
        self._partial: dict[int, _Partial] = {}

    def __call__(self, connection: Any, callback: Callable[..., Any]) -> Callable[[tuple[int, int, Any]], bool]:
        others: Callable[[Any], bool] = frame_handler(connection, callback)

        def on_frame(frame: tuple[int, int, Any]) -> bool:
            kind, channel, content = frame
            if kind == METHOD and content[:4] == _DELIVER:
                connection.bytes_recv += 1
                self._partial[channel] = _read_deliver(bytes(content))
                return False
            partial = self._partial.get(channel)
            if partial is None or kind not in (HEADER, BODY):
                return others(frame)
            connection.bytes_recv += 1
            if kind == HEADER:
                _read_header(partial, bytes(content))
            else:
                partial.chunks.append(bytes(content))
                partial.size -= len(content)
            if partial.size > 0:
                return False
            self._finish(channel, partial)
            return True

        return on_frame

    def _finish(self, channel: int, partial: _Partial) -> None:
        del self._partial[channel]
        count = partial.headers.get("x-delivery-count", 0)
        body = partial.chunks[0] if len(partial.chunks) == 1 else b"".join(partial.chunks)
        self.deliveries.append(
            Incoming(
                partial.tag,
                count if isinstance(count, int) else 0,
                partial.content_type,
                partial.key,
                partial.headers,
                body,
            )
        )


def _read_deliver(content: bytes) -> _Partial:
    at = 5 + content[4]  # after the consumer tag
    tag = _LONG_LONG.unpack_from(content, at)[0]
    at += 9  # the redelivered bit follows
    at += 1 + content[at]  # the exchange
    return _Partial(tag, content[at + 1 : at + 1 + content[at]].decode())


def _read_header(partial: _Partial, content: bytes) -> None:
    _, _, partial.size, flags = _CONTENT.unpack_from(content)
    if flags & _SIMPLE_FLAGS == _SIMPLE_FLAGS:
        start = _CONTENT.size + 1
        stop = start + content[start - 1]
        partial.content_type = content[start:stop].decode(errors="replace")
        headers = _read_table(content, stop + 1 + content[stop])
        if headers is not None:
            partial.headers = headers
            return
    try:
        properties, _ = decode_properties_basic(content, _CONTENT.size - 2)
    except (ValueError, FrameSyntaxError):
        return  # no headers: the event will be parked as one that cannot be read
    partial.content_type = properties.get("content_type", "")
    partial.headers = properties.get("application_headers") or {}


def _read_table(content: bytes, at: int) -> dict[str, Any] | None:
    """The entries of a table of texts and long integers; None when it holds something else."""
    end = at + 4 + _LONG.unpack_from(content, at)[0]
    at += 4
    found: dict[str, Any] = {}
    while at < end:
        start = at + 1 + content[at]
        name = content[at + 1 : start].decode(errors="replace")
        if content[start] == _TEXT:
            at = start + 5 + _LONG.unpack_from(content, start + 1)[0]
            found[name] = content[start + 5 : at].decode(errors="replace")
        elif content[start] == _INTEGER:
            at = start + 9
            found[name] = _SIGNED.unpack_from(content, start + 1)[0]
        else:
            return None
    return found


def _frame(kind: int, channel: int, content: bytes) -> bytes:
    return _FRAME.pack(kind, channel, len(content)) + content + END


def _short(text: str) -> bytes:
    data = text.encode()
    return bytes((len(data),)) + data


def _long(text: str) -> bytes:
    data = text.encode()
    return _LONG.pack(len(data)) + data
