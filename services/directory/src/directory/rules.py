"""What may be in the directory and what follows from a position: decisions on plain values, no I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from chassis.access import ADMINISTER, ALL, IMPORT, OWN, PLAN, READ, SUBTREE, WRITE, Grant
from chassis.errors import FieldInvalid, FieldViolation

KINDS = ("company", "region", "branch", "department", "team")
ROLES = ("seller", "head", "steward", "administrator", "none")
# A routing key has at most 255 bytes (AMQP 0-9-1) and closes with the path; the longest front so far is 62.
MAX_PATH = 180
MAX_NAME = 200
LEAST_PASSWORD, MAX_PASSWORD = 10, 200
_CODE = re.compile(r"[a-z0-9_]{1,30}")
_AREA = re.compile(r"[0-9]{0,10}")

_ACTIONS_BELOW = {
    "seller": (READ, WRITE),
    "head": (READ, WRITE, PLAN),
    "steward": (READ, WRITE, PLAN, IMPORT),
}


@dataclass(frozen=True)
class Place:
    """A position as rights see it: role, where, and from when to when in the zone of its unit."""

    role: str
    unit_id: str
    unit_path: str
    time_zone: str
    start_date: date | None
    end_date: date | None

    def in_force(self, moment: datetime) -> bool:
        """Tell whether the position holds at an aware moment, by the calendar of its unit."""
        today = moment.astimezone(ZoneInfo(self.time_zone)).date()
        return (self.start_date is None or self.start_date <= today) and (
            self.end_date is None or today < self.end_date
        )


def grants_of(places: Iterable[Place], moment: datetime) -> tuple[Grant, ...]:
    """What the positions in force at `moment` allow, each grant once.

    Every role but none also reads and writes the records its holder owns, wherever they are.
    """
    found: dict[Grant, None] = {}
    for place in places:
        if place.role == "none" or not place.in_force(moment):
            continue
        if place.role == "administrator":
            found |= dict.fromkeys(Grant(action, ALL) for action in (READ, WRITE, IMPORT, PLAN, ADMINISTER))
            continue
        found |= dict.fromkeys(Grant(action, SUBTREE, place.unit_path) for action in _ACTIONS_BELOW[place.role])
        found |= dict.fromkeys(Grant(action, OWN) for action in (READ, WRITE))
    return tuple(found)


def home_of(places: Iterable[Place], moment: datetime) -> Place | None:
    """The place that counts as home: the youngest in force, else the youngest of all; `places` oldest first."""
    ordered = list(places)
    current = [place for place in ordered if place.in_force(moment)]
    chosen = current or ordered
    return chosen[-1] if chosen else None


def check_text(field: str, text: str, most: int, *, required: bool = False) -> str:
    """The text as it may be stored. Errors: FieldInvalid for NUL, over-length, or blank where required."""
    if "\0" in text:
        raise invalid(field, "holds a NUL character; remove it")
    if len(text) > most:
        raise invalid(field, f"has {len(text)} characters; use at most {most}")
    if required and not text.strip():
        raise invalid(field, "is empty; fill it in")
    return text


def check_code(code: str) -> str:
    """A unit's code. Errors: FieldInvalid."""
    if not _CODE.fullmatch(code):
        raise invalid("unit.code", f"is {code[:60]!r}; use 1 to 30 signs of a-z, 0-9 and _")
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


def check_password(password: str) -> str:
    """A new password. Errors: FieldInvalid outside 10 to 200 characters."""
    if not LEAST_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise invalid("password", f"has {len(password)} characters; use {LEAST_PASSWORD} to {MAX_PASSWORD}")
    return check_text("password", password, MAX_PASSWORD)


def login_key(login: str) -> str:
    """The form under which logins are compared."""
    return login.strip().casefold()


def invalid(field: str, description: str) -> FieldInvalid:
    """One field's refusal."""
    return FieldInvalid(FieldViolation(field, description))


@lru_cache(maxsize=1)
def _zones() -> set[str]:
    return available_timezones()
