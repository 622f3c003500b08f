"""By which words a card is found, and which words a search asks for. Pure.

Each word is a lexeme with a first letter for its class: n a word of the name, k its first two, three and four letters,
p digits of a telephone, s the same digits backwards (people remember the end), e an e-mail, d its domain. All are
searched by their beginning. The short beginnings are words of their own, since every tenth card may have one: gathering
all words that begin so is far slower than walking one list.
"""

from __future__ import annotations

import re
from functools import lru_cache

from contacts.cards import EMAIL, PHONE, AnyCard, PersonCard
from values.names import fold_name, latin_spelling, search_tokens

SHORT = range(2, 5)  # letters of a beginning that is a word of its own
MOST = 100  # characters of a lexeme; longer words are found by their beginning
# Scripts written without blanks between words: a word is then found from each of its characters on.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
MOST_SUFFIXES = 12


def sort_key_of(name: str) -> str:
    """The key that cards are listed by."""
    return fold_name(name)[:MOST]


def search_words(card: AnyCard) -> list[str]:
    """The lexemes of a card, each once."""
    words = [lexeme for word in dict.fromkeys(_all_names(card).split()) for lexeme in _name_lexemes(word)]
    for channel in card.channels:
        if channel.kind == PHONE:
            digits = _digits_of(channel.value or channel.raw)[:MOST]
            words += [f"p{digits}", f"s{digits[::-1]}"] if digits else []
        elif channel.kind == EMAIL and channel.value:
            address = channel.value.casefold()[:MOST]
            words += [f"e{address}", f"d{address.rpartition('@')[2]}"]
    return list(dict.fromkeys(words))


def _digits_of(text: str) -> str:
    bare = text[1:]  # of a number in normal form
    return bare if bare.isdecimal() and text[0] == "+" else "".join(filter(str.isdigit, text))


def _all_names(card: AnyCard) -> str:
    if not isinstance(card, PersonCard):
        return card.display_name
    return " ".join((card.display_name, card.given_name, card.middle_name, card.family_name))


def vector_of(words: list[str]) -> str:
    """Lexemes in the text form of a tsvector."""
    if not words:
        return ""
    text = "' '".join(words)
    if "\\" in text or text.count("'") != 2 * (len(words) - 1):
        return " ".join(map(quote, words))
    return f"'{text}'"


def asked_words(query: str) -> list[list[list[str]]]:
    """The words a query asks for: all of the outer list, any spelling of the middle one, all words of a spelling."""
    asked = []
    for word in fold_name(query).split():
        latin = latin_spelling(word).split()
        asked.append([[word]] + ([latin] if latin and latin != [word] else []))
    return asked


def name_questions(query: str) -> list[str]:
    """The tsqueries for words of a name, surest first: all of them whole, all but the last, each one beginning so."""
    asked = asked_words(query)
    wholes = dict.fromkeys((len(asked), len(asked) - 1, 0))
    return [" & ".join(_any_of(one, at < whole) for at, one in enumerate(asked)) for whole in wholes if asked]


def _any_of(spellings: list[list[str]], whole: bool) -> str:
    each = [" & ".join(quote(f"n{word}") if whole else _beginning(word) for word in one) for one in spellings]
    return "(" + " | ".join(f"({one})" for one in each) + ")"


def _beginning(word: str) -> str:
    return quote(f"k{word}") if len(word) in SHORT else prefix("n", word)


def prefix(kind: str, text: str) -> str:
    """The tsquery term for lexemes that begin so."""
    return quote(f"{kind}{text[: MOST - 1]}") + ":*"


def quote(word: str) -> str:
    """A lexeme inside a tsquery or the text of a tsvector."""
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"


@lru_cache(maxsize=4096)  # names repeat: a batch of a thousand persons has a few hundred words
def _name_lexemes(word: str) -> tuple[str, ...]:
    whole = [one for token in search_tokens(word) for one in _with_suffixes(token)]
    short = dict.fromkeys(f"k{one[:size]}" for one in whole for size in SHORT if len(one) >= size)
    return (*(f"n{one[:MOST]}" for one in whole), *short)


def _with_suffixes(token: str) -> list[str]:
    if token.isascii() or not _UNSPACED.search(token):
        return [token]
    return [token[start:] for start in range(min(len(token), MOST_SUFFIXES))]
