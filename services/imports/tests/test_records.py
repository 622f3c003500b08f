"""A row becomes a record of its kind, with the branch's defaults where it says nothing."""

from __future__ import annotations

from imports.cell_values import ColumnForm
from imports.countries import country_code
from imports.kinds import DEALS, PERSONS, Kind
from imports.money_columns import money_form
from imports.reading.cells import Cell, CellKind, SourceRow
from imports.reading.dates import DateForm
from imports.records import BranchDefaults, MappedColumn, Record, RecordReader, RowTrouble, record_key

MOSCOW = BranchDefaults("RU", "495", "RUB", "Europe/Moscow")


def read(kind: Kind, values: dict[str, str], defaults: BranchDefaults = MOSCOW) -> tuple[Record, list[RowTrouble]]:
    forms = {"open_date": ColumnForm(date_form=DateForm.ISO), "birth_date": ColumnForm(date_form=DateForm.ISO)}
    columns = [
        MappedColumn(place, name, kind.field(name), forms.get(name, ColumnForm())) for place, name in enumerate(values)
    ]
    cells = [Cell(CellKind.TEXT, text) for text in values.values()]
    row = SourceRow("Sheet1", 7, cells, range(1, len(cells) + 1))
    return RecordReader(kind, columns, defaults).read(row)


def test_a_local_number_gets_the_area_code_of_its_branch() -> None:
    record, troubles = read(PERSONS, {"full_name": "Ann", "phone": "123-45-67"})
    assert record["phones"][0]["value"] == "+74951234567"
    assert troubles == []


def test_a_phone_nobody_can_resolve_is_kept_and_flagged_not_guessed() -> None:
    record, troubles = read(PERSONS, {"full_name": "Ann", "phone": "123-45-67"}, BranchDefaults("RU", "", "RUB", "UTC"))
    assert record["phones"][0] == {"raw": "123-45-67", "problem": "area_code_unknown", "label": "phone"}
    assert troubles == []


def test_the_country_of_a_row_goes_before_that_of_the_branch() -> None:
    record, _ = read(PERSONS, {"full_name": "Maria", "country": "Germany", "phone": "030-0074321"})
    assert record["phones"][0]["value"].startswith("+4930")
    assert record["country"] == "DE"


def test_several_numbers_and_mails_in_a_cell_are_taken_apart() -> None:
    record, _ = read(
        PERSONS, {"full_name": "Ann", "phone": "+7 495 123-45-67, 8 916 123 45 67", "email": "a@x.org; b@x.org"}
    )
    assert len(record["phones"]) == 2
    assert [one["value"] for one in record["emails"]] == ["a@x.org", "b@x.org"]


def test_a_whole_name_is_parted_where_a_person_chose_so() -> None:
    record, _ = read(PERSONS, {"parted_name": "Smith, Dr. John A."})
    assert record == {
        "full_name": "Smith, Dr. John A.",
        "given_name": "John",
        "middle_name": "A.",
        "family_name": "Smith",
    }


def test_a_part_with_a_column_of_its_own_goes_before_the_parted_name() -> None:
    for values in (
        {"parted_name": "Juan Carlos Vega Ruiz", "family_name": "Vega Ruiz"},
        {"family_name": "Vega Ruiz", "parted_name": "Juan Carlos Vega Ruiz"},
    ):
        assert read(PERSONS, values)[0]["family_name"] == "Vega Ruiz"


def test_one_word_or_several_people_are_not_parted() -> None:
    assert read(PERSONS, {"parted_name": "Cher"}) == ({"full_name": "Cher"}, [])
    assert read(PERSONS, {"parted_name": "Jan & Eva Novak"}) == ({"full_name": "Jan & Eva Novak"}, [])


def test_a_bad_mail_is_kept_as_written_and_told_with_the_cell() -> None:
    record, troubles = read(PERSONS, {"full_name": "Ann", "email": "ann at x"})
    assert record["emails"] == [{"raw": "ann at x", "problem": "not_an_email"}]
    assert [(one.place, one.trouble.code, one.trouble.refuses) for one in troubles] == [(1, "not_an_email", False)]


