"""Numbers, dates, sums and counts as each language writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.web.texts import Texts, choose_language


def spoken(language: str, zone: str = "UTC") -> Texts:
    return Texts(language, ZoneInfo(zone))


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", "€1,234.50"), ("ru", "1\u00a0234,50\u00a0€"), ("ja", "€1,234.50")],
)
def test_money_is_written_as_the_language_does(language: Any, expected: Any) -> None:
    assert spoken(language).money(Decimal("1234.5"), "EUR") == expected


def test_a_whole_sum_has_no_empty_fraction_but_a_broken_one_has_all_its_digits() -> None:
    assert spoken("en").money(Decimal(3568647), "USD") == "$3,568,647"
    assert spoken("en").money(Decimal("0.5"), "USD") == "$0.50"
    assert spoken("en").money(Decimal("1234"), "JPY") == "¥1,234"
    assert spoken("en").money(Decimal("1234"), "RUB") == "RUB\u00a01,234"


def test_an_instant_is_the_day_of_the_viewers_zone() -> None:
    late = datetime(2026, 11, 21, 22, 30, tzinfo=UTC)
    assert spoken("en", "Europe/Moscow").date(late) == "Nov 22, 2026"
    assert spoken("en", "America/New_York").date(late) == "Nov 21, 2026"


def test_near_days_are_said_in_words_and_far_ones_with_their_year() -> None:
    today = date(2026, 11, 22)
    said = [spoken("en").day(day, today) for day in (today, date(2026, 11, 23), date(2026, 5, 1), date(2023, 5, 1))]
    assert said == ["today", "tomorrow", "May 1", "May 1, 2023"]


@pytest.mark.parametrize(
    ("wanted", "accepted", "expected"),
    [("ru", "en", "ru"), ("", "de-DE,ar-EG;q=0.8,en", "ar"), ("", "", "en"), ("xx", "zz", "en"), ("", "RU-ru", "ru")],
)
def test_the_own_choice_goes_before_the_browsers_languages(wanted: Any, accepted: Any, expected: Any) -> None:
    assert choose_language(wanted, accepted) == expected


def test_arabic_and_persian_run_from_the_right() -> None:
    assert [spoken(one).direction for one in ("en", "ru", "ar", "fa", "ja")] == ["ltr", "ltr", "rtl", "rtl", "ltr"]
