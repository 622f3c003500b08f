"""What a heading or a cell says of its money: in thousands, in euros. Nothing is multiplied that nobody said.

Pure: knows texts and number formats, no file and no service.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from imports.reading.cells import Cell, CellKind
from imports.reading.numbers import ParsedNumber, parse_number

_CODES = (
    "usd|eur|gbp|jpy|cny|rub|chf|aud|cad|nzd|sek|nok|dkk|pln|czk|huf|ron|bgn|try|uah|kzt|byn|azn|amd|gel|uzs|kgs|tjs|inr|brl|mxn|zar"
    "|krw|sgd|hkd|thb|idr|myr|php|vnd|ils|aed|sar|qar|kwd|egp|irr|ngn|kes|ars|clp|cop|pen"
)
# How people write a currency in headings, cells and number formats. A sign of several countries means the branch's own
# currency where that is one of them, else the first.
_WRITTEN = {
    "$": "USD CAD AUD NZD SGD HKD MXN ARS CLP COP",
    "€ euro euros евро": "EUR",
    "£": "GBP EGP",
    "¥": "JPY CNY",
    "円": "JPY",
    "元": "CNY",
    "원 ₩": "KRW",
    "₽ rur": "RUB",
    "руб рублях рублей рубли р": "RUB BYN",
    "₴ грн": "UAH",
    "₸ тг тенге": "KZT",
    "₹": "INR",
    "₪": "ILS",
    "₫": "VND",
    "฿": "THB",
    "₺": "TRY",
    "₼": "AZN",
    "₾": "GEL",
    "zł": "PLN",
    "kč": "CZK",
    "kr": "SEK NOK DKK",
    "лв": "BGN",
    "us$ долл дол dollar dollars": "USD",
    "a$": "AUD",
    "c$": "CAD",
    "r$": "BRL",
    "hk$": "HKD",
    "nz$": "NZD",
    "s$": "SGD",
    "د.إ درهم": "AED",
    "ر.س": "SAR",
    "ریال": "IRR",
}
_SIGNS = {sign: tuple(codes.split()) for signs, codes in _WRITTEN.items() for sign in signs.split()}
_SIGNS |= {code: (code.upper(),) for code in _CODES.split("|")}
_SIGN = "|".join(re.escape(sign) for sign in sorted(_SIGNS, key=len, reverse=True))
_THOUSANDS = r"тыс(?:яч[аи]?)?\.?|thousands?(?:\s+of)?|thous\.?|tsd\.?|tausend|milliers|miles|'000s?|000s?|千"
_MILLIONS = r"млн\.?|миллион(?:ов|а|ы)?|millions?(?:\s+of)?|mln\.?|mio\.?|millionen|millones|百万"
_BILLIONS = r"млрд\.?|миллиард(?:ов|а|ы)?|billions?(?:\s+of)?|bln\.?|bn|mrd\.?|milliarden"
_SCALE = re.compile(
    rf"(?<!\w)(?:(?P<thousand>{_THOUSANDS})|(?P<million>{_MILLIONS})|(?P<billion>{_BILLIONS})|(?P<myriad>万)|(?P<oku>億|亿))(?![^\W_円元원])",
    re.IGNORECASE,
)
# "kUSD", "T€", "USD k", "$M", "(k)": a letter that means a scale only beside a currency or alone in brackets.
_GLUED = re.compile(
    rf"(?<!\w)(?:(?P<roubles>т)\.\s?(?=р)|(?P<before>k|t|mm|m|bn)\s?(?=(?:{_SIGN})(?![^\W\d_]))|(?<=[$€£¥₽])\s?(?P<after>k|mm|m|bn)(?![^\W\d_]))"
    rf"|(?<=[(\[])(?P<alone>k)(?=[)\]])|(?<=usd)\s?(?P<usd>k|mm|m|bn)(?![^\W\d_])|(?<=eur)\s?(?P<eur>k|mm|m|bn)(?![^\W\d_])",
    re.IGNORECASE,
)
_NAMED = re.compile(rf"(?<![^\W\d_])(?:{_SIGN})(?![^\W\d_])", re.IGNORECASE)
_LETTERS = {"т": 1000, "k": 1000, "t": 1000, "m": 10**6, "mm": 10**6, "bn": 10**9}
_WORDS = {"thousand": 1000, "million": 10**6, "billion": 10**9, "myriad": 10**4, "oku": 10**8}
_EMPTIED = re.compile(r"[(\[]\s*(?:in|в|en)?[\s.]*[)\]]|\b(?:in|в|en)\s*$", re.IGNORECASE)
# "[$€-407]", "[$USD]", '"$"', '"руб."' and signs that stand by themselves.
_FORMAT = re.compile(r"\[\$([^\]-]+)(?:-[^\]]*)?\]|\"([^\"]+)\"|([$€£¥₽₴₸₹₩₪₫฿₺₼₾])")


@dataclass(frozen=True, slots=True)
class MoneyForm:
    """What a heading says: how many of the currency one stands for, and the sign of the currency, empty where none."""

    scale: int = 1
    sign: str = ""


@lru_cache(maxsize=4096)
def money_form(header: str) -> MoneyForm:
    """What the heading of a column of money says of it."""
    scale, rest = _scale_of(unicodedata.normalize("NFKC", header))
    named = _NAMED.search(rest)
    return MoneyForm(scale, named[0].casefold() if named else "")


@lru_cache(maxsize=4096)
def without_money(header: str) -> str:
    """The heading without what it says of scale and currency: "Сумма, тыс. руб." -> "Сумма"."""
    rest = _NAMED.sub(" ", _scale_of(unicodedata.normalize("NFKC", header))[1])
    return _EMPTIED.sub(" ", _EMPTIED.sub(" ", rest).strip(" .,;:-/")).strip(" .,;:-/")


def code_of(sign: str, own: str) -> str:
    """The code of a currency by what people write for it; `own` is the branch's. Empty where the sign is none."""
    meant = _SIGNS.get(sign.casefold().rstrip("."), ())
    return own if own in meant else next(iter(meant), "")


def sign_of(cell: Cell, decimal: str) -> str:
    """The sign of the currency that a cell of money states by its text or its number format, empty where none."""
    if cell.kind is CellKind.TEXT:
        text = cell.text.strip()
        if text[:1].isdecimal() and text[-1:].isdecimal():
            return ""
        found = parse_number(text, decimal)
        return found.currency if isinstance(found, ParsedNumber) else ""
    return _sign_in_format(cell.format) if cell.kind is CellKind.CURRENCY else ""


@lru_cache(maxsize=1024)
def _sign_in_format(code: str) -> str:
    if code.casefold() in _SIGNS:  # an OpenDocument cell states the code
        return code
    for found in _FORMAT.finditer(code.split(";")[0]):
        sign = (found[1] or found[2] or found[3]).strip().rstrip(".")
        if sign.casefold() in _SIGNS:
            return sign
    return ""


def _scale_of(header: str) -> tuple[int, str]:
    if found := _SCALE.search(header):
        scale = _WORDS[str(found.lastgroup)]
    elif found := _GLUED.search(header):
        scale = _LETTERS[next(filter(None, found.groups())).casefold()]
    else:
        return 1, header
    return scale, f"{header[: found.start()]} {header[found.end() :]}"
