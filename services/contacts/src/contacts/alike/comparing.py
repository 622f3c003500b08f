"""How far two described cards agree in each field. Pure; a level is only what is seen, not what it is worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA, JaroWinkler

from contacts.alike.describing import (
    BIRTH,
    EMPLOYER,
    FACT,
    FAMILY,
    GIVEN,
    MAIL,
    MIDDLE,
    NAME,
    PLACE,
    STREET,
    TAX,
    TELEPHONE,
    Described,
    Place,
    Street,
)

MISSING, DIFFERS, PARTLY, NEARLY, AGREES = range(5)
Levels = tuple[int, ...]
Rarity = Mapping[str, float]  # bits that sharing a word of a name is worth
MOST_BITS = 12.0  # of a word that the base has never seen: one name in four thousand


class Comparer:
    """Compares described cards of one record type. `rarity` tells rare words of organizations' names from common."""

    def __init__(self, fields: Sequence[str], rarity: Rarity) -> None:
        compare_words = _words_comparer(rarity)
        known: dict[str, Callable[[Any, Any], int]] = {**_COMPARERS, NAME: compare_words}
        self._comparers = [compare_fact if name.startswith(FACT) else known[name] for name in fields]
        self._names = (fields.index(GIVEN), fields.index(FAMILY)) if GIVEN in fields else None

    def compare(self, left: Described, right: Described) -> Levels:
        """One level a field, in the order of the fields."""
        ours, theirs = left.values, right.values
        levels = [
            compare(a, b) if a and b else MISSING for compare, a, b in zip(self._comparers, ours, theirs, strict=True)
        ]
        if self._names:
            given, family = self._names
            if levels[given] < NEARLY and levels[family] < NEARLY:
                _try_swapped(levels, ours, theirs, given, family)
        return tuple(levels)


def compare_name(left: str, right: str) -> int:
    """Two given or family names. Nearly: a letter or two; partly: an initial, a short form, or much alike."""
    if left == right:
        return AGREES
    return _compare_names(left, right) if left < right else _compare_names(right, left)


def compare_day(left: str, right: str) -> int:
    """Two days YYYYMMDD. Nearly: one digit, or day and month exchanged; partly: two parts of three."""
    if left == right:
        return AGREES
    if OSA.distance(left, right, score_cutoff=1) <= 1 or (
        left[:4] == right[:4] and left[4:6] + left[6:] == right[6:] + right[4:6]
    ):
        return NEARLY
    same = (left[:4] == right[:4]) + (left[4:6] == right[4:6]) + (left[6:] == right[6:])
    return PARTLY if same == 2 else DIFFERS


def compare_number(left: str, right: str) -> int:
    """Two numbers that identify. Nearly: one digit wrong or two exchanged."""
    if left == right:
        return AGREES
    short = min(len(left), len(right)) < 5
    return DIFFERS if short or OSA.distance(left, right, score_cutoff=1) > 1 else NEARLY


def compare_fact(left: str, right: str) -> int:
    """Two further facts as written: numbers or words."""
    if left == right:
        return AGREES
    if left.isdecimal() or right.isdecimal():
        return compare_number(left, right)
    likeness = fuzz.token_sort_ratio(left, right)
    return NEARLY if likeness >= 90 else PARTLY if likeness >= 75 else DIFFERS


def _compare_emails(left: Sequence[str], right: Sequence[str]) -> int:
    return max(_compare_email(one, other) for one in left for other in right)


def _compare_email(left: str, right: str) -> int:
    """Nearly: the same mailbox elsewhere, or two letters; partly: mailboxes much alike."""
    if left == right:
        return AGREES
    ours, theirs = left.partition("@")[0], right.partition("@")[0]
    if (ours == theirs and len(ours) >= 4) or OSA.distance(left, right, score_cutoff=2) <= 2:
        return NEARLY
    return PARTLY if len(ours) >= 4 and JaroWinkler.similarity(ours, theirs) >= 0.9 else DIFFERS


def _compare_phones(left: Sequence[str], right: Sequence[str]) -> int:
    return max(_compare_phone(one, other) for one in left for other in right)


def _compare_phone(left: str, right: str) -> int:
    """Nearly: the same but for the code in front, or one digit; the first digits alone say nothing."""
    if left == right:
        return AGREES
    if min(len(left), len(right)) >= 7 and left[-7:] == right[-7:]:
        return NEARLY
    return NEARLY if OSA.distance(left, right, score_cutoff=1) <= 1 else DIFFERS


def _compare_streets(left: Street, right: Street) -> int:
    if left.text == right.text:
        return AGREES
    return _compare_written_streets(*sorted((left, right)))


