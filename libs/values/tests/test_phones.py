"""How written phone numbers are resolved: scenario C14, each example of libphonenumber, shapes of real files."""

import csv
from collections.abc import Callable
from pathlib import Path

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from values.phones import (
    CALLING_CODES,
    Phone,
    PhoneKind,
    PhoneProblem,
    PhoneTrouble,
    format_phone,
    is_e164,
    normalize_phone,
    phone_search_keys,
    split_phones,
)

MOSCOW, TULA, UNKNOWN = "495", "4872", None
DataSet = Callable[[str], Path]


def read_phone(raw: str, country: str | None = "RU", area_code: str | None = None) -> Phone:
    found = normalize_phone(raw, country, area_code)
    assert isinstance(found, Phone), found
    return found


def read_trouble(raw: str, country: str | None = "RU", area_code: str | None = None) -> PhoneTrouble:
    found = normalize_phone(raw, country, area_code)
    assert isinstance(found, PhoneProblem), found
    assert found.raw == raw
    return found.reason


@pytest.mark.parametrize("area_code", [MOSCOW, TULA, UNKNOWN])
@pytest.mark.parametrize(
    "raw",
    [
        "+7 (495) 123-45-67",
        "8 495 123 45 67",
        "84951234567",
        "4951234567",
        "7 495 123-45-67",
        "74951234567.0",
        "тел.: 8(495)1234567",
        "٨ ٤٩٥ ١٢٣ ٤٥ ٦٧",
        "８（４９５）１２３－４５－６７",
        "٠٤٩٥ ١٢٣ ٤٥ ٦٧",
        "０４９５ １２３ ４５ ６７",
        "+7\u00a0495\u200b1234567\u200e",
        "8 495 123-45-67 (секретарь Анна)",
        "8 10 7 495 123 45 67",
    ],
)
def test_a_moscow_number_in_any_spelling_is_one_number_from_any_branch(raw: str, area_code: str | None) -> None:
    assert read_phone(raw, "RU", area_code).e164 == "+74951234567"


@pytest.mark.parametrize(
    ("raw", "area_code", "e164"),
    [
        ("123-45-67", MOSCOW, "+74951234567"),
        ("25-67-89", TULA, "+74872256789"),
        ("25-67-89", "8 (4872)", "+74872256789"),
    ],
)
def test_a_local_number_gets_the_area_code_of_its_branch(raw: str, area_code: str, e164: str) -> None:
    assert read_phone(raw, "RU", area_code).e164 == e164


def test_a_local_number_without_a_known_area_code_is_flagged_not_guessed() -> None:
    assert read_trouble("123-45-67") == "area code unknown"


@pytest.mark.parametrize(
    "raw", ["12345", "02", "112", "not a number", "ivan@mail.ru", "2024-05-20", "8 495 123 45 678"]
)
def test_what_is_no_number_is_refused_as_not_a_phone(raw: str) -> None:
    assert read_trouble(raw, "RU", MOSCOW) == "not a phone"


@pytest.mark.parametrize("raw", ["", "  ", "-", "n/a", "нет", "0", "000-00-00", "0000000000"])
def test_a_cell_that_says_nothing_is_empty_rather_than_wrong(raw: str) -> None:
    assert read_trouble(raw) is PhoneTrouble.EMPTY


def test_a_number_turned_into_scientific_notation_is_damaged() -> None:
    assert read_trouble("7,49512E+10") is PhoneTrouble.DAMAGED


def test_digits_without_calling_code_or_country_are_not_guessed() -> None:
    assert read_trouble("4951234567", None) is PhoneTrouble.COUNTRY_UNKNOWN


@pytest.mark.parametrize(
    "tail", ["доб. 12", ", доб 12", "(доб. 12)", "ext 12", "ext.12", "x12", "х12", "#12", "вн. 12"]
)
def test_an_extension_is_kept_beside_the_number(tail: str) -> None:
    phone = read_phone(f"+7 495 123-45-67 {tail}")
    assert (phone.e164, phone.extension) == ("+74951234567", "12")


def test_the_rule_of_eight_leaves_foreign_numbers_alone() -> None:
    assert read_phone("+49 30 901820").e164 == "+4930901820"
    assert read_phone("8 10 49 30 901820").e164 == "+4930901820"
    assert read_phone("+84 24 3825 1234").e164 == "+842438251234"


