"""Every event is confirmed by its own confirm, whatever the broker answers and in whatever order."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.bus.confirms import ConfirmTracker, Doubt

# One step of a broker: (ack or nack, tag, multiple); tags may repeat, come late, or never have been sent.
STEPS = st.lists(st.tuples(st.booleans(), st.integers(1, 12), st.booleans()), max_size=25)


@settings(max_examples=500, deadline=None)
@given(sent=st.integers(1, 10), steps=STEPS)
def test_no_place_is_confirmed_without_an_ack_that_covers_its_tag(
    sent: int, steps: list[tuple[bool, int, bool]]
) -> None:
    tracker = ConfirmTracker()
    for place in range(sent):
        tracker.sent(place)
    acked: set[int] = set()
    closed: set[int] = set()
    for ack, tag, multiple in steps:
        covered = {one for one in range(1, sent + 1) if one <= tag} if multiple else {tag}
        try:
            (tracker.on_ack if ack else tracker.on_nack)(tag, multiple)
        except Doubt:
            break
        if ack:
            acked |= covered - closed
        closed |= covered

    confirmed = tracker.confirmed_before(sent)

    assert all(place + 1 in acked for place in range(confirmed))
    assert confirmed == sent or confirmed + 1 not in acked


def test_an_ack_for_a_message_of_long_ago_is_doubt_and_confirms_nothing_else() -> None:
    """The fault this class exists for: a late ack taken for the message that is being waited for."""
    tracker = ConfirmTracker()
    tracker.sent(0)
    tracker.on_ack(1, multiple=False)
    tracker.start_batch()
    tracker.sent(0)

    with pytest.raises(Doubt):
        tracker.on_ack(1, multiple=False)

    assert tracker.confirmed_before(1) == 0


def test_one_nack_of_fifty_leaves_the_events_before_it_confirmed_and_is_doubt() -> None:
    tracker = ConfirmTracker()
    for place in range(50):
        tracker.sent(place)
    tracker.on_ack(20, multiple=True)
    tracker.on_nack(21, multiple=False)
    tracker.on_ack(50, multiple=True)

    assert tracker.confirmed_before(50) == 20
    assert not tracker.waiting
    with pytest.raises(Doubt, match="refused"):
        tracker.check()


def test_a_batch_is_not_begun_while_the_one_before_is_open() -> None:
    tracker = ConfirmTracker()
    tracker.sent(0)

    with pytest.raises(Doubt):
        tracker.start_batch()
