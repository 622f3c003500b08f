"""What number a written phone means: E.164 form, extension and kind, or why it cannot be told.

A number that cannot be resolved is flagged, never guessed, and the raw text is kept with either answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from values.calling_codes import CALLING_CODES, is_e164
from values.characters import is_blank_value, plain_text
from values.numbering import phonenumbers
from values.phone_cells import split_extension, split_phones

__all__ = [
    "CALLING_CODES",
    "Phone",
    "PhoneKind",
    "PhoneProblem",
    "PhoneTrouble",
    "format_phone",
    "is_e164",
    "normalize_phone",
    "phone_search_keys",
    "split_phones",
]

# phonenumbers compiles a pattern per country and kind; Python's cache of 512 makes it compile them again and again
# on worldwide input (2,750 numbers/s instead of 11,800; github.com/daviddrysdale/python-phonenumbers/issues/108).
re._MAXCACHE = 16384  # type: ignore[attr-defined]

# One import batch repeats few numbers, a re-import all of them: 32 Ki answers are about 15 MB.
_REMEMBERED = 32768
# Subscriber numbers have 5 to 8 digits; fewer is a short code or an office extension.
_LOCAL_DIGITS = range(5, 9)
# From this many lengths of fixed-line numbers on, a plan is "open": length alone does not tell local from national.
_OPEN_PLAN_LENGTHS = 3
_SHORTEST_SEARCH = 3
# libphonenumber's own limit of what it looks at; a longer text is none.
_LONGEST_TEXT = 250


class PhoneKind(StrEnum):
    """What a number is used for, after its numbering plan."""

    MOBILE = "mobile"
    FIXED = "fixed"
    FIXED_OR_MOBILE = "fixed_or_mobile"
    TOLL_FREE = "toll_free"
    PREMIUM = "premium"
    SHARED_COST = "shared_cost"
    VOIP = "voip"
    PERSONAL = "personal"
    PAGER = "pager"
    COMPANY = "company"
    VOICEMAIL = "voicemail"
    UNKNOWN = "unknown"


class PhoneTrouble(StrEnum):
    """Why a text gives no number; the value is the sentence part shown to people."""

    EMPTY = "empty"
    NOT_A_PHONE = "not a phone"
    AREA_CODE_UNKNOWN = "area code unknown"
    COUNTRY_UNKNOWN = "country unknown"
    DAMAGED = "damaged by a spreadsheet"


@dataclass(frozen=True, slots=True)
class Phone:
    """A number one can dial. `verified` is False where the length is right but the plan does not know the number."""

    e164: str
    extension: str | None
    kind: PhoneKind
    verified: bool
    raw: str


@dataclass(frozen=True, slots=True)
class PhoneProblem:
    """A text that gives no number, and why."""

    reason: PhoneTrouble
    raw: str


_KINDS = {
    phonenumbers.PhoneNumberType.MOBILE: PhoneKind.MOBILE,
    phonenumbers.PhoneNumberType.FIXED_LINE: PhoneKind.FIXED,
    phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE: PhoneKind.FIXED_OR_MOBILE,
    phonenumbers.PhoneNumberType.TOLL_FREE: PhoneKind.TOLL_FREE,
    phonenumbers.PhoneNumberType.PREMIUM_RATE: PhoneKind.PREMIUM,
    phonenumbers.PhoneNumberType.SHARED_COST: PhoneKind.SHARED_COST,
    phonenumbers.PhoneNumberType.VOIP: PhoneKind.VOIP,
    phonenumbers.PhoneNumberType.PERSONAL_NUMBER: PhoneKind.PERSONAL,
    phonenumbers.PhoneNumberType.PAGER: PhoneKind.PAGER,
    phonenumbers.PhoneNumberType.UAN: PhoneKind.COMPANY,
    phonenumbers.PhoneNumberType.VOICEMAIL: PhoneKind.VOICEMAIL,
}

_SCIENTIFIC = re.compile(r"\d([.,]\d+)?E\+?\d+", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d\d?-\d\d?([ T][\d:.]+)?|\d\d?[./]\d\d?[./]\d{4}")
_FLOAT_TAIL = re.compile(r"(?<=\d)\.0+$")
_NOT_DIGIT = re.compile(r"[^0-9]")
_LETTER = re.compile(r"[^\W\d_]")
_EXTENSION_SIGN = re.compile(r"[^\W\d_]|#")
_BEFORE_NUMBER = re.compile(r"^[^\d+]*?(?=\(?[\d+])")
# "1 (11) 500 555-0132": the North American international prefix 011 spelt around a North American number.
_NANP_FROM_ABROAD = re.compile(r"1 ?\(0?11\) ?(\d{3}[ -]?\d{3}[ -]?\d{4})")


def normalize_phone(raw: str, country: str | None, area_code: str | None = None) -> Phone | PhoneProblem:
    """Resolve one written number to E.164, or say why it cannot be.

    Args: `country` ISO 3166-1 alpha-2 where a number without calling code would be dialled; None when unknown.
    `area_code` of the branch, digits, with or without trunk prefix, completes local numbers; None when unknown.
    Source: scenario C14; libphonenumber metadata for lengths, trunk and international prefixes.
    """
    found = _resolve(raw, country.upper() if country else None, area_code)
    if isinstance(found, PhoneTrouble):
        return PhoneProblem(found, raw)
    e164, extension, kind = found
    return Phone(e164, extension, kind, kind is not PhoneKind.UNKNOWN, raw)


@lru_cache(maxsize=_REMEMBERED)
def format_phone(e164: str) -> str:
    """A number as it is written across borders: +7 495 123-45-67; what is no E.164 number stays as it is."""
    if not is_e164(e164):
        return e164
    return phonenumbers.format_number(phonenumbers.parse(e164), phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def phone_search_keys(query: str, country: str | None = None, area_code: str | None = None) -> tuple[str, ...]:
    """Give the runs of digits, any of which the E.164 digits of a wanted number contain; () if it is no phone search.

    A complete number gives its E.164 digits, and those typed where they are its national ones: it may be meant in
    another country. A fragment gives its digits as typed and without trunk or 00 prefix.
    """
    text = plain_text(query)
    if len(text) > _LONGEST_TEXT or _LETTER.search(split_extension(_BEFORE_NUMBER.sub("", text))[0]):
        return ()
    found = _resolve(text, country.upper() if country else None, area_code)
    digits = _NOT_DIGIT.sub("", text)
    if not isinstance(found, PhoneTrouble):
        whole = found[0][1:]
        return (whole, digits) if whole != digits and whole.endswith(digits) else (whole,)
    bare = digits.lstrip("0") if digits.startswith("0") else digits.removeprefix("8")
    keys = (digits,) if text.startswith("+") else (digits, bare)
    return tuple(dict.fromkeys(key for key in keys if len(key) >= _SHORTEST_SEARCH))


@lru_cache(maxsize=_REMEMBERED)
def _resolve(raw: str, country: str | None, area_code: str | None) -> tuple[str, str | None, PhoneKind] | PhoneTrouble:
    text = _FLOAT_TAIL.sub("", plain_text(raw))
    if is_blank_value(text):
        return PhoneTrouble.EMPTY
    if _SCIENTIFIC.fullmatch(text):
        return PhoneTrouble.DAMAGED
    if len(text) > _LONGEST_TEXT or "@" in text or _DATE.fullmatch(text):
        return PhoneTrouble.NOT_A_PHONE
    number, extension = split_extension(text) if _EXTENSION_SIGN.search(text) else (text, None)
    region = country if country in phonenumbers.SUPPORTED_REGIONS else None
    found = _find_number(number, region, area_code)
    if isinstance(found, PhoneTrouble):
        return found
    e164, kind = _settle(found)
    return (e164, extension or found.extension, kind) if is_e164(e164) else PhoneTrouble.NOT_A_PHONE


def _find_number(text: str, region: str | None, area_code: str | None) -> phonenumbers.PhoneNumber | PhoneTrouble:
    """Try what the text says with its notes left out, then as a vanity number (1-800-FLOWERS)."""
    if not _LETTER.search(text):
        return _read_number(text, region, area_code)
    without_notes = " ".join(re.findall(r"[+(]*\d[\d\s().\-/]*", text))
    found = _read_number(without_notes, region, area_code) if without_notes else PhoneTrouble.NOT_A_PHONE
    if isinstance(found, PhoneTrouble) and text.isascii() and (vanity := _parse(text, region)) and _is_known(vanity):
        return vanity
    return found


def _read_number(text: str, region: str | None, area_code: str | None) -> phonenumbers.PhoneNumber | PhoneTrouble:
    text = _BEFORE_NUMBER.sub("", text)
    digits = _NOT_DIGIT.sub("", text)
    for written in _written_abroad(text, digits):
        number = _parse(written, None)
        if number is not None and _is_complete(number):
            return number
    if "+" in text:
        return PhoneTrouble.NOT_A_PHONE
    if region is None:
        return PhoneTrouble.COUNTRY_UNKNOWN if len(digits) >= _LOCAL_DIGITS.start else PhoneTrouble.NOT_A_PHONE
    return _read_at_home(digits, region, area_code)


def _written_abroad(text: str, digits: str) -> Iterator[str]:
    """Spell in +form what is written with a calling code for certain."""
    if text.startswith(("+", "(+")):
        yield text
    elif digits.startswith("00"):
        yield f"+{digits[2:]}"
    elif match := _NANP_FROM_ABROAD.fullmatch(text):
        yield f"+1{match[1]}"


def _read_at_home(digits: str, region: str, area_code: str | None) -> phonenumbers.PhoneNumber | PhoneTrouble:
    """Read digits as dialled inside `region`: national first, local where they can only or better be local."""
    national = _parse(digits, region)
    complete = national is not None and _is_complete(national)
    if national is not None and complete and not _could_be_local(digits, national, region):
        return national
    local = _read_local(digits, region, area_code)
    if local is not None:
        return local
    if not complete and (other := _read_odd(digits, region)):
        return other
    if area_code is None and len(digits) in _LOCAL_DIGITS and _has_area_codes(national, region):
        return PhoneTrouble.AREA_CODE_UNKNOWN
    return national if national is not None and complete and _is_known(national) else PhoneTrouble.NOT_A_PHONE


def _could_be_local(digits: str, national: phonenumbers.PhoneNumber, region: str) -> bool:
    """Say whether a complete number of an open plan may as well be a local one: short, without trunk prefix.

    "901820" in Germany is a number of every town; "030 901820" and "170 1234567" are not.
    """
    plan = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if len(digits) not in _LOCAL_DIGITS or plan is None or not (trunk := plan.national_prefix):
        return False
    if digits != phonenumbers.national_significant_number(national):
        return False
    if plan.fixed_line is None or len(plan.fixed_line.possible_length) < _OPEN_PLAN_LENGTHS:
        return False
    if not _is_known(national):
        return True
    written = phonenumbers.format_number(national, phonenumbers.PhoneNumberFormat.NATIONAL)
    return _NOT_DIGIT.sub("", written).startswith(trunk)


def _read_local(digits: str, region: str, area_code: str | None) -> phonenumbers.PhoneNumber | None:
    """Complete a subscriber number by the branch's area code."""
    area = _bare_area_code(area_code or "", region)
    if not area or len(digits) not in _LOCAL_DIGITS:
        return None
    number = _parse(f"+{phonenumbers.country_code_for_region(region)}{area}{digits}", None)
    return number if number is not None and _is_complete(number) else None


