"""Our frames say the same as py-amqp's own coding of them, whole or cut into pieces."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from amqp.exceptions import UnexpectedFrame
from amqp.serialization import decode_properties_basic, dumps, loads
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.bus.amqp_frames import DeliveryReader, FrameStream, publish_frames

NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


class Wire:
    """A connection as the frame handlers see it: bytes in, frames taken."""

    def __init__(self, reader: DeliveryReader, pieces: list[bytes]) -> None:
        self.bytes_recv = 0
        self.pieces = pieces
        self.others: list[Any] = []
        self.transport = self
        self.sock = SimpleNamespace(recv=lambda _size: self.pieces.pop(0))
        self.on_inbound_frame = reader(self, lambda *frame: self.others.append(frame))

    def having_timeout(self, _seconds: float) -> Any:
        """No time passes here."""
        from contextlib import nullcontext

        return nullcontext()


def split_frames(data: bytes) -> list[tuple[int, int, bytes]]:
    found = []
    while data:
        kind, channel, size = data[0], int.from_bytes(data[1:3], "big"), int.from_bytes(data[3:7], "big")
        assert data[7 + size] == 0xCE
        found.append((kind, channel, data[7 : 7 + size]))
        data = data[8 + size :]
    return found


def deliver_frames(tag: int, key: str, content: list[tuple[int, int, bytes]]) -> bytes:
    """What a broker sends for a publish's content."""
    arguments = dumps("sLbss", ("some consumer", tag, False, "crm.events", key))
    frames = [(1, 1, b"\x00\x3c\x00\x3c" + arguments), *content]
    return b"".join(
        bytes((kind,)) + channel.to_bytes(2, "big") + len(part).to_bytes(4, "big") + part + b"\xce"
        for kind, channel, part in frames
    )


def frames_of(body: bytes, headers: dict[str, str], frame_max: int = 4096) -> bytes:
    return publish_frames(
        1, frame_max, "crm.events", "crm.a.b", body, headers, "application/x", "id-1", "crm.Type", 1_700_000_000
    )


@settings(max_examples=100, deadline=None)
@given(body=st.binary(max_size=10_000), headers=st.dictionaries(NAMES, TEXTS, max_size=12))
def test_py_amqp_reads_our_publish_as_it_was_meant(body: bytes, headers: dict[str, str]) -> None:
    method, header, *chunks = split_frames(frames_of(body, headers))

    (ticket, exchange, key, mandatory, immediate), _ = loads("Bssbb", method[2], 4)
    properties, _ = decode_properties_basic(header[2], 12)

    assert (exchange, key, mandatory, immediate) == ("crm.events", "crm.a.b", True, False)
    assert properties.pop("application_headers") == headers
    assert properties == {
        "content_type": "application/x", "content_encoding": "binary", "delivery_mode": 2, "message_id": "id-1",
        "timestamp": 1_700_000_000, "type": "crm.Type",
    }  # fmt: skip
    assert int.from_bytes(header[2][4:12], "big") == len(body)
    assert b"".join(chunk[2] for chunk in chunks) == body
    assert all(len(chunk[2]) <= 4096 - 8 for chunk in chunks)


@settings(max_examples=100, deadline=None)
@given(
    bodies=st.lists(st.binary(max_size=9_000), min_size=1, max_size=4),
    headers=st.dictionaries(NAMES, TEXTS, max_size=12),
    data=st.data(),
)
def test_deliveries_are_read_however_the_stream_is_cut(
    bodies: list[bytes], headers: dict[str, str], data: st.DataObject
) -> None:
    stream = b"".join(
        deliver_frames(tag, "crm.a.b", split_frames(frames_of(body, headers))[1:]) for tag, body in enumerate(bodies, 1)
    )
    cuts = sorted(data.draw(st.lists(st.integers(1, len(stream) - 1), max_size=6, unique=True)))
    pieces = [stream[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    reader = DeliveryReader()
    reading = FrameStream(Wire(reader, pieces))

    for _ in range(len(pieces)):
        assert reading.drain(1.0)

    assert [(one.tag, one.routing_key, one.body) for one in reader.deliveries] == [
        (tag, "crm.a.b", body) for tag, body in enumerate(bodies, 1)
    ]
    assert all(one.headers == headers and one.content_type == "application/x" for one in reader.deliveries)


@pytest.mark.parametrize(("value", "attempts"), [(3, 3), ("3", 0), (None, 0)])
def test_the_delivery_count_is_read_where_the_broker_sends_one(value: object, attempts: int) -> None:
    header = split_frames(frames_of(b"", {}))[1][2]
    start = 14 + 1 + len("application/x") + 1 + len("binary")
    table = dumps("F", ({"x-delivery-count": value, "other": {"nested": 1}},))
    content = [(2, 1, header[:start] + table + header[start + 4 :])]
    reader = DeliveryReader()

    FrameStream(Wire(reader, [deliver_frames(1, "k", content)])).drain(1.0)

    assert reader.deliveries[0].attempts == attempts


def test_a_header_that_is_no_text_still_arrives() -> None:
    header = split_frames(frames_of(b"", {"name": "abc"}))[1][2].replace(b"abc", b"\xff\xfe\xfd")
    reader = DeliveryReader()

    FrameStream(Wire(reader, [deliver_frames(1, "k", [(2, 1, header)])])).drain(1.0)

    assert reader.deliveries[0].headers == {"name": "\ufffd" * 3}


def test_frames_that_are_no_deliveries_go_on_to_py_amqp() -> None:
    reader = DeliveryReader()
    wire = Wire(reader, [b"\x01\x00\x00\x00\x00\x00\x04\x00\x0a\x00\x3c\xce"])

    FrameStream(wire).drain(1.0)

    assert wire.others == [(0, (10, 60), b"\x00\x0a\x00\x3c", None)]


def test_a_stream_that_lost_its_frames_and_a_closed_one_are_errors() -> None:
    with pytest.raises(UnexpectedFrame):
        FrameStream(Wire(DeliveryReader(), [b"\x01\x00\x00\x00\x00\x00\x00\x00"])).drain(1.0)
    with pytest.raises(ConnectionResetError):
        FrameStream(Wire(DeliveryReader(), [b""])).drain(1.0)
