"""Whether a text was damaged by a wrong encoding on its way here, and what it probably was.

Only looks, never repairs: the finding shows the probable original and the owner decides. The test is always the same:
going back the wrong way must succeed for the whole text and give plain writing, which clean text of no language does.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import ftfy

#: Code pages that UTF-8 is met misread as, the frequent ones first.
_MISREAD_AS = (
    "cp1251", "cp1252", "latin-1", "iso8859-15", "cp932", "gb18030", "cp1250", "cp1254", "cp1253", "cp1256", "koi8-r",
    "cp866", "cp437", "cp850", "mac-roman", "cp949", "big5",
)  # fmt: skip
_LOST = re.compile(r"\?{4,}(?:[\s.,-]+\?{2,})+|\?{8,}")
_ACCENTED_WORD = re.compile(r"(?<![^\W\d_])[À-ÖØ-öø-ÿ¸¨]{4,}(?![^\W\d_])")
_SWAPPED_CASE = re.compile(r"(?<![^\W\d_])[а-яё][А-ЯЁ]{3,}(?![^\W\d_])")
_MIXED_WORD = re.compile(r"[^\W\d_]*(?:[A-Za-z][а-яёЀ-џ]|[а-яёЀ-џ][A-Za-z])[^\W\d_]*")
#: Cyrillic letters that people type for their Latin twins, and the other way round; they prove nothing.
_TWINS = frozenset("аеорсухАВЕКМНОРСТУХіІјЈѕЅ")
#: A damaged text shows it at once; the rest of a very long one costs time and tells nothing.
_LOOKED_AT = 2_000
_WORD = re.compile(r"\S{4,}")
#: Signs inside Cyrillic words that are letters of the old DOS page, and box lines that are letters of the Windows one.
_DOS_WORD = re.compile(r"[а-яЀ-џ][®¤¦©¬\xa0§±µ¶·„…†‡‰][а-яЀ-џ®¤¦©¬]|[\u2500-\u259f][а-яёЁ\u2500-\u259f]{2,}")
_CYRILLIC_LETTERS = re.compile(r"(?:[ -~«»–—№\xa0]|[А-ЯЁ]?[а-яё]+|[А-ЯЁ]+(?![а-яё]))+")
#: Texts of one script with nothing strange in them: only what can hide in that script needs a look. This is nearly all
#: text there is, and it makes the check fifty times faster.
_CYRILLIC_ONLY = re.compile(r"[ -~А-яЁё«»–—№\xa0]*")
_WIDER_CYRILLIC_ONLY = re.compile(r"[ -~\u0400-\u04ff«»–—№\xa0]*")
_LATIN_ONLY = re.compile(r"[ -~À-ÖØ-öø-ÿ]*")
_OTHER_SCRIPT_ONLY = re.compile(
    r"[ -~\u0370-\u03ff]*|[ -~\u0590-\u05ff]*|[ -~\u0600-\u06ff\u200c\u200f]*|[ -~\u0900-\u0e7f]*|[ -~\u10a0-\u10ff]*"
)
_EAST_ASIAN_ONLY = re.compile(r"[ -~\u3000-\u30ff\u3400-\u9fff\uac00-\ud7af\uff00-\uffef]*")
_EAST_ASIAN = ("cp932", "gb18030", "cp949", "big5")


@dataclass(frozen=True, slots=True)
class Damage:
    """What is wrong with a text and what it probably was ("" where that is lost)."""

    how: str
    original: str = ""


def find_damage(text: str) -> Damage | None:
    """Say whether a text is damaged; None for clean text of any script."""
    if text.isascii():
        return Damage("letters were replaced by question marks") if "????" in text and _LOST.search(text) else None
    return _find_foreign_damage(text)


@lru_cache(maxsize=65_536)
def _find_foreign_damage(text: str) -> Damage | None:
    text = text[:_LOOKED_AT]
    if "�" in text:
        return Damage("letters were replaced by the sign for unreadable bytes")
    if "????" in text and _LOST.search(text):
        return Damage("letters were replaced by question marks")
    if _OTHER_SCRIPT_ONLY.fullmatch(text):
        return None
    if _CYRILLIC_ONLY.fullmatch(text):
        return _latin_as_cyrillic(text) or _swapped_cyrillic(text)
    if _WIDER_CYRILLIC_ONLY.fullmatch(text):
        return _utf8_as(text, ("cp1251", "koi8-r")) or _latin_as_cyrillic(text) or _swapped_cyrillic(text)
    if _LATIN_ONLY.fullmatch(text):
        return _cyrillic_as_latin(text)
    if _EAST_ASIAN_ONLY.fullmatch(text):
        return _utf8_as(text, _EAST_ASIAN)
    return _look_closely(text)


def _look_closely(text: str) -> Damage | None:
    whole = _find_misreading(text)
    if whole:
        nested = _find_misreading(whole.original) if whole.original and not whole.original.isascii() else None
        return Damage(whole.how + ", twice", nested.original) if nested else whole
    if any("\x80" <= character <= "\x9f" for character in text):
        return Damage("it holds control codes that are letters in another encoding", ftfy.fix_encoding(text))
    for word in _WORD.findall(text) if " " in text else ():
        found = None if word.isascii() else _find_misreading(word)
        if found:
            return Damage(found.how, text.replace(word, found.original))
    return None


def _find_misreading(text: str) -> Damage | None:
    controls = any("\x80" <= character <= "\x9f" for character in text)
    return (
        _utf8_as(text, ("latin-1", "iso8859-15", *_MISREAD_AS) if controls else _MISREAD_AS)
        or _cyrillic_as_latin(text)
        or _latin_as_cyrillic(text)
        or _swapped_cyrillic(text)
        or _dos_cyrillic(text)
        or _japanese_as_latin(text)
        or _by_ftfy(text)
    )


def _utf8_as(text: str, names: tuple[str, ...]) -> Damage | None:
    for name in names:
        original = _go_back(text, name, "utf-8")
        if original is not None and _gains(text, original):
            return Damage(f"UTF-8 was read as {name}", original)
    return None


def _go_back(text: str, wrong: str, right: str) -> str | None:
    """Undo reading `right` as `wrong`; None when that is not what happened. Undefined bytes survive as themselves."""
    try:
        return text.encode(wrong).decode(right)
    except UnicodeDecodeError:
        return None
    except UnicodeEncodeError:
        if wrong not in ("cp1252", "cp1251"):
            return None
    try:
        return b"".join(_loose_byte(character, wrong) for character in text).decode(right)
    except (UnicodeEncodeError, UnicodeDecodeError):
        return None


def _loose_byte(character: str, encoding: str) -> bytes:
    return character.encode("latin-1") if "\x80" <= character <= "\x9f" else character.encode(encoding)


def _gains(text: str, original: str) -> bool:
    """Two letters or more came back, and all of them are plain writing; one alone can be chance ("Её" is such a
    word).
    """
    foreign = [character for character in original if character > "\x7f"]
    if not foreign or len(original) >= len(text):
        return False
    if any(unicodedata.category(character) in ("Cc", "Cn", "Co", "Cs") for character in foreign):
        return False
    letters = sum(1 for character in foreign if character.isalpha())
    if letters >= 2 and letters * 2 >= len(foreign):
        return _same_script(foreign)
    around = sum(1 for character in original if character.isascii() and character.isalpha())
    return len(foreign) <= 2 and around >= 2 and ("Ã" in text or "Â" in text or "â€" in text)


def _same_script(characters: list[str]) -> bool:
    scripts = {unicodedata.name(character, "? ?").split(" ")[0] for character in characters if character.isalpha()}
    return len(scripts - {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "FULLWIDTH"}) <= 1


def _cyrillic_as_latin(text: str) -> Damage | None:
    """Words made of accented letters only ("Èâàíîâ") are Cyrillic in another light."""
    if not _ACCENTED_WORD.search(text):
        return None
    for name in ("cp1252", "latin-1"):
        original = _go_back(text, name, "cp1251")
        if original and all(
            "CYRILLIC" in unicodedata.name(letter, "") for letter in original if letter.isalpha() and letter > "\x7f"
        ):
            return Damage(f"cp1251 was read as {name}", original)
    return None


def _latin_as_cyrillic(text: str) -> Damage | None:
    """Single Cyrillic letters inside Latin words ("Mьller") are accented letters in another light."""
    mixed = _MIXED_WORD.findall(text)
    if not mixed:
        return None
    original = _go_back(text, "cp1251", "cp1252")
    for word in mixed:
        foreign = [letter for letter in word if letter > "\x7f"]
        if len(foreign) * 2 > len(word) or all(letter in _TWINS for letter in foreign):
            return None
    back = [letter for letter in original or "" if letter > "\x7f"]
    return (
        Damage("cp1252 was read as cp1251", original or "")
        if back and all(letter.isalpha() or letter in "«»–—№" for letter in back)
        else None
    )


def _swapped_cyrillic(text: str) -> Damage | None:
    """Words that begin small and go on in capitals ("хБЮМНБ") are the other Cyrillic code page."""
    if not _SWAPPED_CASE.search(text):
        return None
    found: list[Damage] = []
    for wrong, right in (("cp1251", "koi8-r"), ("koi8-r", "cp1251")):
        original = _go_back(text, wrong, right)
        if (
            original
            and not _SWAPPED_CASE.search(original)
            and all(letter.isalpha() for letter in original if letter > "\x7f")
        ):
            found.append(Damage(f"{right} was read as {wrong}", original))
    # Both ways can give words; the one with the frequent letters of Russian is the right one.
    return max(
        found, key=lambda damage: sum(damage.original.lower().count(letter) for letter in "оеаинтсрв"), default=None
    )


def _dos_cyrillic(text: str) -> Damage | None:
    """The DOS page read as the Windows one gives signs in words, the other way round box lines."""
    if not _DOS_WORD.search(text):
        return None
    for wrong, right in (("cp1251", "cp866"), ("cp866", "cp1251")):
        original = _go_back(text, wrong, right)
        if original and len(original) >= 4 and _CYRILLIC_LETTERS.fullmatch(original):
            return Damage(f"{right} was read as {wrong}", original)
    return None


def _japanese_as_latin(text: str) -> Damage | None:
    """Shift JIS read as a Western page: signs and letters in pairs that all come back as Japanese."""
    for name in ("cp1252", "latin-1"):
        original = _go_back(text, name, "cp932")
        if original is None:
            continue
        wide = [
            character
            for character in original
            if "\u3040" <= character <= "\u30ff" or "\u4e00" <= character <= "\u9fff"
        ]
        narrow = sum(1 for character in original if character > "\x7f") - len(wide)
        plain = sum(1 for character in original if character.isascii() and character.isalpha())
        if len(wide) >= 2 and len(wide) * 2 >= len(text) * 0.6 and narrow <= len(wide) // 4 and plain <= len(wide) // 4:
            return Damage(f"Shift JIS was read as {name}", original)
    return None


def _by_ftfy(text: str) -> Damage | None:
    """What the library knows beyond this: mixtures of Latin pages and texts damaged in one place only."""
    fixed = ftfy.fix_encoding(text)
    changed = fixed != text and sum(1 for one in fixed if one > "\x7f") < sum(1 for one in text if one > "\x7f")
    # A mixture with signs of many scripts is a test string, not a text that went through one wrong encoding.
    return (
        Damage("UTF-8 was read as a Western encoding", fixed)
        if changed and _same_script([one for one in fixed if one > "\x7f"])
        else None
    )
