"""When a delivery comes again, what answers mean, and signatures that receivers can check."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.webhooks import rules
from gateway.webhooks.rules import Outcome, after_failure, pause_after, read_wish, result_of
from gateway.webhooks.signing import MARK, Sealing, new_secret, sign

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
REFUSED = Outcome(rules.REFUSED, 500)


def test_ten_tries_fill_three_days_and_the_last_is_the_last() -> None:
    pauses = [pause_after(tries, 0) for tries in range(1, 11)]
    assert pauses[-1] is None
    assert sum(filter(None, pauses), timedelta()) == timedelta(hours=75, minutes=35, seconds=5)


@given(st.integers(1, len(rules.PAUSES)), st.floats(0, 1))
def test_chance_makes_a_pause_longer_by_a_tenth_at_most(tries: int, chance: float) -> None:
    plain, found = pause_after(tries, 0), pause_after(tries, chance)
    assert plain is not None
    assert found is not None
    assert plain <= found <= plain * 1.1


def test_one_bad_event_lets_the_receiver_go_on_and_three_in_a_row_do_not() -> None:
    assert after_failure(REFUSED, 1, 2, NOW, 0).rest_until == NOW
    assert after_failure(REFUSED, 1, 3, NOW, 0).rest_until == NOW + timedelta(seconds=5)
    assert after_failure(REFUSED, 1, 4, NOW, 0).rest_until == NOW + timedelta(minutes=5)
    assert after_failure(REFUSED, 10, 12, NOW, 0) == rules.Next(None, None)


def test_a_receiver_may_ask_for_a_day_of_rest_and_not_for_more() -> None:
    week = Outcome(rules.THROTTLED, 429, wish=timedelta(days=7))
    assert after_failure(week, 1, 1, NOW, 0).rest_until == NOW + timedelta(days=1)
    assert read_wish("120", NOW) == timedelta(minutes=2)
    assert read_wish("Sun, 01 Mar 2026 13:00:00 GMT", NOW) == timedelta(hours=1)
    assert [read_wish(one, NOW) for one in ("", "soon", "-1", "9" * 99)] == [None] * 4
    assert read_wish("Sun, 01 Mar 2020 13:00:00 GMT", NOW) == timedelta(0)


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (200, rules.DELIVERED), (204, rules.DELIVERED), (302, rules.REDIRECTED), (410, rules.GONE),
        (429, rules.THROTTLED), (503, rules.THROTTLED), (400, rules.REFUSED), (500, rules.REFUSED),
    ],
)  # fmt: skip
def test_only_a_status_of_two_hundred_has_delivered(status: int, result: str) -> None:
    assert result_of(status) == result


def test_a_signature_is_the_one_of_the_standard() -> None:
    # Signed with another program: openssl dgst -sha256 -mac HMAC.
    secret = MARK + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
    found = sign("0198-a", datetime.fromtimestamp(1_700_000_000, UTC), b'{"a":1}', [secret])
    assert found == {
        "webhook-id": "0198-a",
        "webhook-timestamp": "1700000000",
        "webhook-signature": "v1,khMmHCgdn+uuZlyO3X0dS1+atNMe2rO+CtE7LhqHHew=",
    }


def test_while_a_secret_is_changed_both_sign() -> None:
    former, present = new_secret(), new_secret()
    both = sign("0198-a", NOW, b"{}", [present, former])["webhook-signature"].split(" ")
    assert both == [sign("0198-a", NOW, b"{}", [one])["webhook-signature"] for one in (present, former)]
    assert both[0] != both[1]


def test_a_stored_secret_tells_nothing_without_the_operators_key() -> None:
    secret = new_secret()
    sealed = Sealing("a key of the operator").seal(secret)
    assert secret.encode() not in sealed
    assert Sealing("a key of the operator").open(sealed) == secret
