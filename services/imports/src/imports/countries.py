"""Which country a written name means, in the languages of the branches."""

from __future__ import annotations

from functools import lru_cache

from babel import Locale

from values.names import fold_name

LANGUAGES = ["en", "ru", "de", "fr", "es", "it", "pt", "nl", "pl", "tr", "ar", "fa", "ja", "zh", "uk", "kk"]
# Short and common names that the locale data spells out.
_MORE = {
    **dict.fromkeys(("usa", "us", "united states of america", "сша"), "US"),
    **dict.fromkeys(("uk", "england", "great britain"), "GB"),
    **dict.fromkeys(("рф", "россия", "russian federation", "российская федерация"), "RU"),
    "korea": "KR",
    "brd": "DE",
    "holland": "NL",
    "uae": "AE",
}


@lru_cache(maxsize=4096)
def country_code(text: str) -> str:
    """ISO 3166-1 alpha-2 of a written country or code; empty when it is none we know."""
    code = text.strip().upper()
    if len(code) == 2 and code in _codes():
        return code
    return _names().get(fold_name(text), "")


@lru_cache(maxsize=1)
def _codes() -> frozenset[str]:
    return frozenset(code for code in map(str, Locale("en").territories) if len(code) == 2 and code.isalpha())


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    found = {fold_name(name): code for name, code in _MORE.items()}
    for language in LANGUAGES:
        for code, name in Locale(language).territories.items():
            if code in _codes():
                found.setdefault(fold_name(name), code)
    return found
