"""Which texts are tax identifiers, in one spelling per identifier, and why the others are none."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from values.tax_ids import TaxId, TaxIdProblem, TaxIdTrouble, normalize_tax_id


def read_tax_id(raw: str, country: str | None) -> TaxId:
    found = normalize_tax_id(raw, country)
    assert isinstance(found, TaxId), found
    return found


def read_trouble(raw: str, country: str | None = "RU") -> TaxIdTrouble:
    found = normalize_tax_id(raw, country)
    assert isinstance(found, TaxIdProblem), found
    assert found.raw == raw
    return found.reason


@pytest.mark.parametrize(
    "raw",
    ["7707083893", "77 07 083893", "ИНН: 7707083893", "7707083893.0", "7707083893/773601001", "７７０７０８３８９３"],
)
def test_a_russian_company_has_one_number_in_every_spelling(raw: str) -> None:
    tax_id = read_tax_id(raw, "RU")
    assert (tax_id.value, tax_id.kind, tax_id.verified) == ("7707083893", "inn", True)


def test_a_russian_person_has_twelve_digits_with_two_check_digits() -> None:
    assert read_tax_id("500100732259", "RU").verified
    assert read_trouble("500100732269") is TaxIdTrouble.WRONG_CHECK_DIGIT


def test_a_wrong_check_digit_is_told() -> None:
    assert read_trouble("7707083894") is TaxIdTrouble.WRONG_CHECK_DIGIT


def test_a_leading_zero_lost_in_a_spreadsheet_is_told_and_not_put_back() -> None:
    assert read_tax_id("0278039018", "RU").value == "0278039018"
    assert read_trouble("278039018") is TaxIdTrouble.LEADING_ZERO_LOST


@settings(max_examples=200, deadline=None)
@given(st.integers(min_value=100_000_000, max_value=999_999_998).filter(lambda digits: len(set(str(digits))) > 1))
def test_of_ten_last_digits_exactly_one_makes_a_company_number(first_nine: int) -> None:
    accepted = [last for last in range(10) if isinstance(normalize_tax_id(f"{first_nine}{last}", "RU"), TaxId)]
    assert len(accepted) == 1


@pytest.mark.parametrize(
    ("raw", "country", "value", "kind"),
    [
        ("DE 123 456 789", "DE", "DE123456789", "vat"),
        ("123456789", "DE", "DE123456789", "vat"),
        ("de123456789", "RU", "DE123456789", "vat"),
        ("FR 40 303 265 045", "FR", "FR40303265045", "vat"),
        ("303 265 045", "FR", "303265045", "siren"),
        ("GB 123 4567 89", "GB", "GB123456789", "vat"),
        ("525-000-10-90", "PL", "PL5250001090", "vat"),
        ("12-3456789", "US", "123456789", "ein"),
        ("12.345.678/0001-95", "BR", "12345678000195", "cnpj"),
        ("ATU12345678", None, "ATU12345678", "vat"),
        ("ab-123/7", "ZZ", "AB1237", "unknown"),
    ],
)
def test_other_countries_are_read_by_shape(raw: str, country: str | None, value: str, kind: str) -> None:
    tax_id = read_tax_id(raw, country)
    assert (tax_id.value, tax_id.kind, tax_id.verified) == (value, kind, False)


@pytest.mark.parametrize("raw", ["", "-", "n/a", "нет", "0000000000", "000 000", "1111111111"])
def test_what_only_fills_the_field_is_absent(raw: str) -> None:
    assert read_trouble(raw) is TaxIdTrouble.EMPTY


@pytest.mark.parametrize(
    ("raw", "country", "reason"),
    [
        ("12", "RU", TaxIdTrouble.WRONG_SHAPE),
        ("ask Peter", "ZZ", TaxIdTrouble.WRONG_SHAPE),
        ("уточнить", None, TaxIdTrouble.WRONG_SHAPE),
        ("7.70708E+09", "RU", TaxIdTrouble.DAMAGED),
    ],
)
def test_a_refusal_says_why(raw: str, country: str | None, reason: TaxIdTrouble) -> None:
    assert read_trouble(raw, country) is reason


COUNTRIES = st.sampled_from([None, "RU", "DE", "FR", "GB", "PL", "UA", "US", "ES", "IT", "NL", "SE", "ZZ"])


@settings(max_examples=400, deadline=None)
@given(raw=st.from_regex(r"[A-Z]{0,3}[0-9 ./-]{4,18}[A-Z]?", fullmatch=True), country=COUNTRIES)
def test_normalizing_a_normal_tax_id_changes_nothing(raw: str, country: str | None) -> None:
    once = normalize_tax_id(raw, country)
    if isinstance(once, TaxId):
        again = read_tax_id(once.value, once.country)
        assert (again.value, again.country, again.kind) == (once.value, once.country, once.kind)


@settings(max_examples=200, deadline=None)
@given(raw=st.text(max_size=40), country=COUNTRIES)
def test_any_text_gets_an_answer_that_keeps_it(raw: str, country: str | None) -> None:
    assert normalize_tax_id(raw, country).raw == raw
