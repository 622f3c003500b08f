"""Exact figures: sums that fold, ratios with a stated precision, and how a figure is written as text."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal

# Sums of a million amounts of 20 digits, times a rate of 24, stay exact.
EXACT = Context(prec=60)
RATIO_STEP = Decimal("0.000001")  # a ratio has no last digit: six places, far below what is shown


def as_text(value: Decimal | int | None) -> str:
    """A figure as decimal text without idle zeros; empty for none."""
    if value is None:
        return ""
    text = format(Decimal(value), "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text


def ratio(part: Decimal | int, whole: Decimal | int, times: int = 1) -> Decimal | None:
    """`part / whole * times` to six places, None when the whole is 0."""
    if not whole:
        return None
    exact = EXACT.divide(EXACT.multiply(Decimal(part), Decimal(times)), Decimal(whole))
    return exact.quantize(RATIO_STEP, rounding=ROUND_HALF_EVEN, context=EXACT)


def mean_of(histogram: Mapping[int, int]) -> Decimal | None:
    """The mean of counted whole numbers, None when there are none."""
    return ratio(sum(value * times for value, times in histogram.items()), sum(histogram.values()))


def median_of(histogram: Mapping[int, int]) -> Decimal | None:
    """The median of counted whole numbers: the middle one, or half-way between the two in the middle."""
    total = sum(histogram.values())
    if not total:
        return None
    return Decimal(_nth(histogram, (total + 1) // 2) + _nth(histogram, total // 2 + 1)) / 2


def _nth(histogram: Mapping[int, int], rank: int) -> int:
    for value in sorted(histogram):
        rank -= histogram[value]
        if rank <= 0:
            return value
    raise ValueError("rank beyond the histogram")
