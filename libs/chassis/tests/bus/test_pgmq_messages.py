"""A message for PGMQ is written into a form: it must say what an encoder would have said."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from chassis.bus.events import wire_headers
from chassis.bus.pgmq_messages import message_text
from chassis.ids import new_id
from chassis.logged_event import LoggedEvent

TEXTS = st.text(max_size=20)


@given(TEXTS, TEXTS, TEXTS, TEXTS, st.dictionaries(TEXTS, TEXTS, max_size=3), st.binary(max_size=40))
def test_any_event_is_told_whole(
    source: str, aggregate: str, kind: str, key: str, headers: dict[str, str], data: bytes
) -> None:
    event = LoggedEvent(7, 2, new_id(), aggregate, new_id(), 3, kind, key, headers, data, datetime.now(UTC))

    told = json.loads(message_text(event, source))

    assert told["headers"] == wire_headers(event, source)
    assert base64.b64decode(told["body"]) == data
    assert told["properties"]["delivery_info"] == {"exchange": "crm.events", "routing_key": key}
    assert told["properties"]["type"] == kind
    assert told["properties"]["message_id"] == told["properties"]["delivery_tag"] == event.event_id
