"""Which day a text is, given the form of its column, and which form a column has.

"03/04/2017" is two days; the column's other values decide, or its owner does, never this code. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from functools import lru_cache

#: 00 to 68 are 2000 to 2068, 69 to 99 are 1969 to 1999, as POSIX strptime and spreadsheets (29/68) nearly agree.
TWO_DIGIT_PIVOT = 69
#: No written date is longer; the bound keeps matching quick on whatever a cell may hold.
_LONGEST = 64


class DateForm(StrEnum):
    """The order of the parts of a written date."""

    ISO = "iso"
    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"
    YEAR_DAY_MONTH = "year_day_month"
    COMPACT = "compact"
    NAMED_MONTH = "named_month"


class DateTrouble(StrEnum):
    """Why a text is not a date of the form asked for."""

    NOT_A_DATE = "not_a_date"
    IMPOSSIBLE = "impossible"
    OTHER_FORM = "other_form"


_SEPARATED = re.compile(
    r"(?P<a>\d{1,4})(?P<s>[-/.\u2010-\u2015年 ])\s?(?P<b>\d{1,2})(?:(?P=s)|月)\s?(?P<c>\d{1,4})"
    r"(?:日|(?<=\d)\.|\s?г\.?)?(?P<rest>.*)",
    re.DOTALL,
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})?)?Z?")
_NAMED = re.compile(
    r"(?:[^\W\d_]{2,9}\.?,?\s+)?"  # the day of the week
    r"(?:(?P<d1>\d{1,2})(?:st|nd|rd|th|\.)?[-\s]*(?:de\s+)?(?P<m1>[^\W\d_]{3,12})\.?"
    r"|(?P<m2>[^\W\d_]{3,12})\.?[-\s]*(?P<d2>\d{1,2})(?:st|nd|rd|th)?)"
    r"[-,\s]*(?:de\s+)?(?P<y>\d{4}|\d{2})(?:\s?г(?:ода|\.)?)?(?P<rest>(?:[\s,T].*)?)",
    re.IGNORECASE | re.DOTALL,
)
_TIME = re.compile(
    r"[T\s,]*(?P<h>\d{1,2})[:.](?P<m>\d{2})(?:[:.](?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?\s*(?P<ap>[ap]\.?m\.?)?\s*"
    r"(?P<zone>Z|UTC|GMT|[-+]\d{2}:?\d{2}|[-+]\d{2})?\s*",
    re.IGNORECASE,
)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january янв января январь januar enero janvier gennaio janeiro січня",
            "feb february фев февраля февраль februar febrero février fevrier febbraio fevereiro лютого",
            "mar march мар марта март märz maerz marzo mars março marco березня",
            "apr april апр апреля апрель abril avril aprile квітня",
            "may мая май mai mayo maggio maio травня",
            "jun june июн июня июнь juni junio juin giugno junho червня",
            "jul july июл июля июль juli julio juillet luglio julho липня",
            "aug august авг августа август agosto août aout серпня",
            "sep sept september сен сент сентября сентябрь septiembre septembre settembre setembro вересня",
            "oct october окт октября октябрь oktober octubre octobre ottobre outubro жовтня",
            "nov november ноя нояб ноября ноябрь noviembre novembre novembro листопада",
            "dec december дек декабря декабрь dezember diciembre décembre decembre dicembre dezembro грудня",
        ),
        start=1,
    )
    for name in names.split()
}


def parse_date(text: str, form: DateForm | None = None) -> datetime | date | DateTrouble:
    """Read a written date; without a form only what has one meaning in every form.

    Returns: a date, or a datetime when a time is written (aware when a zone is written). IMPOSSIBLE for 31.02.2017,
    OTHER_FORM when the text is a date of another form than asked for (13/25/2017 is of none and IMPOSSIBLE).
    """
    forms = date_forms(text)
    if isinstance(forms, DateTrouble):
        return forms
    if form is None:
        values = set(forms.values())
        return values.pop() if len(values) == 1 else DateTrouble.OTHER_FORM
    if form in forms:
        return forms[form]
    return DateTrouble.OTHER_FORM


@lru_cache(maxsize=65_536)
def date_forms(text: str) -> dict[DateForm, datetime | date] | DateTrouble:
    """Every form under which a text is a date, with the day it then is. Callers must not change the answer."""
    text = text.strip()
    if len(text) > _LONGEST:
        return DateTrouble.NOT_A_DATE
    separated = _SEPARATED.fullmatch(text)
    if separated:
        return _read_separated(separated)
    compact = _COMPACT.fullmatch(text)
    if compact:
        return _one(DateForm.COMPACT, compact[1], compact[2], compact[3], _compact_time(compact))
    named = _NAMED.fullmatch(text)
    month = _MONTHS.get((named["m1"] or named["m2"]).lower()) if named else None
    if named and month:
        return _one(DateForm.NAMED_MONTH, named["y"], str(month), named["d1"] or named["d2"], named["rest"])
    return DateTrouble.NOT_A_DATE


def _compact_time(found: re.Match[str]) -> str:
    return f" {found[4]}:{found[5]}:{found[6] or '00'}" if found[4] else ""


def _read_separated(found: re.Match[str]) -> dict[DateForm, datetime | date] | DateTrouble:
    a, b, c, rest = found["a"], found["b"], found["c"], found["rest"]
    if (
        len(a) in (3,)
        or len(c) in (3,)
        or (len(a) == 4 and len(c) == 4)
        or found["s"] == " "
        and len(a) != 4
        and len(c) != 4
    ):
        return DateTrouble.NOT_A_DATE
    if len(a) == 4:
        orders = (
            ((DateForm.ISO, a, b, c), (DateForm.YEAR_DAY_MONTH, a, c, b))
            if found["s"] != "年"
            else ((DateForm.ISO, a, b, c),)
        )
        if _possible(a, b, c):
            orders = orders[:1]  # the year first is the international order whenever it is possible
    else:
        orders = ((DateForm.DAY_FIRST, c, b, a), (DateForm.MONTH_FIRST, c, a, b))
        if found["s"] == "." and _possible(c, b, a):
            orders = orders[:1]  # nobody writes the month first with points
    read = {form: _build(year, month, day, rest) for form, year, month, day in orders}
    good = {form: value for form, value in read.items() if isinstance(value, date)}
    if good:
        return good
    return DateTrouble.NOT_A_DATE if DateTrouble.NOT_A_DATE in read.values() else DateTrouble.IMPOSSIBLE


def _possible(year: str, month: str, day: str) -> bool:
    return isinstance(_build(year, month, day, ""), date)


def _one(form: DateForm, year: str, month: str, day: str, rest: str) -> dict[DateForm, datetime | date] | DateTrouble:
    value = _build(year, month, day, rest)
    if isinstance(value, DateTrouble):
        return DateTrouble.NOT_A_DATE if form is DateForm.COMPACT else value
    return {form: value}


def _build(year: str, month: str, day: str, rest: str) -> datetime | date | DateTrouble:
    number = int(year)
    if len(year) <= 2:
        number += 1900 if number >= TWO_DIGIT_PIVOT else 2000
    try:
        found = date(number, int(month), int(day))
        return _with_time(found, rest) if rest.strip() else found
    except ValueError:
        return DateTrouble.IMPOSSIBLE


def _with_time(day: date, rest: str) -> datetime | DateTrouble:
    """Raises ValueError for 25:00; 24:00 is the next midnight nowhere in spreadsheets and is impossible too."""
    found = _TIME.fullmatch(rest)
    if found is None:
        return DateTrouble.NOT_A_DATE
    hour = int(found["h"])
    if found["ap"]:
        if not 1 <= hour <= 12:
            return DateTrouble.IMPOSSIBLE
        hour = hour % 12 + (12 if found["ap"].lower().startswith("p") else 0)
    micro = int((found["f"] or "0")[:6].ljust(6, "0"))
    return datetime(
        day.year, day.month, day.day, hour, int(found["m"]), int(found["s"] or 0), micro, tzinfo=_zone(found["zone"])
    )


def _zone(text: str | None) -> timezone | None:
    if not text:
        return None
    if text.upper() in ("Z", "UTC", "GMT"):
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


@dataclass(slots=True)
class DateEvidence:
    """What the values of one column say about its form, gathered one text at a time."""

    total: int = 0
    fits: dict[DateForm, int] = field(default_factory=dict)
    decides: dict[DateForm, int] = field(default_factory=dict)
    impossible: int = 0
    other: int = 0

    def look_at(self, text: str) -> None:
        """Count one text of the column."""
        self.total += 1
        forms = date_forms(text)
        if isinstance(forms, DateTrouble):
            if forms is DateTrouble.IMPOSSIBLE:
                self.impossible += 1
            else:
                self.other += 1
            return
        for form in forms:
            self.fits[form] = self.fits.get(form, 0) + 1
        if len(forms) == 1 or len(set(forms.values())) == 1:
            for form in forms:
                self.decides[form] = self.decides.get(form, 0) + (1 if len(forms) == 1 else 0)

    @property
    def dates(self) -> int:
        """How many of the texts are dates in some form."""
        return self.total - self.other - self.impossible

    @property
    def form(self) -> DateForm | None:
        """The form of the column: the one that some value proves and most fit; None when nothing proves one."""
        proven = [form for form, count in self.decides.items() if count]
        if not proven:
            only = [form for form, count in self.fits.items() if count == self.dates]
            return only[0] if len(only) == 1 and self.dates else None
        return max(proven, key=lambda form: (self.fits.get(form, 0), self.decides[form]))

    @property
    def ambiguous(self) -> bool:
        """Every value is a day under both orders and no value tells which."""
        return self.dates > 0 and self.form is None
