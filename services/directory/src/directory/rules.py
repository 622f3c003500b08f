"""What may be in the directory: decisions on plain values, no I/O; what follows from a position is in rights."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from zoneinfo import available_timezones

from chassis.errors import FieldInvalid, FieldViolation

KINDS = ("company", "region", "branch", "department", "team")
# A routing key has at most 255 bytes (AMQP 0-9-1) and closes with the path; the longest front so far is 62.
MAX_PATH = 180
MAX_NAME = 200
LEAST_PASSWORD, MAX_PASSWORD = 10, 200
_CODE = re.compile(r"[a-z0-9_]{1,30}")
_AREA = re.compile(r"[0-9]{0,10}")


def check_text(field: str, text: str, most: int, *, required: bool = False) -> str:
    """The text as it may be stored. Errors: FieldInvalid for NUL, over-length, or blank where required."""
    if "\0" in text:
        raise invalid(field, "holds a NUL character; remove it")
    if len(text) > most:
        raise invalid(field, f"has {len(text)} characters; use at most {most}")
    if required and not text.strip():
        raise invalid(field, "is empty; fill it in")
    return text


def check_code(code: str, field: str = "unit.code") -> str:
    """A unit's or role's code. Errors: FieldInvalid."""
    if not _CODE.fullmatch(code):
        raise invalid(field, f"is {code[:60]!r}; use 1 to 30 signs of a-z, 0-9 and _")
    return code


def check_path(path: str) -> str:
    """A unit's path, which ends every routing key. Errors: FieldInvalid when longer than 180."""
    if len(path) > MAX_PATH:
        raise invalid("unit.code", f"makes a path of {len(path)} characters; use shorter codes, at most {MAX_PATH}")
    return path


def check_country(code: str) -> str:
    """An ISO 3166-1 alpha-2 code. Errors: FieldInvalid."""
    if not re.fullmatch("[A-Z]{2}", code):
        raise invalid("unit.country_code", f"is {code[:60]!r}; use two capital letters such as DE")
    return code


def check_currency(code: str) -> str:
    """An ISO 4217 code. Errors: FieldInvalid."""
    if not re.fullmatch("[A-Z]{3}", code):
        raise invalid("unit.currency_code", f"is {code[:60]!r}; use three capital letters such as EUR")
    return code


def check_zone(name: str) -> str:
    """An IANA zone. Errors: FieldInvalid."""
    if name not in _zones():
        raise invalid("unit.time_zone", f"is {name[:60]!r}; use an IANA zone such as Europe/Berlin")
    return name


def check_area(code: str) -> str:
    """A telephone area code. Errors: FieldInvalid."""
    if not _AREA.fullmatch(code):
        raise invalid("unit.area_code", f"is {code[:60]!r}; use digits only, at most 10")
    return code


def check_period(start: date | None, end: date | None, field: str) -> None:
    """Errors: FieldInvalid when a period ends before it starts."""
    if start is not None and end is not None and end < start:
        raise invalid(field, f"{end} is before the start {start}; give a day on or after it")


def check_password(password: str, field: str = "password") -> str:
    """A new password. Errors: FieldInvalid outside 10 to 200 characters."""
    if not LEAST_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise invalid(field, f"has {len(password)} characters; use {LEAST_PASSWORD} to {MAX_PASSWORD}")
    return check_text(field, password, MAX_PASSWORD)


def login_key(login: str) -> str:
    """The form under which logins are compared."""
    return login.strip().casefold()


def invalid(field: str, description: str) -> FieldInvalid:
    """One field's refusal."""
    return FieldInvalid(FieldViolation(field, description))


@lru_cache(maxsize=1)
def _zones() -> set[str]:
    return available_timezones()
