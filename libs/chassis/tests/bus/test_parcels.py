"""A parcel gives back every event as it was put in, and is never too large for its reader."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.bus.events import CONTENT_TYPE, Incoming, open_envelope, wire_headers
from chassis.bus.parcels import MOST_CHARACTERS, MOST_EVENTS, entry_of, pack, unpack
from chassis.ids import new_id
from chassis.logged_event import LoggedEvent

TEXTS = st.text(max_size=20)


def an_event(
    aggregate: str = "person", kind: str = "x", key: str = "k", headers: dict[str, str] | None = None, data: bytes = b""
) -> LoggedEvent:
    return LoggedEvent(7, 2, new_id(), aggregate, new_id(), 3, kind, key, headers or {}, data, datetime.now(UTC))


@given(TEXTS, TEXTS, TEXTS, TEXTS, st.dictionaries(TEXTS, TEXTS, max_size=3), st.binary(max_size=40))
def test_any_event_comes_out_as_it_went_in(
    source: str, aggregate: str, kind: str, key: str, headers: dict[str, str], data: bytes
) -> None:
    events = [an_event(aggregate, kind, key, headers, data), an_event()]

    [(text, count)] = pack(source, [entry_of(event) for event in events])

    assert count == 2
    for one, event in zip(unpack(text), events, strict=True):
        sent = Incoming(0, 0, CONTENT_TYPE, event.routing_key, wire_headers(event, source), event.data)
        assert one[:-1] == sent[:-1]
        assert open_envelope(one) == open_envelope(sent)


def test_an_event_that_ended_a_process_before_is_known_by_its_envelope() -> None:
    [(text, _)] = pack("s", [entry_of(an_event())])
    [message] = unpack(text)

    assert open_envelope(message._replace(attempts=3)).attempts == 3


def test_a_parcel_holds_no_more_events_than_a_reader_takes_and_keeps_their_order() -> None:
    events = [an_event(key=str(place)) for place in range(2 * MOST_EVENTS + 1)]

    parcels = list(pack("s", [entry_of(event) for event in events]))

    assert [count for _, count in parcels] == [MOST_EVENTS, MOST_EVENTS, 1]
    assert [key for text, _ in parcels for key in (one.routing_key for one in unpack(text))] == [
        event.routing_key for event in events
    ]


def test_large_events_travel_in_parcels_of_their_own() -> None:
    large = an_event(data=b"x" * MOST_CHARACTERS)

    parcels = list(pack("s", [entry_of(event) for event in (an_event(), large, an_event())]))

    assert [count for _, count in parcels] == [1, 1, 1]


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '["s", 3]', '["s", [[1]]]', '["s", [["a"]], 3]', "\x00"])
def test_what_is_no_parcel_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no parcel"):
        unpack(text)


def test_a_parcel_of_an_earlier_version_is_read_and_a_broken_one_is_refused() -> None:
    event = an_event()
    [(text, _)] = pack("s", [entry_of(event)])

    [message] = unpack(f'["s",[{entry_of(event)}]]')

    assert message == unpack(text)[0]
    for broken in (text[: len(text) // 2], "z", "zebra", f"z{text[1:5]}"):
        with pytest.raises(ValueError, match="no parcel"):
            unpack(broken)
