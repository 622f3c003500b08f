"""Values of fields that a company made for itself: however they are written, each is kept in one spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from values.own_fields import FieldType, FieldValue, FieldValueProblem, FieldValueTrouble, normalize_field_value

SIZES = ("S", "M", "Extra large")


@pytest.mark.parametrize(
    ("field_type", "written", "kept"),
    [
        (FieldType.TEXT, "  ул. Ленина, 1 ", "ул. Ленина, 1"),
        (FieldType.LONG_TEXT, "one\ntwo", "one\ntwo"),
        (FieldType.NUMBER, "1 234,50", "1234.5"),
        (FieldType.NUMBER, "-0", "0"),
        (FieldType.NUMBER, "007", "7"),
        (FieldType.NUMBER, "100", "100"),
        (FieldType.MONEY, "1 200,50 eur", "1200.5 EUR"),
        (FieldType.DATE, "2024-02-29", "2024-02-29"),
        (FieldType.DATE, "2024-02-29 00:00:00", "2024-02-29"),
        (FieldType.DATE, "9.5.2024", "2024-05-09"),
        (FieldType.YES_NO, "Да", "yes"),
        (FieldType.YES_NO, "FALSE", "no"),
        (FieldType.CHOICE, "extra LARGE", "Extra large"),
        (FieldType.CHOICES, "m;S\nm", "S; M"),
        (FieldType.LINK, "https://example.org/a?b=c", "https://example.org/a?b=c"),
        (FieldType.USER, "0190F6A0-0000-7000-8000-000000000001", "0190f6a0-0000-7000-8000-000000000001"),
        (FieldType.NUMBER, "   ", ""),
    ],
)
def test_a_value_is_kept_in_one_spelling(field_type: FieldType, written: str, kept: str) -> None:
    assert normalize_field_value(field_type, written, SIZES) == FieldValue(kept)


@pytest.mark.parametrize(
    ("field_type", "written", "reason"),
    [
        (FieldType.TEXT, "one\ntwo", FieldValueTrouble.LINE_BREAK),
        (FieldType.TEXT, "x" * 301, FieldValueTrouble.TOO_LONG),
        (FieldType.LONG_TEXT, "x" * 2_001, FieldValueTrouble.TOO_LONG),
        (FieldType.NUMBER, "180 cm", FieldValueTrouble.NOT_A_NUMBER),
        (FieldType.NUMBER, "1,234,567", FieldValueTrouble.NOT_A_NUMBER),
        (FieldType.NUMBER, "1e5", FieldValueTrouble.NOT_A_NUMBER),
        (FieldType.MONEY, "1200.50", FieldValueTrouble.NOT_MONEY),
        (FieldType.DATE, "2023-02-29", FieldValueTrouble.NOT_A_DATE),
        (FieldType.DATE, "05/09/2024", FieldValueTrouble.NOT_A_DATE),
        (FieldType.YES_NO, "maybe", FieldValueTrouble.NOT_YES_OR_NO),
        (FieldType.CHOICE, "XL", FieldValueTrouble.NOT_ALLOWED),
        (FieldType.CHOICE, "S; M", FieldValueTrouble.NOT_ALLOWED),
        (FieldType.CHOICES, "S; XL", FieldValueTrouble.NOT_ALLOWED),
        (FieldType.LINK, "javascript:alert(1)", FieldValueTrouble.NOT_A_LINK),
        (FieldType.USER, "anna", FieldValueTrouble.NOT_A_USER),
    ],
)
def test_what_is_no_value_says_why(field_type: FieldType, written: str, reason: FieldValueTrouble) -> None:
    assert normalize_field_value(field_type, written, SIZES) == FieldValueProblem(reason, written)


@given(st.sampled_from(list(FieldType)), st.text(max_size=40))
def test_what_was_kept_is_kept_again(field_type: FieldType, written: str) -> None:
    found = normalize_field_value(field_type, written, SIZES)
    if isinstance(found, FieldValue):
        assert normalize_field_value(field_type, found.text, SIZES) == found
