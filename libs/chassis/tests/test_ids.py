"""Ids are UUIDv7 that sort in the order in which they were made."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from chassis.ids import is_id, new_id, time_of


def test_an_id_is_a_uuid_of_version_7_and_of_now() -> None:
    made = uuid.UUID(new_id())
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert abs((made.int >> 80) / 1000 - time.time()) < 5


def test_ids_of_a_process_rise_even_within_one_millisecond() -> None:
    made = [new_id() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_of_many_threads_are_all_different_and_rise_in_each() -> None:
    with ThreadPoolExecutor(8) as pool:
        lists = list(pool.map(lambda _: [new_id() for _ in range(2_000)], range(8)))
    assert all(one == sorted(one) for one in lists)
    assert len({value for one in lists for value in one}) == 16_000


OTHER_FORMS = [
    "",
    "x",
    "0198C0DE-0000-7000-8000-000000000001",
    "{0198c0de-0000-7000-8000-000000000001}",
    "0198c0de000070008000000000000001",
    "urn:uuid:0198c0de-0000-7000-8000-000000000001",
]


@pytest.mark.parametrize("text", OTHER_FORMS)
def test_only_the_canonical_form_is_an_id(text: str) -> None:
    assert not is_id(text)
    assert is_id("0198c0de-0000-7000-8000-000000000001")


def test_an_id_tells_when_it_was_made_unless_it_is_of_another_kind() -> None:
    before = datetime.now(UTC)
    made = time_of(new_id())
    assert made is not None
    assert abs(made - before) < timedelta(seconds=5)
    assert time_of("017f22e2-79b0-7cc3-98c4-dc0c0c07398f") == datetime(
        2022, 2, 22, 19, 22, 22, tzinfo=UTC
    )  # RFC 9562, A.6
    assert time_of(str(uuid.uuid4())) is None
    assert time_of("nonsense") is None
