"""Numbers as people write them are read exactly, or not at all."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.reading import NumberTrouble, ParsedNumber, parse_number

WRITTEN = {
    "1,234.56": "1234.56",
    "1.234,56": "1234.56",
    "1 234,56": "1234.56",
    "1\u00a0234,56": "1234.56",
    "1\u202f234,56": "1234.56",
    "1'234.56": "1234.56",
    "1’234.56": "1234.56",
    "12,34,567.00": "1234567.00",
    "1.234.567": "1234567",
    "(123)": "-123",
    "123-": "-123",
    "−3": "-3",
    "$1,000.00": "1000.00",
    "($500)": "-500",
    "-$5": "-5",
    "5,00 руб.": "5.00",
    "100 ₽": "100",
    "EUR 0,5": "0.5",
    "٣٤٥": "345",
    "٣٫٥": "3.5",
    "１２３４": "1234",
    "25 676": "25676",
    "1e5": "1E+5",
    ".5": "0.5",
    "007": "7",
}

NO_NUMBERS = (
    "", "abc", "Closed", "$101,2000.00", "1,2,3", "1 23", "10:30", "12/5", "1-2", "5 XYZ", "1,234,5",
    "+7 (495) 123-45-67", "1" * 70,
)  # fmt: skip


@pytest.mark.parametrize(("text", "value"), WRITTEN.items())
def test_a_number_with_one_meaning_is_read_without_being_told_the_decimal_mark(text: str, value: str) -> None:
    found = parse_number(text)
    assert isinstance(found, ParsedNumber)
    assert found.value == Decimal(value)


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_is_no_number_in_any_country_is_not_made_one(text: str) -> None:
    assert parse_number(text) is NumberTrouble.NOT_A_NUMBER


@pytest.mark.parametrize(("decimal", "value"), [(".", "1234"), (",", "1.234")])
def test_a_number_with_two_meanings_waits_for_the_mark_of_its_column(decimal: str, value: str) -> None:
    assert parse_number("1,234") is NumberTrouble.AMBIGUOUS
    found = parse_number("1,234", decimal)
    assert isinstance(found, ParsedNumber)
    assert found.value == Decimal(value)


def test_a_number_that_contradicts_the_mark_of_its_column_is_not_read() -> None:
    assert parse_number("256,76", ".") is NumberTrouble.WRONG_MARK
    assert parse_number("256.76", ",") is NumberTrouble.WRONG_MARK


@pytest.mark.parametrize("text", ["25676%", "25 676 %", "25676٪", "-15.00%"])
def test_a_percent_stays_a_percent(text: str) -> None:
    found = parse_number(text)
    assert isinstance(found, ParsedNumber)
    assert found.percent


@given(
    st.decimals(min_value=-(10**12), max_value=10**12, places=2),
    st.sampled_from([("", "."), (",", "."), (".", ","), (" ", ","), ("'", ".")]),
)
def test_every_amount_comes_back_from_every_country_s_writing(amount: Decimal, marks: tuple[str, str]) -> None:
    thousands, decimal = marks
    text = f"{amount:,.2f}".replace(",", "T").replace(".", decimal).replace("T", thousands)
    found = parse_number(text, decimal)
    assert isinstance(found, ParsedNumber)
    assert found.value == amount


@given(st.text(max_size=80))
def test_any_text_gets_an_answer(text: str) -> None:
    assert isinstance(parse_number(text), ParsedNumber | NumberTrouble)
