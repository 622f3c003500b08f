"""Waits grow with failures up to their limit, and go on however long what is waited for stays away."""

from __future__ import annotations

import pytest

from chassis.backing_off import backoff_seconds, longest_wait


@pytest.mark.parametrize(("failures", "seconds"), [(0, 0.5), (1, 1.0), (2, 2.0), (3, 3.0), (40, 3.0), (100_000, 3.0)])
def test_a_wait_doubles_up_to_its_limit_and_a_long_outage_is_no_error(failures: int, seconds: float) -> None:
    assert longest_wait(failures, 0.5, 3.0) == seconds


def test_waits_differ_by_chance_within_the_upper_half() -> None:
    waits = [backoff_seconds(2_000, 0.5, 30.0) for _ in range(200)]
    assert all(15.0 <= one <= 30.0 for one in waits)
    assert len(set(waits)) > 100