def _read_odd(digits: str, region: str) -> phonenumbers.PhoneNumber | None:
    """Read what is too long at home: a foreign number without its plus, or 0495… in a country of trunk prefix 8."""
    plan = phonenumbers.PhoneMetadata.metadata_for_region(region)
    calling_code = phonenumbers.country_code_for_region(region)
    if calling_code == 7 and digits.startswith("0"):
        number = _parse(f"+7{digits[1:]}", None)
    elif digits.startswith((str(calling_code), (plan and plan.national_prefix) or "0", "0")):
        return None
    else:
        number = _parse(f"+{digits}", None)
    return number if number is not None and _is_known(number) else None


@lru_cache(maxsize=1024)
def _bare_area_code(area_code: str, region: str) -> str:
    digits = _NOT_DIGIT.sub("", plain_text(area_code))
    plan = phonenumbers.PhoneMetadata.metadata_for_region(region)
    return digits.removeprefix((plan and plan.national_prefix) or "")


def _has_area_codes(national: phonenumbers.PhoneNumber | None, region: str) -> bool:
    """Say whether numbers of the region can be dialled without their area code."""
    if (
        national is not None
        and phonenumbers.is_possible_number_with_reason(national)
        == phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY
    ):
        return True
    plan = phonenumbers.PhoneMetadata.metadata_for_region(region)
    return plan is not None and plan.national_prefix is not None


def _parse(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


def _is_complete(number: phonenumbers.PhoneNumber) -> bool:
    """Say whether the length can be dialled; a few short numbers (Canada's 310-1234) are whole without area code."""
    length = phonenumbers.is_possible_number_with_reason(number)
    return length == phonenumbers.ValidationResult.IS_POSSIBLE or (
        length == phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY and _is_known(number)
    )


def _is_known(number: phonenumbers.PhoneNumber) -> bool:
    return phonenumbers.is_valid_number(number)


def _settle(number: phonenumbers.PhoneNumber) -> tuple[str, PhoneKind]:
    """Give the E.164 form that reads back as itself, and the kind.

    An unknown number may lose what looks like a trunk prefix when its form is read again, so it is read until it stays.
    """
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    kind = _KINDS.get(phonenumbers.number_type(number), PhoneKind.UNKNOWN)
    if kind is PhoneKind.UNKNOWN and (again := _parse(e164, None)):
        reread = phonenumbers.format_number(again, phonenumbers.PhoneNumberFormat.E164)
        return (e164, kind) if reread == e164 else _settle(again)
    return e164, kind