@pytest.mark.parametrize(
    ("raw", "country", "area_code", "e164"),
    [
        ("8 (7172) 55-66-77", "KZ", None, "+77172556677"),
        ("030-0074321", "DE", None, "+49300074321"),
        ("901820", "DE", "030", "+4930901820"),
        ("170 1234567", "DE", "030", "+491701234567"),
        ("+49 (0)30 901820", "RU", None, "+4930901820"),
        ("0049 30 901820", "US", None, "+4930901820"),
        ("0921-12 34 65", "SE", None, "+46921123465"),
        ("06 12345678", "IT", None, "+390612345678"),
        ("555-1234", "CA", "416", "+14165551234"),
        ("375 29 123 45 67", "RU", None, "+375291234567"),
        ("1-800-FLOWERS", "US", None, "+18003569377"),
        ("(212) 555-1234 home", "US", None, "+12125551234"),
    ],
)
def test_each_country_is_read_by_its_own_plan(raw: str, country: str, area_code: str | None, e164: str) -> None:
    assert read_phone(raw, country, area_code).e164 == e164


def test_a_short_number_of_an_open_plan_is_local_even_if_its_length_would_do() -> None:
    assert read_trouble("901820", "DE") is PhoneTrouble.AREA_CODE_UNKNOWN


@pytest.mark.parametrize("raw", ["(5) 555-4729"])
def test_a_number_of_a_plan_long_gone_is_flagged(raw: str) -> None:
    assert read_trouble(raw, "MX") is PhoneTrouble.AREA_CODE_UNKNOWN


@pytest.mark.parametrize("raw", ["999-999-9999", "170-555-0127"])
def test_a_number_unknown_to_the_plan_is_kept_unverified(raw: str) -> None:
    phone = read_phone(raw, "US")
    assert not phone.verified
    assert phone.kind is PhoneKind.UNKNOWN


def test_the_kind_tells_mobile_from_fixed() -> None:
    assert read_phone("8 916 123 45 67").kind is PhoneKind.MOBILE
    assert read_phone("8 495 123 45 67").kind is PhoneKind.FIXED


@pytest.mark.parametrize("country", ["US", "DE", "AU", "GB"])
def test_an_american_number_dialled_from_abroad_is_american_in_every_country(country: str) -> None:
    assert read_phone("1 (11) 500 555-0132", country).e164 == "+15005550132"


def test_every_example_of_libphonenumber_is_read_in_each_spelling(shared_data: DataSet) -> None:
    with (shared_data("phones-libphonenumber") / "examples_share.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    wrong = [
        (row["territory"], row[spelling], found)
        for row in rows
        for spelling in ("national", "international", "rfc3966", "expected_e164")
        if getattr(found := normalize_phone(row[spelling], row["territory"]), "e164", None) != row["expected_e164"]
    ]
    assert len(rows) == 757
    assert wrong == []
    assert all(is_e164(row["expected_e164"]) for row in rows)


@pytest.mark.parametrize(
    ("file", "column", "rows", "distinct"), [("ProspectiveBuyer.csv", 21, 2059, 1124), ("DimReseller.csv", 3, 701, 609)]
)
def test_no_customer_of_adventureworks_loses_the_number(
    shared_data: DataSet, file: str, column: int, rows: int, distinct: int
) -> None:
    text = (shared_data("contacts-adventureworks-prospects") / file).read_text(encoding="utf-8-sig")
    raws = [line.split("|")[column] for line in text.splitlines()]
    found = [normalize_phone(raw, "US") for raw in raws]
    assert len(found) == rows
    assert all(isinstance(phone, Phone) for phone in found)
    # Fewer than the distinct texts (1,126 and 610): "500-555-0117" and "1 (11) 500 555-0117" are one number.
    assert len({phone.e164 for phone in found if isinstance(phone, Phone)}) == distinct


REGIONS = st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS))
WRITTEN = st.from_regex(r"(\+|00|8|0)?[0-9 ()/-]{3,16}( доб\. [0-9]{1,4})?", fullmatch=True)


@settings(max_examples=400, deadline=None)
@given(raw=WRITTEN, region=REGIONS, area_code=st.sampled_from([None, "495", "30"]))
def test_normalizing_a_normal_number_changes_nothing(raw: str, region: str, area_code: str | None) -> None:
    once = normalize_phone(raw, region, area_code)
    if isinstance(once, Phone):
        assert is_e164(once.e164)
        for country in (region, "RU", None):
            assert read_phone(once.e164, country, area_code).e164 == once.e164


