"""How a person's name in one text parts: titles and degrees away, given, middle and family name by their order.

Nothing of the text is lost: what is no part of the name stands in its own field, and the text itself is kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

__all__ = ["NameParts", "split_full_name"]

_PATRONYMIC = re.compile(r".{2,}(?:ович|евич|ич|овна|евна|ична|инична|івна|ївна|оглы|кызы|угли|кизи)", re.IGNORECASE)
_RUSSIAN_FAMILY = re.compile(r".{2,}(?:[оеё]ва?|[иы]на?|[сц]к(?:ий|ой|ая)|[иы]х|енко|чук|дзе|швили|ян)", re.IGNORECASE)
# Words that open a family name: Dutch, German, French, Spanish, Portuguese, Italian, Arabic, Scottish.
_PARTICLE_WORDS = (
    "van von vom zu zum zur der den de del della dela di da do dos das du la le ter ten bin ibn al el abu st. mac mc"
)
# Azerbaijani and Turkic patronymics: "Мамедов Али Гасан оглы".
_SON_OR_DAUGHTER = frozenset({"оглы", "оғлы", "улы", "кызы", "қызы", "угли", "кизи"})
_SUFFIX_WORDS = "jr sr ii iii iv vi vii 2nd 3rd 4th мл ст"
_TITLE_WORDS = (
    "mr mrs ms miss mx dr prof professor rev reverend hon honorable sir dame lady judge capt captain col "
    "lt sgt maj gen sen rep gov senator representative congressman congresswoman mayor attorney father "
    "doctor doctors drs herr frau mme mlle monsieur madame sra srta señor señora sig dott dipl ing mag "
    "г-н г-жа гн гжа господин госпожа д-р др доктор проф профессор"
)
_DEGREE_WORDS = (
    "md phd dds dmd esq esquire cpa mba jd llm llb lld rn bsn dvm cfa dphil msc bsc edd pharmd psyd facs "
    "faia aia cissp attorney realtor trustee"
)
# Degrees and offices that are family names as well ("Kim Do"): these want a comma before them or points within.
_SHORT_DEGREE_WORDS = "do od pa pc ma ba bs ms ra rph phr qc kc dc dpm mph mp us usn usaf usmc usa ret pe"
_PARTICLES, _SUFFIXES = frozenset(_PARTICLE_WORDS.split()), frozenset(_SUFFIX_WORDS.split())
_TITLES, _DEGREES = frozenset(_TITLE_WORDS.split()), frozenset(_DEGREE_WORDS.split())
_SHORT_DEGREES = frozenset(_SHORT_DEGREE_WORDS.split())
_SEVERAL = re.compile(r"\s(?:and|und|et|и)\s|&|/", re.IGNORECASE)
_AT_LAW = re.compile(r",?\s(?:attorney|atty\.?)\sat\slaw$", re.IGNORECASE)
_NICKNAME = re.compile(r"""\([^()]*\)|"[^"]*"|“[^”]*”|«[^»]*»|(?<!\w)'[^']+'(?!\w)|(?<!\w)‘[^’]+’(?!\w)""")
_CYRILLIC_INITIALS = re.compile(r"([А-ЯЁІЇЄҐ]\.)-?([А-ЯЁІЇЄҐ]\.)?", re.IGNORECASE)
_EAST_ASIAN = re.compile("[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af々]")


@dataclass(frozen=True, slots=True)
class NameParts:
    """A full name in parts, as far as its order tells them; `display` is the text as written.

    `aside` is what is no part of the name: titles before it, degrees behind it, nicknames within.
    """

    given: str
    middle: str
    family: str
    display: str
    aside: str = ""


def split_full_name(text: str) -> NameParts:
    """Part "Family, Given Middle", "Given Middle Family", Russian "Family Given Patronymic", East Asian "Family Given".

    A single word is a given name; "Jr." and the like stay with the family name. Several people in one text are not
    parted: all of it is the given name.
    """
    name, aside = _without_nicknames(" ".join(text.split()))
    if at_law := _AT_LAW.search(name):
        name, aside = name[: at_law.start()], [*aside, at_law[0].strip(" ,")]
    if _SEVERAL.search(name):
        return NameParts(" ".join(text.split()), "", "", text)
    pieces = [piece.strip() for piece in name.split(",") if piece.strip()]
    words, titles = _without_titles(pieces[0].split(" ") if pieces else [])
    words, degrees = _without_degrees(words, _DEGREES)
    suffixes: list[str] = []
    behind: list[str] = []
    for piece in pieces[1:]:
        rest, offices = _without_degrees(piece.split(" "), _DEGREES | _SHORT_DEGREES, least=0)
        degrees += offices
        if rest and all(_is_suffix(word) or word == "V" for word in rest):
            suffixes += rest
        elif rest and len(words) > 1 and _looks_like_an_office(rest, name):
            degrees += rest
        else:
            behind += rest
    if behind:
        return _family_first(words, behind, suffixes, [*titles, *aside, *degrees], text)
    parts = _part_words(words, text)
    if titles and not parts.family:  # "Dr. Bell"
        parts = replace(parts, given="", family=parts.given)
    if suffixes:  # "Smith, Jr." alone is a family name
        given, family = (parts.given, parts.family) if parts.family else ("", parts.given)
        parts = replace(parts, given=given, family=f"{family}, {' '.join(suffixes)}")
    return replace(parts, aside=" ".join([*titles, *aside, *degrees]))


