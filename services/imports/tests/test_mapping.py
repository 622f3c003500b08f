"""Which columns become which fields, for headers as real branches write them."""

from __future__ import annotations

import pytest

from imports.kinds import KINDS
from imports.mapping import ColumnFacts, propose_mapping


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


def test_one_field_is_never_fed_twice_unless_it_may_be() -> None:
    assert list(fields("deals", "Stage", "Status").values()).count("stage") == 1
    assert list(fields("persons", "Phone", "Mobile").values()) == ["phone", "phone"]
