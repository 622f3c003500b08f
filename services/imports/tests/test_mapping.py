"""Which columns become which fields, for headers as real branches write them."""

from __future__ import annotations

import pytest

from imports.column_facts import ColumnSurvey
from imports.kinds import KINDS
from imports.mapping import ColumnFacts, propose_mapping
from imports.reading import Cell, CellKind


def fields(kind: str, *headers: str, given: list[dict[str, str]] | None = None) -> dict[str, str]:
    columns = [ColumnFacts(header, filled=1) for header in headers]
    return {one["column"]: one["field"] for one in propose_mapping(KINDS[kind], columns, given or [])}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (
            "deals",
            {
                "opportunity_id": "external_id",
                "sales_agent": "owner",
                "product": "product",
                "account": "organization",
                "deal_stage": "stage",
                "engage_date": "open_date",
                "close_date": "close_date",
                "close_value": "amount",
            },
        ),
        (
            "deals",
            {
                "SalesOrderNumber": "external_id",
                "OrderDate": "open_date",
                "ProductKey": "product",
                "EmployeeKey": "owner",
                "ResellerKey": "organization_external_id",
                "Quantity": "quantity",
                "Unit Price": "unit_price",
                "Sales": "amount",
            },
        ),
        (
            "deals",
            {
                "Номер сделки": "external_id",
                "Контрагент": "organization",
                "Менеджер": "owner",
                "Этап": "stage",
                "Сумма": "amount",
                "Дата закрытия": "close_date",
                "Кол-во": "quantity",
                "Товар": "product",
            },
        ),
        (
            "persons",
            {
                "ФИО": "full_name",
                "Телефон": "phone",
                "Моб.": "phone",
                "E-mail": "email",
                "Организация": "organization",
                "Должность": "role",
                "Дата рождения": "birth_date",
            },
        ),
        (
            "persons",
            {
                "Vorname": "given_name",
                "Nachname": "family_name",
                "Firma": "organization",
                "Rufnummer": "phone",
                "PLZ": "postal_code",
            },
        ),
        ("persons", {"氏名": "full_name", "電話番号": "phone", "会社名": "organization"}),
        ("persons", {"الاسم": "full_name", "هاتف": "phone", "شركة": "organization"}),
        (
            "organizations",
            {"customer_id": "external_id", "company_name": "name", "country": "country", "phone": "phone"},
        ),
        ("products", {"product": "name", "series": "category", "sales_price": "list_price"}),
        ("deals", {"Сумма, тыс. руб.": "amount", "Umsatz in T€": "attribute"}),
        ("deals", {"Umsatz in T€": "amount", "Планируемая дата закр.": "expected_close_date"}),
        ("persons", {"ФИО": "full_name", "Дата рожд.": "birth_date", "Должн.": "role", "Комп.": "organization"}),
        ("persons", {"Name": "full_name", "Com.": "attribute", "Version 2.": "attribute"}),
        ("plans", {"EmployeeID": "owner", "TargetAmount": "amount", "TargetMonth": "period"}),
        ("plans", {"Филиал": "unit", "Период": "period", "План": "amount"}),
        ("interactions", {"Date": "occur_time", "Contact": "person", "Notes": "summary", "Author": "author"}),
        ("employees", {"EmployeeKey": "number", "EmployeeID": "number", "Salesperson": "name", "Title": "title"}),
    ],
)
def test_headers_in_any_language_find_their_fields(kind: str, expected: dict[str, str]) -> None:
    assert fields(kind, *expected) == expected


def test_a_head_count_is_not_the_responsible_employee() -> None:
    assert fields("organizations", "account", "employees")["employees"] == "attribute"


def test_a_column_nobody_knows_is_kept_as_a_further_fact() -> None:
    assert fields("persons", "Name", "Shoe size") == {"Name": "full_name", "Shoe size": "attribute"}


def test_an_empty_column_nobody_knows_is_left_out() -> None:
    mapping = propose_mapping(KINDS["persons"], [ColumnFacts("Name", filled=3), ColumnFacts("Shoe size")], [])
    assert mapping[1]["field"] == ""


def test_what_a_person_says_stands_and_frees_the_field() -> None:
    given = [{"column": "Name", "field": "organization", "origin": "choice"}]
    assert fields("persons", "Name", "Contact", given=given) == {"Name": "organization", "Contact": "full_name"}


