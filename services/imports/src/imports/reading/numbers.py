"""Which number a text is, in the writing of any country, and never a guess.

A text that could be two numbers ("1,234" as 1234 or 1.234) is resolved by the decimal mark of its column or reported as
ambiguous; a percent stays a percent. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache


class NumberTrouble(StrEnum):
    """Why a text is not a plain number."""

    NOT_A_NUMBER = "not_a_number"
    AMBIGUOUS = "ambiguous"
    WRONG_MARK = "wrong_mark"


@dataclass(frozen=True, slots=True)
class ParsedNumber:
    """A number read from text. A percent has what stands before its sign: "25676%" is 25676 with percent=True.

    `decimal_mark` is "." or "," when the text shows which mark it uses, "" when it fits both.
    """

    value: Decimal
    percent: bool = False
    currency: str = ""
    decimal_mark: str = ""


#: Signs and codes of money that may stand before or after a number.
_CURRENCIES = (
    "$", "€", "£", "¥", "₽", "₴", "₸", "₹", "₩", "₪", "₫", "฿", "₺", "₼", "₾", "₿", "¢", "руб.", "руб", "р.", "р", "тг",
    "грн", "zł", "kč", "kr.", "kr", "лв", "ft", "fr.", "us$", "a$", "c$", "r$", "hk$", "nz$", "s$", "円", "元", "원",
    "د.إ", "ر.س",
)  # fmt: skip
_CURRENCY = "|".join(re.escape(sign) for sign in sorted(_CURRENCIES, key=len, reverse=True)) + r"|[a-z]{3}"
_SHAPE = re.compile(
    rf"(?P<open>\()?\s*(?P<sign>[-+])?\s*(?P<before>{_CURRENCY})?\s*(?P<sign2>[-+])?\s*"
    rf"(?P<digits>\d(?:[\d.,' ]*\d)?[.,]?|[.,]\d+)(?P<exponent>e[-+]?\d{{1,3}})?"
    rf"\s*(?P<percent>[%‰])?\s*(?P<after>{_CURRENCY})?\s*(?P<percent2>%)?\s*(?P<trailing>-)?\s*(?P<close>\))?",
    re.IGNORECASE,
)
_CODES = frozenset(
    {
        "usd", "eur", "gbp", "jpy", "cny", "rub", "rur", "chf", "aud", "cad", "nzd", "sek", "nok", "dkk", "pln", "czk",
        "huf", "ron", "bgn", "try", "uah", "kzt", "byn", "azn", "amd", "gel", "uzs", "kgs", "tjs", "inr", "brl", "mxn",
        "zar", "krw", "sgd", "hkd", "thb", "idr", "myr", "php", "vnd", "ils", "aed", "sar", "qar", "kwd", "egp", "ngn",
        "kes", "ars", "clp", "cop", "pen",
    }
)  # fmt: skip
#: Most written numbers; the full shape costs ten times as much to match.
_SIMPLE = re.compile(r"(-?)([0-9]+[.,][0-9]+)")
_SPACES = re.compile(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\t]")
_MARKS_ALIKE = str.maketrans("’‘`´−–﹣٫٬٪％．，－＋（）＄￥", "''''---.'%%.,-+()$¥")
#: No written number is longer; the bound keeps matching quick on whatever a cell may hold.
_LONGEST = 64


def parse_number(text: str, decimal: str = "") -> ParsedNumber | NumberTrouble:
    """Read a number written in any country's way.

    Shapes: `decimal` is "." or "," when the column's mark is known, "" to accept only what has one meaning.
    Returns: AMBIGUOUS for "1,234" without a known mark; WRONG_MARK when the text contradicts `decimal`.
    """
    if len(text) > _LONGEST:
        return NumberTrouble.NOT_A_NUMBER
    if text.isascii() and text.isdigit():
        return ParsedNumber(Decimal(text))
    simple = _SIMPLE.fullmatch(text)
    if simple:
        read = _read_single_mark(simple[2], decimal, spaced=False)
        return (
            read
            if isinstance(read, NumberTrouble)
            else ParsedNumber(Decimal(simple[1] + read[0]), decimal_mark=read[1])
        )
    plain = _plain_digits(text)
    found = _SHAPE.fullmatch(plain)
    if found is None or bool(found["open"]) != bool(found["close"]):
        return NumberTrouble.NOT_A_NUMBER
    signs = [sign for sign in (found["sign"], found["sign2"], found["trailing"]) if sign]
    currency = found["before"] or found["after"] or ""
    if (
        len(signs) > 1
        or (found["before"] and found["after"])
        or (found["open"] and signs)
        or not _is_currency(currency)
    ):
        return NumberTrouble.NOT_A_NUMBER
    read = _read_digits(found["digits"], decimal)
    if isinstance(read, NumberTrouble):
        return read
    digits, mark = read
    value = Decimal(digits + (found["exponent"] or ""))
    if "-" in signs or found["open"]:
        value = -value
    percent = bool(found["percent"] or found["percent2"])
    return ParsedNumber(value / 10 if found["percent"] == "‰" else value, percent, currency.upper(), mark)


def _plain_digits(text: str) -> str:
    """Digits of every script as ASCII, look-alike marks as one, odd spaces as a space."""
    text = text.strip()
    if text.isascii():
        return text if "\t" not in text else text.replace("\t", " ")
    text = _SPACES.sub(" ", text.translate(_MARKS_ALIKE)).strip("\u200e\u200f\u061c ")
    return "".join(str(unicodedata.decimal(one)) if one.isdecimal() else one for one in text)


def _is_currency(sign: str) -> bool:
    return len(sign) != 3 or not sign.isascii() or not sign.isalpha() or sign.lower() in _CODES


@lru_cache(maxsize=65_536)
def _read_digits(digits: str, decimal: str) -> tuple[str, str] | NumberTrouble:
    """Digits with a point as Decimal wants them, and the decimal mark the text shows ("" when it shows none)."""
    if digits.isdigit():
        return digits, ""
    body = _without_spaces(digits)
    if body is None:
        return NumberTrouble.NOT_A_NUMBER
    points, commas = body.count("."), body.count(",")
    if points and commas:
        mark = "." if body.rfind(".") > body.rfind(",") else ","
    elif points + commas == 0:
        return body, ""
    elif points + commas > 1:
        mark = "," if points else "."  # several of one mark are thousands, so the decimal mark would be the other
    else:
        return _read_single_mark(body, decimal, spaced=body != digits)
    return _split_at(body, mark, decimal, shown=True)


def _without_spaces(digits: str) -> str | None:
    """Take out spaces and apostrophes that group digits; None when their groups are not of three (or of two, in
    India).
    """
    if " " not in digits and "'" not in digits:
        return digits
    whole, point, fraction = re.fullmatch(r"([\d ']*)([.,]?)(.*)", digits).groups()  # type: ignore[union-attr]
    groups = re.split(r"[ ']", whole)
    alike = len(groups) > 1 and 1 <= len(groups[0]) <= 3 and all(len(group) == 3 for group in groups[1:])
    if not alike or " " in fraction or "'" in fraction:
        return None
    return "".join(groups) + point + fraction


def _read_single_mark(body: str, decimal: str, spaced: bool) -> tuple[str, str] | NumberTrouble:
    mark = "." if "." in body else ","
    whole, _, fraction = body.partition(mark)
    could_group = len(fraction) == 3 and 1 <= len(whole) <= 3 and not whole.startswith("0") and not spaced
    if not could_group:
        return _split_at(body, mark, decimal, shown=True)
    if not decimal:
        return NumberTrouble.AMBIGUOUS
    return (whole + "." + fraction, "") if mark == decimal else (whole + fraction, "")


def _split_at(body: str, mark: str, decimal: str, shown: bool) -> tuple[str, str] | NumberTrouble:
    """Split at the decimal mark the text shows; the other mark must group digits properly."""
    if decimal and mark != decimal and shown:
        return NumberTrouble.WRONG_MARK
    whole, _, fraction = body.partition(mark)
    groups = whole.split("," if mark == "." else ".")
    if mark in fraction or "," in fraction or "." in fraction or not _groups_are_proper(groups):
        return NumberTrouble.NOT_A_NUMBER
    return ("".join(groups) or "0") + ("." + fraction if fraction else ""), mark


def _groups_are_proper(groups: list[str]) -> bool:
    """1,234,567 and the Indian 12,34,567; one group is no grouping at all."""
    if len(groups) == 1:
        return True
    if not 1 <= len(groups[0]) <= 3 or len(groups[-1]) != 3:
        return False
    return all(len(group) == 3 for group in groups[1:]) or all(len(group) == 2 for group in groups[1:-1])
