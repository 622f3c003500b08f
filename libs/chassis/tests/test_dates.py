"""Days and moments cross the wire unchanged, whatever their zone and their century."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from chassis.dates import to_time

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 28), timezones=ZONES))
def test_a_moment_is_written_as_the_protocol_writes_it(moment: datetime) -> None:
    expected = Timestamp()
    expected.FromDatetime(moment)
    written = to_time(moment)
    assert written == expected
    assert written is not None
    assert written.ToDatetime(UTC) == moment


def test_no_moment_stays_none() -> None:
    assert to_time(None) is None