@settings(max_examples=300, deadline=None)
@given(raw=st.text(max_size=40), region=st.one_of(st.none(), REGIONS, st.just("??")))
def test_any_text_gets_an_answer_that_keeps_it(raw: str, region: str | None) -> None:
    assert normalize_phone(raw, region).raw == raw
    assert isinstance(split_phones(raw), list)
    assert isinstance(phone_search_keys(raw, region), tuple)


# Geographic and mobile ranges; what begins with 810 is Russia's way to dial abroad.
@settings(max_examples=200, deadline=None)
@given(first=st.sampled_from("349"), rest=st.from_regex(r"[0-9]{9}", fullmatch=True), form=st.integers(0, 4))
def test_two_spellings_of_a_russian_number_are_one(first: str, rest: str, form: int) -> None:
    digits = first + rest
    spelt = [
        f"+7{digits}",
        f"8{digits}",
        digits,
        f"8 ({digits[:3]}) {digits[3:6]}-{digits[6:8]}-{digits[8:]}",
        f"+7 {digits[:4]} {digits[4:]}",
    ][form]
    assert read_phone(spelt).e164 == f"+7{digits}"


@pytest.mark.parametrize(
    ("cell", "numbers"),
    [
        ("+7 495 123-45-67, 8 916 765-43-21; доб 12", ["+7 495 123-45-67", "8 916 765-43-21 доб 12"]),
        ("+7 (495) 123-45-67, доб. 12, +7 916 765 43 21", ["+7 (495) 123-45-67 доб. 12", "+7 916 765 43 21"]),
        ("8-495-1234567 или 8-916-7654321", ["8-495-1234567", "8-916-7654321"]),
        ("+7 495 1234567 +7 916 7654321", ["+7 495 1234567", "+7 916 7654321"]),
        ("8 495 123 45 67 8 916 765 43 21", ["8 495 123 45 67", "8 916 765 43 21"]),
        ("25-67-89\n25-67-90", ["25-67-89", "25-67-90"]),
        ("25-67-89/25-67-90", ["25-67-89", "25-67-90"]),
        ("030/901820", ["030/901820"]),
        ("нет", []),
        ("", []),
    ],
)
def test_a_cell_gives_all_its_numbers(cell: str, numbers: list[str]) -> None:
    assert split_phones(cell) == numbers


@pytest.mark.parametrize(
    "query",
    ["8 495 123", "+7 495 123", "(495) 123", "8495123", "495-12", "8 (495) 123-45-67", "+74951234567", "1234567"],
)
def test_a_number_is_found_by_any_spelling_of_a_part_of_it(query: str) -> None:
    assert any(key in "74951234567" for key in phone_search_keys(query, "RU"))


def test_a_national_number_is_also_looked_for_in_other_countries() -> None:
    assert phone_search_keys("916 000 00 03", "US") == ("19160000003", "9160000003")
    assert phone_search_keys("8 916 000 00 03", "RU") == ("79160000003",)


@pytest.mark.parametrize("query", ["Иванов", "barton 21", "12", ""])
def test_what_is_no_phone_search_gives_no_keys(query: str) -> None:
    assert phone_search_keys(query, "RU") == ()


@pytest.mark.parametrize(
    "text", ["74951234567", "+7 495 1234567", "+0123456789", "+2101234567", "+7495", "+" + "7" * 16]
)
def test_other_texts_are_not_e164(text: str) -> None:
    assert not is_e164(text)


def test_the_calling_codes_are_those_of_libphonenumber() -> None:
    assert set(phonenumbers.COUNTRY_CODE_TO_REGION_CODE) == CALLING_CODES


@pytest.mark.parametrize("text", ["1" * 5000, ", " * 5000, " " * 5000 + "x", "(" * 3000 + "1", "+7 495 1234567;" * 500])
def test_a_very_long_text_is_answered_at_once_and_is_no_phone(text: str) -> None:
    assert isinstance(normalize_phone(text, "RU", MOSCOW), PhoneProblem)
    assert len(split_phones(text)) == 1
    assert phone_search_keys(text, "RU") == ()


@given(st.text("0123456789 ().-+", min_size=1, max_size=40))
def test_a_plain_number_is_parted_as_the_same_one_on_a_line_of_its_own(text: str) -> None:
    assert split_phones(text) == split_phones(f"{text}\n")


@pytest.mark.parametrize(
    ("e164", "shown"),
    [("+74951234567", "+7 495 123-45-67"), ("+4930123456", "+49 30 123456"), ("12", "12"), ("", "")],
)
def test_a_number_is_shown_as_people_write_it_across_borders(e164: str, shown: str) -> None:
    assert format_phone(e164) == shown
