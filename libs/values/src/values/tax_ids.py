"""Which tax identifier a text is, in one spelling per identifier, or why it is none.

Russian numbers are checked by their check digits; elsewhere the shape is checked. A number that cannot be told is
flagged, never repaired by a guess: a lost leading zero is reported, not put back.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from values.characters import is_blank_value, plain_text

__all__ = ["TaxId", "TaxIdProblem", "TaxIdTrouble", "normalize_tax_id"]


class TaxIdTrouble(StrEnum):
    """Why a text gives no tax identifier; the value is the sentence part shown to people."""

    EMPTY = "empty"
    WRONG_SHAPE = "not a tax id"
    WRONG_CHECK_DIGIT = "check digit wrong"
    LEADING_ZERO_LOST = "leading zero lost"
    DAMAGED = "damaged by a spreadsheet"


@dataclass(frozen=True, slots=True)
class TaxId:
    """An identifier in letters and digits. `kind` names it ("inn", "vat", …), "unknown" where the country has no rule.

    `verified` is True only where check digits were there and right. `country` is the one that issued it.
    """

    value: str
    country: str | None
    kind: str
    verified: bool
    raw: str


@dataclass(frozen=True, slots=True)
class TaxIdProblem:
    """A text that gives no identifier, and why."""

    reason: TaxIdTrouble
    raw: str


# Shapes by country, tried in order: kind and pattern of the bare letters and digits. A VAT number keeps its country
# prefix in the value, written or not. Sources: VIES number formats of the European Commission; OECD's sheets on
# tax identification numbers; Russian Tax Service order MMV-7-6/435 (INN: 10 digits of a company, 12 of a person).
_SHAPES: dict[str, tuple[tuple[str, re.Pattern[str]], ...]] = {
    country: tuple((kind, re.compile(pattern)) for kind, pattern in shapes)
    for country, shapes in {
        "RU": (("inn", r"\d{10}|\d{12}"),),
        "KZ": (("bin", r"\d{12}"),),
        "BY": (("unp", r"[0-9A-Z]{2}\d{7}"),),
        "UA": (("edrpou", r"\d{8}"), ("rnokpp", r"\d{10}"), ("ipn", r"\d{12}")),
        "UZ": (("inn", r"\d{9}"), ("pinfl", r"\d{14}")),
        "US": (("ein", r"\d{9}"),),
        "GB": (
            ("vat", r"(?:GB)?(?:\d{9}|\d{12}|GD\d{3}|HA\d{3})"),
            ("utr", r"\d{10}"),
            ("company", r"(?:\d\d|[A-Z]{2})\d{6}"),
        ),
        "DE": (("vat", r"(?:DE)?\d{9}"), ("steuernummer", r"\d{10,11}|\d{13}")),
        "FR": (("vat", r"FR[0-9A-Z]{2}\d{9}|[0-9A-Z]{2}\d{9}"), ("siren", r"\d{9}"), ("siret", r"\d{14}")),
        "PL": (("vat", r"(?:PL)?\d{10}"),),
        "AT": (("vat", r"(?:AT)?U\d{8}"), ("steuernummer", r"\d{9}")),
        "IT": (("vat", r"(?:IT)?\d{11}"), ("codice_fiscale", r"[A-Z]{6}[0-9A-Z]{10}")),
        "ES": (("vat", r"(?:ES)?(?:[A-Z]\d{7}[0-9A-Z]|\d{8}[A-Z])"),),
        "NL": (("vat", r"(?:NL)?\d{9}B\d\d"), ("rsin", r"\d{8,9}")),
        "BE": (("vat", r"(?:BE)?[01]\d{9}"),),
        "CZ": (("vat", r"(?:CZ)?\d{8,10}"),),
        "SE": (("vat", r"(?:SE)?\d{10}01"), ("organisationsnummer", r"\d{10}")),
        "CN": (("uscc", r"[0-9A-Z]{18}"),),
        "IN": (("gstin", r"\d\d[A-Z]{5}\d{4}[A-Z][0-9A-Z]Z[0-9A-Z]"), ("pan", r"[A-Z]{5}\d{4}[A-Z]")),
        "BR": (("cnpj", r"[0-9A-Z]{12}\d\d"), ("cpf", r"\d{11}")),
    }.items()
}

# What passes for an identifier of a country without a rule: a note such as "ask Peter" must not become a match key.
_LIKELY = re.compile(r"(?=.*\d)\w{5,30}")
_LABEL = re.compile(
    r"^(?:инн(?:\s*/\s*кпп)?|унп|бин|иин|едрпоу|inn|vat(?: no)?|ust-?id(?:nr)?|nip|ein|tax id|cif|nif|p\.?\s?iva)"
    r"(?:[\s.:№-]+|(?=\d))",
    re.IGNORECASE,
)
_SCIENTIFIC = re.compile(r"\d([.,]\d+)?E\+?\d+", re.IGNORECASE)
_FLOAT_TAIL = re.compile(r"(?<=\d)\.0+$")
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
# "7707083893/773601001": the registration reason code (KPP) of a branch follows the company's INN.
_INN_WITH_KPP = re.compile(r"(\d{9,10})\s*[/\\;, ]\s*\d{4}[0-9A-Z]{2}\d{3}")

# Weights of the Russian check digits, Tax Service order MMV-7-6/435: one for companies, two for persons.
_INN_10 = (2, 4, 10, 3, 5, 9, 4, 6, 8)
_INN_11 = (7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
_INN_12 = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)


def normalize_tax_id(raw: str, country: str | None) -> TaxId | TaxIdProblem:
    """Read one tax identifier issued in `country` (ISO 3166-1 alpha-2), or by the country of its VAT prefix.

    Where the country is unknown or has no rule here, the letters and digits are kept as kind "unknown".
    """
    text = _FLOAT_TAIL.sub("", _LABEL.sub("", plain_text(raw))).upper()
    if is_blank_value(text):
        return TaxIdProblem(TaxIdTrouble.EMPTY, raw)
    if _SCIENTIFIC.fullmatch(text):
        return TaxIdProblem(TaxIdTrouble.DAMAGED, raw)
    issuer = country.upper() if country else None
    if issuer == "RU" and (with_kpp := _INN_WITH_KPP.fullmatch(text)):
        text = with_kpp[1]
    value = _NOT_ALPHANUMERIC.sub("", text)
    if len(set(value)) == 1:  # 0000000000 or 1111111111, typed to get past a mandatory field
        return TaxIdProblem(TaxIdTrouble.EMPTY, raw)
    return _read_shape(value, issuer, raw)


def _read_shape(value: str, issuer: str | None, raw: str) -> TaxId | TaxIdProblem:
    for country in (issuer or "", value[:2]):
        for kind, shape in _SHAPES.get(country, ()):
            if shape.fullmatch(value) and (country == issuer or kind == "vat"):
                return _check_inn(value, raw) if country == "RU" else _name_shape(value, country, kind, raw)
    if issuer == "RU" and _has_lost_zero(value):
        return TaxIdProblem(TaxIdTrouble.LEADING_ZERO_LOST, raw)
    if issuer in _SHAPES or not _LIKELY.fullmatch(value):
        return TaxIdProblem(TaxIdTrouble.WRONG_SHAPE, raw)
    return TaxId(value, issuer, "unknown", False, raw)


def _name_shape(value: str, country: str, kind: str, raw: str) -> TaxId:
    written = f"{country}{value.removeprefix(country)}" if kind == "vat" else value
    return TaxId(written, country, kind, False, raw)


def _check_inn(value: str, raw: str) -> TaxId | TaxIdProblem:
    if not _is_inn(value):
        return TaxIdProblem(TaxIdTrouble.WRONG_CHECK_DIGIT, raw)
    return TaxId(value, "RU", "inn", True, raw)


def _is_inn(digits: str) -> bool:
    if len(digits) == 10:
        return _check_digit(digits, _INN_10) == digits[9]
    return _check_digit(digits, _INN_11) == digits[10] and _check_digit(digits, _INN_12) == digits[11]


def _check_digit(digits: str, weights: tuple[int, ...]) -> str:
    return str(sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False)) % 11 % 10)


def _has_lost_zero(digits: str) -> bool:
    """Say whether the digits are a right number but for the zero that spreadsheets drop in regions 01 to 09."""
    return digits.isdecimal() and len(digits) in (9, 11) and _is_inn(f"0{digits}")