def test_addresses_behind_a_bad_one_are_taken_and_a_slip_is_kept_whole() -> None:
    record, troubles = read(PERSONS, {"full_name": "Ann", "email": "ann at x; b@x.org"})
    assert [one.get("value") for one in record["emails"]] == [None, "b@x.org"]
    assert [one.trouble.code for one in troubles] == ["not_an_email"]
    record, troubles = read(PERSONS, {"full_name": "Ann", "email": "ann@example,org"})
    assert record["emails"] == [{"raw": "ann@example,org", "problem": "not_an_email"}]
    assert "'ann@example,org'" in troubles[0].trouble.message


def test_words_in_place_of_a_telephone_are_kept_as_a_further_fact() -> None:
    record, troubles = read(PERSONS, {"full_name": "Ann", "phone": "ask the secretary"})
    assert (record["attributes"], troubles) == ({"phone": "ask the secretary"}, [])


def test_a_row_without_a_name_says_what_is_missing() -> None:
    _, troubles = read(PERSONS, {"full_name": " - ", "phone": "+74951234567"})
    assert [one.trouble.code for one in troubles] == ["missing_value"]


def test_zero_for_no_customer_means_none() -> None:
    record, _ = read(DEALS, {"external_id": "A1", "organization": "0"})
    assert "organization" not in record


def test_a_null_sign_never_reaches_the_database() -> None:
    _, troubles = read(PERSONS, {"full_name": "Ann\x00"})
    assert [one.trouble.code for one in troubles] == ["text_too_long"]


def money(values: dict[str, str], headings: dict[str, str] | None = None) -> tuple[Record, list[RowTrouble]]:
    columns = [
        MappedColumn(
            place, name, DEALS.field(name), ColumnForm(decimal="."), money_form((headings or {}).get(name, name))
        )
        for place, name in enumerate(values)
    ]
    cells = [Cell(CellKind.TEXT, text) for text in values.values()]
    return RecordReader(DEALS, columns, MOSCOW).read(SourceRow("Sheet1", 7, cells, range(1, len(cells) + 1)))


def test_money_in_thousands_is_multiplied_as_its_heading_says() -> None:
    assert money({"amount": "12.5"}, {"amount": "Amount, k"}) == ({"amount": "12.5"}, [])
    record, troubles = money({"amount": "12.5"}, {"amount": "Сумма, тыс. руб."})
    assert (record, troubles) == ({"amount": "12500.0", "currency": "RUB"}, [])


def test_money_in_another_currency_than_the_branchs_is_told() -> None:
    record, [told] = money({"amount": "$300"})
    assert record == {"amount": "300", "currency": "USD"}
    assert (told.place, told.trouble.code, told.trouble.refuses, told.trouble.blocks) == (
        0,
        "foreign_currency",
        False,
        False,
    )


def test_the_currency_column_goes_before_and_may_be_a_sign() -> None:
    assert money({"amount": "300", "currency": "€"}, {"amount": "Amount"})[0]["currency"] == "EUR"
    assert money({"amount": "300", "currency": "руб."})[0]["currency"] == "RUB"


def test_two_currencies_in_a_row_refuse_it() -> None:
    for values in ({"amount": "$300", "currency": "EUR"}, {"amount": "$300", "unit_price": "10 €"}):
        [trouble] = [one.trouble for one in money(values)[1] if one.trouble.code == "several_currencies"]
        assert trouble.refuses
        assert not trouble.blocks


def test_what_is_no_currency_is_refused_by_name() -> None:
    assert [one.trouble.code for one in money({"amount": "300", "currency": "тугрики?"})[1]] == ["unknown_currency"]


def test_rows_with_one_number_are_one_deal_and_equal_rows_without_are_two() -> None:
    assert record_key(DEALS, {"external_id": "10248"}) == ("id:10248", True)
    first, second = record_key(DEALS, {"amount": "5"}), record_key(DEALS, {"amount": "5"})
    assert first == second
    assert first[1] is False


def test_countries_are_known_in_the_languages_of_the_branches() -> None:
    written = ("Germany", "Германия", "Deutschland", "USA", "الولايات المتحدة", "日本", "de")
    assert [country_code(text) for text in written] == ["DE", "DE", "DE", "US", "US", "JP", "DE"]
    assert country_code("Atlantis") == ""
