"""Whether a text is a value of a field that a company made for itself, in one spelling per value, or why it is none.

Forms, programs and files write the same value in different ways; all of them are read here and nowhere else.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from values.flags import read_yes_no

__all__ = ["BETWEEN", "FieldType", "FieldValue", "FieldValueProblem", "FieldValueTrouble", "normalize_field_value"]

BETWEEN = "; "  # stands between several choices
LINE, LINES = 300, 2_000  # characters
YES, NO = "yes", "no"
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:[.,][0-9]{1,6})?")
_MONEY = re.compile(r"(-?[0-9][0-9.,]*) ([A-Za-z]{3})")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ]00:00(?::00)?)?")
_DOTTED = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})")  # only ever written with the day first
_LINK = re.compile(r"https?://[^\s/]+\S*")
_USER = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BLANKS = dict.fromkeys(map(ord, "\u00a0\u202f\u2009"), " ")


class FieldType(StrEnum):
    """What kind of value a field holds."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    MONEY = "money"
    DATE = "date"
    YES_NO = "yes_no"
    CHOICE = "choice"
    CHOICES = "choices"
    LINK = "link"
    USER = "user"


class FieldValueTrouble(StrEnum):
    """Why a text is no value of a field; the value is the sentence part shown to people."""

    TOO_LONG = "too long"
    LINE_BREAK = "has several lines; keep one"
    NOT_A_NUMBER = "not a number; write it as -12.5"
    NOT_MONEY = "not an amount with its currency; write it as 1200.50 EUR"
    NOT_A_DATE = "not a day; write it as 2024-05-20"
    NOT_YES_OR_NO = "neither yes nor no"
    NOT_ALLOWED = "not one of the allowed values"
    NOT_A_LINK = "not an address that begins with https://"
    NOT_A_USER = "not the id of a user"


@dataclass(frozen=True, slots=True)
class FieldValue:
    """A value in its one spelling; empty where the text says nothing."""

    text: str


@dataclass(frozen=True, slots=True)
class FieldValueProblem:
    """A text that is no value of the field, and why."""

    reason: FieldValueTrouble
    raw: str


def normalize_field_value(
    field_type: FieldType, raw: str, choices: Sequence[str] = ()
) -> FieldValue | FieldValueProblem:
    """Read a text as a value of a field; `choices` are the allowed values of a choice, in order."""
    text = raw.strip()
    if not text:
        return FieldValue("")
    found = _read(field_type, text, choices)
    return FieldValueProblem(found, raw) if isinstance(found, FieldValueTrouble) else FieldValue(found)


def _read(field_type: FieldType, text: str, choices: Sequence[str]) -> str | FieldValueTrouble:
    if len(text) > (LINE if field_type in (FieldType.TEXT, FieldType.NUMBER, FieldType.MONEY) else LINES):
        return FieldValueTrouble.TOO_LONG
    match field_type:
        case FieldType.TEXT:
            return FieldValueTrouble.LINE_BREAK if "\n" in text or "\r" in text else text
        case FieldType.LONG_TEXT:
            return text
        case FieldType.NUMBER:
            return _read_number(text)
        case FieldType.MONEY:
            return _read_money(text)
        case FieldType.DATE:
            return _read_date(text)
        case FieldType.YES_NO:
            said = read_yes_no(text)
            return FieldValueTrouble.NOT_YES_OR_NO if said is None else YES if said else NO
        case FieldType.CHOICE | FieldType.CHOICES:
            return _read_choices(text, choices, several=field_type is FieldType.CHOICES)
        case FieldType.LINK:
            return text if _LINK.fullmatch(text) else FieldValueTrouble.NOT_A_LINK
        case FieldType.USER:
            return text.lower() if _USER.fullmatch(text.lower()) else FieldValueTrouble.NOT_A_USER


def _read_number(text: str) -> str | FieldValueTrouble:
    bare = text.translate(_BLANKS).replace(" ", "")
    if not _NUMBER.fullmatch(bare):
        return FieldValueTrouble.NOT_A_NUMBER
    number = Decimal(bare.replace(",", "."))
    return f"{number.normalize():f}" if number else "0"


def _read_money(text: str) -> str | FieldValueTrouble:
    parts = text.translate(_BLANKS).rpartition(" ")
    found = _MONEY.fullmatch(f"{parts[0].replace(' ', '')} {parts[2]}")
    amount = _read_number(found[1]) if found else FieldValueTrouble.NOT_MONEY
    if found is None or isinstance(amount, FieldValueTrouble):
        return FieldValueTrouble.NOT_MONEY
    return f"{amount} {found[2].upper()}"


def _read_date(text: str) -> str | FieldValueTrouble:
    written, dotted = _DATE.fullmatch(text), _DOTTED.fullmatch(text)
    try:
        if written:
            return date(int(written[1]), int(written[2]), int(written[3])).isoformat()
        if dotted:
            return date(int(dotted[3]), int(dotted[2]), int(dotted[1])).isoformat()
    except ValueError:
        pass  # a day that no calendar has
    return FieldValueTrouble.NOT_A_DATE


def _read_choices(text: str, choices: Sequence[str], *, several: bool) -> str | FieldValueTrouble:
    by_key = {one.casefold(): one for one in choices}
    written = re.split(r"[;\n]", text) if several else [text]
    chosen = {by_key.get(one.strip().casefold()) for one in written if one.strip()}
    if None in chosen:
        return FieldValueTrouble.NOT_ALLOWED
    return BETWEEN.join(one for one in choices if one in chosen)
