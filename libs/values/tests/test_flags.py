"""Yes and no are read in every language of the product, whoever writes them."""

from __future__ import annotations

import pytest

from values.flags import read_yes_no


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("yes", True), (" Yes ", True), ("ДА", True), ("نعم", True), ("بله", True), ("はい", True), ("1", True),
        ("no", False), ("Нет", False), ("لا", False), ("خیر", False), ("いいえ", False), ("0", False),
        ("", None), ("perhaps", None), ("10", None),
    ],
)  # fmt: skip
def test_a_word_is_yes_or_no_or_neither(text: str, said: bool | None) -> None:
    assert read_yes_no(text) is said