def test_content_decides_where_the_header_says_nothing() -> None:
    column = ColumnFacts("column 3", filled=10, looks_like={"email": 9})
    assert propose_mapping(KINDS["persons"], [column], [])[0]["field"] == "email"
    shy = ColumnFacts("column 3", filled=10, looks_like={"email": 3})
    assert propose_mapping(KINDS["persons"], [shy], [])[0]["field"] == "attribute"


@pytest.mark.parametrize("header", ["IDHS Provider ID", "Home Fax", "ОГРН", "Date added", "Номер, договор"])
def test_figures_under_a_header_that_names_something_else_are_no_telephones(header: str) -> None:
    column = ColumnFacts(header, filled=10, looks_like={"phone": 10})
    [found] = propose_mapping(KINDS["organizations"], [column], [])
    assert found["field"] == "attribute"


def test_a_header_that_names_telephones_besides_is_believed() -> None:
    column = ColumnFacts("Order contact phone", filled=10, looks_like={"phone": 10})
    [found] = propose_mapping(KINDS["organizations"], [column], [])
    assert found["field"] == "phone"


@pytest.mark.parametrize(
    ("text", "phone"),
    [("1957-03-04", False), ("04.03.1957", False), ("1/2/2024", False), ("1234567.00", False), ("12-34-567", True)],
)
def test_days_and_sums_do_not_look_like_telephones(text: str, phone: bool) -> None:
    survey = ColumnSurvey("c1")
    survey.look(Cell(CellKind.TEXT, text))
    survey.sum_up("", None)
    assert ("phone" in survey.facts.looks_like) == phone


def test_one_field_is_never_fed_twice_unless_it_may_be() -> None:
    assert list(fields("deals", "Stage", "Status").values()).count("stage") == 1
    assert list(fields("persons", "Phone", "Mobile").values()) == ["phone", "phone"]


@pytest.mark.parametrize(
    "expected",
    [
        {
            "Given Name": "given_name", "Additional Name": "middle_name", "Family Name": "family_name",
            "E-mail 1 - Type": "attribute", "E-mail 1 - Value": "email", "E-mail 2 - Value": "email",
            "Phone 1 - Type": "attribute", "Phone 1 - Value": "phone", "Phone 2 - Value": "phone",
            "Address 1 - Street": "street", "Address 1 - City": "city", "Address 1 - Postal Code": "postal_code",
            "Address 2 - Street": "attribute", "Address 2 - Country": "attribute",
            "Organization 1 - Name": "organization", "Organization 1 - Title": "role",
        },
        {
            "First Name": "given_name", "Last Name": "family_name", "Company": "organization", "Job Title": "role",
            "Business Street": "street", "Business Street 2": "street", "Business City": "city",
            "Business Country/Region": "country", "Home Street": "attribute", "Home City": "attribute",
            "Business Phone 2": "phone", "Mobile Phone": "phone", "Home Fax": "attribute", "E-mail 2 Address": "email",
        },
        {
            "Primary Email": "email", "Mobile Number": "phone", "Fax Number": "attribute",
            "Home ZipCode": "postal_code", "Home State": "region", "Work State": "attribute",
            "Birth Year": "attribute", "Birth Month": "attribute",
            "Birth Day": "attribute",
        },
        {"first_name": "given_name", "email_work": "email", "phone_home": "phone", "phone_other": "phone"},
        {"Рабочий телефон": "phone", "Дом. телефон": "phone", "Город (раб.)": "city", "Telefon geschäftlich": "phone"},
    ],
)  # fmt: skip
def test_address_books_have_several_of_one_thing_and_one_address_is_taken(expected: dict[str, str]) -> None:
    assert fields("persons", *expected) == expected


def test_an_address_of_which_nothing_is_filled_is_not_the_one_that_is_taken() -> None:
    columns = [ColumnFacts("Business City"), ColumnFacts("Home City", filled=2), ColumnFacts("Home Street", filled=2)]
    found = {one["column"]: one["field"] for one in propose_mapping(KINDS["persons"], columns, [])}
    assert found == {"Business City": "", "Home City": "city", "Home Street": "street"}
