"""A page token is taken only for the question it was made for, as it was made."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import FieldInvalid, PageTokenInvalid
from chassis.paging import make_token, page_size, read_token

KEYS = st.lists(st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.floats(allow_nan=False))


@given(st.text(), KEYS)
def test_a_key_comes_back_for_its_own_question(question: str, key: list[object]) -> None:
    token = make_token(question, key)
    assert read_token(question, token) == key
    with pytest.raises(PageTokenInvalid):
        read_token(question + "x", token)


def test_no_token_is_the_first_page() -> None:
    assert read_token("q", "") is None


def test_a_token_cut_short_or_changed_is_refused() -> None:
    token = make_token("deals of hq", ["2026-01-01", "0198c0de-0000-7000-8000-000000000001"])
    for length in range(1, len(token)):
        with pytest.raises(PageTokenInvalid):
            read_token("deals of hq", token[:length])
    body = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    with pytest.raises(PageTokenInvalid):
        read_token("deals of hq", base64.urlsafe_b64encode(body.replace(b"2026", b"2027")).decode())


@given(st.text(min_size=1) | st.binary(min_size=1).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_foreign_text_is_refused(token: str) -> None:
    with pytest.raises(PageTokenInvalid):
        read_token("q", token)


@pytest.mark.parametrize("body", [b"[" * 100_000, b"{}", b"5", b'["a"]', b'["a","b"]', b'{"a":1,"b":2}', b"\xff\xff"])
def test_json_of_another_shape_is_refused(body: bytes) -> None:
    with pytest.raises(PageTokenInvalid):
        read_token("q", base64.urlsafe_b64encode(body).decode())


def test_a_page_has_the_size_asked_for_within_bounds() -> None:
    assert (page_size(0, 50, 200), page_size(1, 50, 200), page_size(200, 50, 200)) == (50, 1, 200)
    for asked in (-1, 201, 2**31 - 1):
        with pytest.raises(FieldInvalid) as refused:
            page_size(asked, 50, 200)
        assert refused.value.violations[0].field == "page_size"
