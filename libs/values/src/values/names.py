"""Under which key two written names are the same, and by which words a name is found.

Keys are for comparison and never shown: the name itself stays as people wrote it. Organizations are in
organization_names.py, the parts of a person's name in full_names.py.
"""

import re
import unicodedata
from functools import lru_cache

from anyascii import anyascii

__all__ = ["fold_name", "latin_spelling", "person_key", "search_tokens"]

# A re-import meets every name again: 32 Ki keys are about 6 MB.
_REMEMBERED = 32768

# Letters that a decomposition leaves whole though people write them with or without the stroke, and letters that
# Arabic, Persian and Urdu keyboards exchange: alef, yeh, kaf, heh.
_ALIKE = dict(zip("łđðøħŧıىيےكةہھەٱ", "lddohtiیییکهههها", strict=True))
_ALIKE |= {"æ": "ae", "œ": "oe", "þ": "th", "ـ": ""}
# Apostrophes join what they part (O'Neil, Лук'яненко); ™ and the like would fold into letters of the name.
_DROPPED_SIGNS = re.compile("[™®©℠'’‘ʼ`´′ʻʹ]")
# Marks that are accents: of Latin, Cyrillic and Greek, Hebrew points, Arabic vowel signs. The vowel signs of Indic
# scripts and the voicing marks of kana have the same category, but their readers take them for letters: they stay.
_ACCENTS = re.compile(
    "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"  # combining marks of the European scripts
    "\u0591-\u05c7"  # Hebrew
    "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed]"  # Arabic
)
_SHORT_I_APART, _SHORT_I = "\u0438\u0306", "\u0439"  # й is a letter of its own, unlike ё, which people write as е

_UMLAUTS_IN_TWO = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})


@lru_cache(maxsize=_REMEMBERED)
def fold_name(text: str) -> str:
    """Give the comparison key of a text: lower case, no accents, no punctuation, single blanks.

    A text of signs alone ("***") keeps them, so that it is not the same as every other one; control characters and
    stray surrogates, which no database stores, never stand in a key. Folding a key changes nothing.
    Source: Unicode normalization form KC and full case folding.
    """
    compatible = unicodedata.normalize("NFKC", _DROPPED_SIGNS.sub("", text)).casefold()
    apart = unicodedata.normalize("NFD", compatible).replace(_SHORT_I_APART, _SHORT_I)
    folded = " ".join(unicodedata.normalize("NFC", apart.translate(_FOLDING)).split())
    return folded or " ".join("".join(filter(_is_storable, compatible)).split())


@lru_cache(maxsize=4096)  # asked several times of each person of a batch
def person_key(given: str | None, middle: str | None, family: str | None, display: str | None = None) -> str:
    """Give one key for a person's name in any order of its parts; the display name counts only without parts."""
    name = " ".join(part for part in (given, middle, family) if part) or display or ""
    return " ".join(sorted(fold_name(name).split()))


def latin_spelling(text: str) -> str:
    """Give the folded Latin transliteration: "Иванов" -> "ivanov", "北京" -> "beijing"."""
    return fold_name(anyascii(text))


def search_tokens(text: str) -> tuple[str, ...]:
    """List the words by which a text is found, each once: folded, in Latin letters, with umlauts in two letters."""
    folded = fold_name(text)
    in_two = fold_name(text.translate(_UMLAUTS_IN_TWO))
    return tuple(dict.fromkeys([*folded.split(), *latin_spelling(folded).split(), *in_two.split()]))


class _Folding(dict[int, str]):
    """What each character becomes in a key; decided once per character, for str.translate."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _fold_character(chr(code))
        return folded


def _fold_character(character: str) -> str:
    if character in _ALIKE:
        return _ALIKE[character]
    category = unicodedata.category(character)
    if category == "Cf" or _ACCENTS.match(character):
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(character))
    return character if category[0] in "LNM" else " "


def _is_storable(character: str) -> bool:
    return character.isspace() or not unicodedata.category(character).startswith("C")


_FOLDING = _Folding()
