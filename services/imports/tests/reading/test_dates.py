"""Written days are read in the form of their column, and never guessed."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.reading import DateForm, DateTrouble, parse_date
from imports.reading.dates import DateEvidence, date_forms

ONE_MEANING: dict[str, date] = {
    "2017-01-31": date(2017, 1, 31),
    "2017/1/5": date(2017, 1, 5),
    "31.12.2016": date(2016, 12, 31),
    "03.04.2017": date(2017, 4, 3),
    "13/04/2017": date(2017, 4, 13),
    "04/13/2017": date(2017, 4, 13),
    "31-12-16": date(2016, 12, 31),
    "20101229": date(2010, 12, 29),
    "5 мая 2017 г.": date(2017, 5, 5),
    "12 декабря 2020": date(2020, 12, 12),
    "May 5, 2017": date(2017, 5, 5),
    "5-May-17": date(2017, 5, 5),
    "2017年1月5日": date(2017, 1, 5),
    "2010-12-29 00:00:00.000": datetime(2010, 12, 29),
    "25.12.2016 14:05": datetime(2016, 12, 25, 14, 5),
    "2017/1/5 10:30 PM": datetime(2017, 1, 5, 22, 30),
    "2020-01-01T15:00:00Z": datetime(2020, 1, 1, 15, tzinfo=UTC),
}


@pytest.mark.parametrize(("text", "day"), ONE_MEANING.items())
def test_a_date_with_one_meaning_is_read(text: str, day: date) -> None:
    assert parse_date(text) == day


@pytest.mark.parametrize(
    ("form", "day"), [(DateForm.DAY_FIRST, date(2017, 4, 3)), (DateForm.MONTH_FIRST, date(2017, 3, 4))]
)
def test_a_date_with_two_meanings_waits_for_the_form_of_its_column(form: DateForm, day: date) -> None:
    assert parse_date("03/04/2017") is DateTrouble.OTHER_FORM
    assert parse_date("03/04/2017", form) == day


@pytest.mark.parametrize("text", ["31.02.2017", "99/99/2017", "2017-02-30", "31.12.2016 25:00"])
def test_a_day_that_never_was_is_impossible(text: str) -> None:
    assert parse_date(text) is DateTrouble.IMPOSSIBLE


@pytest.mark.parametrize("text", ["", "abc", "12.5", "123-45-67", "495 123-45-67", "12345678", "10:30", "5 foo 2017"])
def test_what_is_no_date_is_not_made_one(text: str) -> None:
    assert parse_date(text) is DateTrouble.NOT_A_DATE


def test_two_digit_years_turn_at_sixty_nine() -> None:
    assert parse_date("31.12.68") == date(2068, 12, 31)
    assert parse_date("31.12.69") == date(1969, 12, 31)


def evidence_of(*texts: str) -> DateEvidence:
    evidence = DateEvidence()
    for text in texts:
        evidence.look_at(text)
    return evidence


def test_one_value_proves_the_form_of_a_column() -> None:
    evidence = evidence_of("01/02/2017", "03/04/2017", "03/25/2017")
    assert evidence.form is DateForm.MONTH_FIRST
    assert not evidence.ambiguous


def test_a_column_that_nothing_proves_is_ambiguous() -> None:
    evidence = evidence_of("01/02/2017", "03/04/2017")
    assert evidence.form is None
    assert evidence.ambiguous


def test_a_value_against_the_form_of_its_column_is_not_read() -> None:
    evidence = evidence_of("13/01/2017", "14/02/2017", "03/25/2017")
    assert evidence.form is DateForm.DAY_FIRST
    assert parse_date("03/25/2017", evidence.form) is DateTrouble.OTHER_FORM


@given(st.dates(date(1970, 1, 1), date(2068, 12, 31)))
def test_every_day_comes_back_from_every_form(day: date) -> None:
    assert parse_date(day.isoformat()) == day
    assert parse_date(f"{day:%d/%m/%Y}", DateForm.DAY_FIRST) == day
    assert parse_date(f"{day:%m/%d/%Y}", DateForm.MONTH_FIRST) == day
    assert parse_date(f"{day:%d-%m-%y}", DateForm.DAY_FIRST) == day
    assert parse_date(f"{day:%d %B %Y}") == day


@given(st.text(max_size=80))
def test_any_text_gets_an_answer(text: str) -> None:
    assert isinstance(date_forms(text), dict | DateTrouble)
