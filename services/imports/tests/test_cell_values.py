"""A cell becomes the value of its field, or a trouble with a name; it is never bent into one."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from imports.cell_values import CellTrouble, ColumnForm, read_date, read_flag, read_number
from imports.kinds import FieldType
from imports.periods import read_period
from imports.reading.cells import Cell, CellKind
from imports.reading.dates import DateForm
from imports.records import without_noise

NUMBER = FieldType.NUMBER


def text(value: str) -> Cell:
    return Cell(CellKind.TEXT, value)


class TestNumbers:
    def test_a_percent_cell_is_no_number_though_it_stores_one(self) -> None:
        found = read_number(Cell(CellKind.PERCENT, 256.76, "0%"), ColumnForm(), NUMBER)
        assert isinstance(found, CellTrouble)
        assert (found.code, found.blocks) == ("percent_in_number_column", True)

    def test_a_percent_text_is_no_number(self) -> None:
        found = read_number(text("25676%"), ColumnForm(), NUMBER)
        assert isinstance(found, CellTrouble)
        assert found.code == "percent_in_number_column"

    def test_a_date_cell_is_no_number(self) -> None:
        found = read_number(Cell(CellKind.DATE, datetime(1970, 4, 18)), ColumnForm(), NUMBER)
        assert isinstance(found, CellTrouble)
        assert found.code == "date_in_number_column"

    def test_a_text_column_of_numbers_is_read(self) -> None:
        assert read_number(text("25 676"), ColumnForm(), NUMBER) == 25676

    def test_a_text_among_numbers_is_reported(self) -> None:
        found = read_number(text("25 676"), ColumnForm(typed=True), NUMBER)
        assert isinstance(found, CellTrouble)
        assert found.code == "text_in_number_column"

    def test_a_decimal_comma_makes_a_fraction(self) -> None:
        assert read_number(text("256,76"), ColumnForm(decimal=","), NUMBER) == Decimal("256.76")

    def test_a_number_of_two_meanings_is_reported(self) -> None:
        found = read_number(text("1,234"), ColumnForm(), NUMBER)
        assert isinstance(found, CellTrouble)
        assert found.code == "ambiguous_number"

    def test_a_discount_may_be_a_percent(self) -> None:
        assert read_number(Cell(CellKind.PERCENT, 0.15, "0%"), ColumnForm(), FieldType.FRACTION) == Decimal("0.15")
        assert read_number(text("15%"), ColumnForm(), FieldType.FRACTION) == Decimal("0.15")

    def test_a_stored_number_has_no_binary_noise(self) -> None:
        assert read_number(Cell(CellKind.NUMBER, 0.1 + 0.2), ColumnForm(), NUMBER) == Decimal("0.3")


class TestDates:
    def test_a_text_is_read_in_the_form_of_its_column(self) -> None:
        assert read_date(text("03/04/2017"), ColumnForm(date_form=DateForm.DAY_FIRST)) == date(2017, 4, 3)
        assert read_date(text("03/04/2017"), ColumnForm(date_form=DateForm.MONTH_FIRST)) == date(2017, 3, 4)

    def test_a_date_of_two_meanings_blocks_the_file(self) -> None:
        found = read_date(text("03/04/2017"), ColumnForm())
        assert isinstance(found, CellTrouble)
        assert (found.code, found.blocks) == ("ambiguous_dates", True)

    def test_a_day_of_no_calendar_refuses_its_row(self) -> None:
        found = read_date(text("2017-02-30"), ColumnForm(date_form=DateForm.ISO))
        assert isinstance(found, CellTrouble)
        assert (found.code, found.blocks) == ("impossible_date", False)

    def test_a_number_is_no_date(self) -> None:
        found = read_date(Cell(CellKind.NUMBER, 42000), ColumnForm())
        assert isinstance(found, CellTrouble)
        assert found.code == "number_in_date_column"


@pytest.mark.parametrize(
    ("written", "first", "after"),
    [
        ("2024-05", date(2024, 5, 1), date(2024, 6, 1)),
        ("05.2024", date(2024, 5, 1), date(2024, 6, 1)),
        ("12/2024", date(2024, 12, 1), date(2025, 1, 1)),
        ("May 2024", date(2024, 5, 1), date(2024, 6, 1)),
        ("май 2024", date(2024, 5, 1), date(2024, 6, 1)),
        ("Q2 2024", date(2024, 4, 1), date(2024, 7, 1)),
        ("2024 Q4", date(2024, 10, 1), date(2025, 1, 1)),
        ("3 кв. 2024", date(2024, 7, 1), date(2024, 10, 1)),
        ("2024", date(2024, 1, 1), date(2025, 1, 1)),
        ("2024 год", date(2024, 1, 1), date(2025, 1, 1)),
        ("2017-07-01", date(2017, 7, 1), date(2017, 8, 1)),
    ],
)
def test_a_period_is_read_as_branches_write_it(written: str, first: date, after: date) -> None:
    assert read_period(text(written)) == (first, after)


@pytest.mark.parametrize("written", ["13.2024", "Q5 2024", "soon", "20245"])
def test_what_is_no_period_is_none(written: str) -> None:
    assert read_period(text(written)) is None


def test_yes_and_no_in_the_words_people_use() -> None:
    assert read_flag(text("Да")) is True
    assert read_flag(text("nein")) is False
    assert isinstance(read_flag(text("maybe")), CellTrouble)


NOISY = {"9.80000019": "9.8", "43.9000015": "43.9", "210.800003": "210.8", "0.05000000074505806": "0.05"}
PLAIN = {"14": "14", "1234.56789": "1234.56789", "0.123456": "0.123456", "1234.5678912": "1234.567891"}


@pytest.mark.parametrize(("written", "meant"), [*NOISY.items(), *PLAIN.items()])
def test_the_noise_of_binary_fractions_is_taken_off_and_nothing_else(written: str, meant: str) -> None:
    assert without_noise(Decimal(written)) == Decimal(meant)