def _without_nicknames(text: str) -> tuple[str, list[str]]:
    found = _NICKNAME.findall(text)
    rest = " ".join(_NICKNAME.sub(" ", text).split()) if found else text
    return (rest, found) if rest else (text, [])


def _without_titles(words: list[str]) -> tuple[list[str], list[str]]:
    end = 0
    while end < len(words) - 1 and _plain(words[end]) in _TITLES:
        end += 1
    return words[end:], words[:end]


def _without_degrees(words: list[str], known: frozenset[str], least: int = 2) -> tuple[list[str], list[str]]:
    """Take degrees from the end and leave `least` words at the least."""
    end = len(words)
    while end > least and (_plain(words[end - 1]) in known or _is_pointed(words[end - 1])):
        end -= 1
    return words[:end], words[end:]


def _looks_like_an_office(words: list[str], name: str) -> bool:
    """Tell "BSN" behind a name with small letters from a given name."""
    return not name.isupper() and all(word.isupper() and 1 < len(word) < 6 and word.isalpha() for word in words)


def _is_pointed(word: str) -> bool:
    """Tell a degree written with points: "M.D.", "D.O."; a single letter is an initial."""
    return word.count(".") > 1 and _plain(word) in _DEGREES | _SHORT_DEGREES


def _plain(word: str) -> str:
    return word.replace(".", "").casefold()


def _family_first(words: list[str], rest: list[str], suffixes: list[str], aside: list[str], text: str) -> NameParts:
    """A name written "Family, Given Middle": titles and suffixes may stand on either side."""
    given, titles = _without_titles(rest)
    given, degrees = _without_degrees(given, _DEGREES, least=1)
    while len(given) > 1 and _is_suffix(given[-1]):
        suffixes = [given.pop(), *suffixes]
    family = " ".join([*words, *suffixes])
    return NameParts(given[0], " ".join(given[1:]), family, text, " ".join([*titles, *aside, *degrees]))


def _part_words(words: list[str], text: str) -> NameParts:
    if len(words) < 2:
        return NameParts(" ".join(words), "", "", text)
    given, middle, family = _part_by_order(words)
    return NameParts(given, middle, family, text)


def _part_by_order(words: list[str]) -> tuple[str, str, str]:
    """Give (given, middle, family) of two words or more."""
    if _EAST_ASIAN.match(words[0]) and _EAST_ASIAN.match(words[-1]):
        return " ".join(words[1:]), "", words[0]
    if len(words) == 2 and (initials := _CYRILLIC_INITIALS.fullmatch(words[1])):
        return initials[1], initials[2] or "", words[0]
    if len(words) == 2 and (initials := _CYRILLIC_INITIALS.fullmatch(words[0])):
        return initials[1], initials[2] or "", words[1]
    if len(words) == 3 and all(map(_CYRILLIC_INITIALS.fullmatch, words[1:])):
        return words[1], words[2], words[0]
    if len(words) > 3 and words[-1].casefold() in _SON_OR_DAUGHTER:
        words = [*words[:-2], f"{words[-2]} {words[-1]}"]
    if len(words) > 2 and _PATRONYMIC.fullmatch(words[-1]) and not _PATRONYMIC.fullmatch(words[-2]):
        return " ".join(words[1:-1]), words[-1], words[0]
    if len(words) == 2 and _RUSSIAN_FAMILY.fullmatch(words[0]) and not _RUSSIAN_FAMILY.fullmatch(words[1]):
        return words[1], "", words[0]
    if len(words) > 2 and _is_initial(words[-1]) and not any(map(_is_initial, words[:-1])):
        return words[1], " ".join(words[2:]), words[0]
    start = _find_family(words)
    return words[0], " ".join(words[1:start]), " ".join(words[start:])


def _find_family(words: list[str]) -> int:
    """Give the position where the family name begins: at its particles, else at the last word before a suffix."""
    for position, word in enumerate(words[1:-1], start=1):
        if word.casefold() in _PARTICLES and not _is_suffix(words[position + 1]):
            return position
    last = len(words) - 1
    while last > 1 and _is_suffix(words[last]):
        last -= 1
    return last


def _is_suffix(word: str) -> bool:
    return word.casefold().rstrip(".") in _SUFFIXES


def _is_initial(word: str) -> bool:
    return len(word.rstrip(".")) == 1
