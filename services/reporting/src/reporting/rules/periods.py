"""Periods of a calendar: whole months and the days left over, and the names months, quarters and years go by."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

_LABEL = re.compile(r"([0-9]{4})(?:-(?:Q([1-4])|(0[1-9]|1[0-2])))?")
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """Days from `first` to `last`, both included; None is open."""

    first: date | None = None
    last: date | None = None

    @property
    def is_open(self) -> bool:
        """True when it has neither a first nor a last day."""
        return self.first is None and self.last is None

    def holds(self, other: Span) -> bool:
        """Tell whether every day of `other` is in this span."""
        begins = self.first is None or (other.first is not None and self.first <= other.first)
        return begins and (self.last is None or (other.last is not None and other.last <= self.last))

    def meets(self, other: Span) -> bool:
        """Tell whether the spans share a day."""
        return (self.first is None or other.last is None or self.first <= other.last) and (
            other.first is None or self.last is None or other.first <= self.last
        )


def month_start(day: date) -> date:
    """The first day of a day's month."""
    return day.replace(day=1)


def next_month(day: date) -> date:
    """The first day of the month after a day's month. After December 9999: the last day there is."""
    if (day.year, day.month) == (9999, 12):
        return date.max
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def split_span(span: Span) -> tuple[Span | None, list[Span]]:
    """The whole months of a span and, apart, the days of months it only partly covers.

    Shapes: the whole months are given as the first and last *first day of a month* (None where open), or None where
    there is no whole month; the rest are at most two spans. Whole and rest together are the span, each day once.
    """
    first, last = span.first, span.last
    whole_first = first if first is None or first.day == 1 else next_month(first)
    ends_whole = last is None or (last + DAY if last < date.max else last).day == 1
    if last and not ends_whole and month_start(last) == date.min:  # there is no month before, to be the last whole one
        return None, [span]
    whole_last = last if last is None else month_start(last) if ends_whole else month_start(month_start(last) - DAY)
    if whole_first and whole_last and whole_first > whole_last:
        return None, [span]
    rest = []
    if first and whole_first and first < whole_first:
        rest.append(Span(first, whole_first - DAY))
    if last and not ends_whole:
        rest.append(Span(month_start(last), last))
    return Span(whole_first, whole_last), rest


def period_label(day: date, grain: str) -> str:
    """What a day's month, quarter or year is called: 2017-03, 2017-Q1, 2017."""
    if grain == "month":
        return f"{day.year:04d}-{day.month:02d}"
    if grain == "quarter":
        return f"{day.year:04d}-Q{(day.month + 2) // 3}"
    return f"{day.year:04d}"


def label_span(label: str) -> Span | None:
    """The days a label names; None when it is not one."""
    found = _LABEL.fullmatch(label)
    if found is None or int(found[1]) == 0:
        return None
    year, quarter, month = int(found[1]), found[2], found[3]
    start = date(year, int(month) if month else 3 * int(quarter) - 2 if quarter else 1, 1)
    end = start
    for _ in range(1 if month else 3 if quarter else 12):
        end = next_month(end)
    return Span(start, end if end == date.max else end - DAY)


def grain_span(day: date, grain: str) -> Span:
    """The month, quarter or year a day lies in."""
    span = label_span(period_label(day, grain))
    assert span is not None
    return span
