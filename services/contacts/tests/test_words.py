"""By which words a card is found, and that any text survives the way into the index."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts.cards import EMAIL, PHONE, Channel, PersonCard
from contacts.words import search_words, vector_of


def test_a_card_is_found_by_its_words_in_both_scripts_its_numbers_from_both_ends_and_its_mail() -> None:
    card = PersonCard(id="", display_name="Гранин В.", unit_id="")
    card.channels = [Channel(PHONE, "+79123", "8 912 3"), Channel(EMAIL, "O'Neil@Epoch.ru", "")]
    short = ["kгр", "kгра", "kгран", "kgr", "kgra", "kgran"]
    reached = ["p79123", "s32197", "eo'neil@epoch.ru", "depoch.ru"]
    assert search_words(card) == ["nгранин", "ngranin", *short, "nв", "nv", *reached]


@pytest.mark.parametrize(
    ("words", "text"),
    [([], ""), (["a"], "'a'"), (["a", "b"], "'a' 'b'"), (["o'n"], "'o''n'"), (["'", "\\"], "'''' '\\\\'")],
)
def test_lexemes_are_quoted(words: list[str], text: str) -> None:
    assert vector_of(words) == text


@given(st.lists(st.text(min_size=1)))
def test_quoted_lexemes_can_be_told_apart_again(words: list[str]) -> None:
    text, found, at = vector_of(words), [], 0
    while at < len(text):
        assert text[at] == "'"
        word, at = "", at + 1
        while not (text[at] == "'" and text[at + 1 : at + 2] != "'"):
            at += text[at] in "'\\"
            word, at = word + text[at], at + 1
        found.append(word)
        at += 2
    assert found == words
