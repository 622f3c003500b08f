"""Working weeks as people write them: for each day stretches such as 9:00–13:00, 14:00–18:00. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from babel import Locale
from babel.dates import format_date

from chassis.errors import FieldInvalid, FieldViolation
from crm.scheduling.v1 import scheduling_pb2 as pb
from gateway.web.texts import gettext as _

DAYS = range(1, 8)
MONDAY = date(2024, 1, 1)  # any Monday
STRETCH = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?\s*[-\N{EN DASH}\N{EM DASH}]\s*(\d{1,2})(?:[:.](\d{2}))?")
DIVIDER = re.compile(r"[,;\n\N{ARABIC COMMA}]")


def day_names(locale: Locale) -> dict[int, str]:
    """The days of the week by their numbers, from Monday."""
    return {day: format_date(MONDAY + timedelta(days=day - 1), "EEEE", locale=locale) for day in DAYS}


def write_hours(hours: Iterable[pb.WorkingHours]) -> dict[int, str]:
    """What stands in the field of each day; nothing where nobody works."""
    found: dict[int, list[str]] = {day: [] for day in DAYS}
    for one in hours:
        found[one.weekday].append(f"{_clock(one.start_minute)}\N{EN DASH}{_clock(one.end_minute)}")
    return {day: ", ".join(stretches) for day, stretches in found.items()}


def read_hours(written: Mapping[int, str]) -> list[pb.WorkingHours]:
    """The stretches of all days. Errors: FieldInvalid that names the field of the day."""
    return [
        _read_stretch(day, part)
        for day, text in sorted(written.items())
        for part in DIVIDER.split(text.strip())
        if part.strip()
    ]


def _read_stretch(day: int, text: str) -> pb.WorkingHours:
    match = STRETCH.fullmatch(text.strip())
    if match is None:
        raise FieldInvalid(FieldViolation(f"day_{day}", _("is no stretch of a day; write it such as 9:00-13:00")))
    hours = [int(one or 0) for one in match.groups()]
    start, end = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
    if not (start < end <= 24 * 60 and hours[1] < 60 and hours[3] < 60):
        raise FieldInvalid(FieldViolation(f"day_{day}", _("ends before it begins, or is no time of a day")))
    return pb.WorkingHours(weekday=day, start_minute=start, end_minute=end)


def _clock(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02d}"