@lru_cache(maxsize=65536)
def _compare_written_streets(left: Street, right: Street) -> int:
    likeness = max(fuzz.token_sort_ratio(left.text, right.text), 0.95 * fuzz.token_set_ratio(left.text, right.text))
    level = AGREES if likeness >= 94 else NEARLY if likeness >= 80 else PARTLY if likeness >= 60 else DIFFERS
    if left.numbers and right.numbers and left.numbers.isdisjoint(right.numbers):
        return min(level, PARTLY) if _is_misread(left.numbers, right.numbers) else DIFFERS
    return level


def _is_misread(left: frozenset[str], right: frozenset[str]) -> bool:
    """One digit of a house's number is another one; of one-digit numbers that says nothing."""
    return any(len(one) > 1 and OSA.distance(one, other, score_cutoff=1) <= 1 for one in left for other in right)


def _compare_places(left: Place, right: Place) -> int:
    if left.code and right.code:
        if left.code == right.code:
            return AGREES
        if left.city and right.city and _is_like(left.city, right.city):
            return NEARLY
        return NEARLY if OSA.distance(left.code, right.code, score_cutoff=1) <= 1 else DIFFERS
    if not (left.city and right.city):
        return MISSING
    return AGREES if left.city == right.city else NEARLY if _is_like(left.city, right.city) else DIFFERS


def _is_like(left: str, right: str) -> bool:
    return left == right or JaroWinkler.similarity(left, right) >= 0.85


def _compare_employers(left: frozenset[str], right: frozenset[str]) -> int:
    return DIFFERS if left.isdisjoint(right) else AGREES


@lru_cache(maxsize=262144)  # pairs of names repeat within a base
def _compare_names(left: str, right: str) -> int:
    likeness = JaroWinkler.similarity(left, right)
    if likeness >= 0.92 or (min(len(left), len(right)) >= 4 and OSA.distance(left, right, score_cutoff=1) <= 1):
        return NEARLY
    if likeness >= 0.8 or _is_short_form(left, right) or fuzz.token_set_ratio(left, right) == 100:
        return PARTLY
    if len(left) >= 5 and len(right) >= 5 and OSA.distance(left, right, score_cutoff=2) <= 2:
        return PARTLY
    return DIFFERS


def _is_short_form(left: str, right: str) -> bool:
    """An initial of the other, or its beginning: "rob" of "robert"."""
    return left.startswith(right) or right.startswith(left)


def _try_swapped(levels: list[int], ours: Sequence[Any], theirs: Sequence[Any], given: int, family: int) -> None:
    """Take given and family name the other way round where they fit better so."""
    crossed = [
        compare_name(a, b) if a and b else MISSING
        for a, b in ((ours[given], theirs[family]), (ours[family], theirs[given]))
    ]
    if max(crossed) >= NEARLY and min(crossed) != DIFFERS:
        levels[given], levels[family] = crossed


def _words_comparer(rarity: Rarity) -> Callable[[Sequence[str], Sequence[str]], int]:
    @lru_cache(maxsize=131072)
    def compare(left: tuple[str, ...], right: tuple[str, ...]) -> int:
        """Words of organizations' names by their rarity. Nearly: most of both; partly: the one within the other."""
        if left == right:
            return AGREES
        bits = [[rarity.get(word, MOST_BITS) for word in words] for words in (left, right)]
        shared = sum(bit for word, bit in zip(left, bits[0], strict=True) if _is_among(word, right))
        ours, theirs = sum(bits[0]) or 1.0, sum(bits[1]) or 1.0
        whole = shared / (ours + theirs - min(shared, ours, theirs))
        within = shared / min(ours, theirs)
        return NEARLY if whole >= 0.75 else PARTLY if within >= 0.6 or whole >= 0.4 else DIFFERS

    return compare


def _is_among(word: str, words: Sequence[str]) -> bool:
    if word in words:
        return True
    if len(word) < 4:
        return False
    return any(
        len(other) >= 4
        and (other.startswith(word) or word.startswith(other) or OSA.distance(word, other, score_cutoff=1) <= 1)
        for other in words
    )


_COMPARERS: dict[str, Callable[[Any, Any], int]] = {
    GIVEN: compare_name,
    FAMILY: compare_name,
    MIDDLE: compare_name,
    BIRTH: compare_day,
    MAIL: _compare_emails,
    TELEPHONE: _compare_phones,
    STREET: _compare_streets,
    PLACE: _compare_places,
    TAX: compare_number,
    EMPLOYER: _compare_employers,
}
