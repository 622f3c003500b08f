"""What headings and cells say of their money: how many one stands for, and in which currency."""

from __future__ import annotations

import pytest

from imports.money_columns import MoneyForm, code_of, money_form, sign_of, without_money
from imports.reading.cells import Cell, CellKind


@pytest.mark.parametrize(
    ("heading", "scale", "sign", "rest"),
    [
        ("Сумма, тыс. руб.", 1000, "руб", "Сумма"),
        ("Сумма (т.р.)", 1000, "р", "Сумма"),
        ("Выручка, млн ₽", 10**6, "₽", "Выручка"),
        ("Amount (kUSD)", 1000, "usd", "Amount"),
        ("Amount in thousands of USD", 1000, "usd", "Amount"),
        ("Sales ('000 EUR)", 1000, "eur", "Sales"),
        ("Sales Amount (in 000s)", 1000, "", "Sales Amount"),
        ("Revenue ($M)", 10**6, "$", "Revenue"),
        ("Turnover (bn $)", 10**9, "$", "Turnover"),
        ("Umsatz in T€", 1000, "€", "Umsatz"),
        ("Betrag in Mio. EUR", 10**6, "eur", "Betrag"),
        ("Budget EUR k", 1000, "eur", "Budget"),
        ("売上（千円）", 1000, "円", "売上"),
        ("销售额（万元）", 10**4, "元", "销售额"),
        ("金額（円）", 1, "円", "金額"),
        ("Revenue USD", 1, "usd", "Revenue"),
        ("Сумма в рублях", 1, "рублях", "Сумма"),
        ("مبلغ (ریال)", 1, "ریال", "مبلغ"),
    ],
)
def test_a_heading_says_scale_and_currency(heading: str, scale: int, sign: str, rest: str) -> None:
    assert money_form(heading) == MoneyForm(scale, sign)
    assert without_money(heading) == rest


@pytest.mark.parametrize(
    "heading",
    [
        "Price",
        "Product",
        "Unit Price",
        "Market value",
        "Transport",
        "Cost per 1000",
        "Сумма сделки",
        "Tenge",
        "USDA grant",
    ],
)
def test_a_heading_that_says_neither_changes_nothing(heading: str) -> None:
    assert money_form(heading) == MoneyForm()
    assert without_money(heading) == heading


@pytest.mark.parametrize(
    ("sign", "own", "code"),
    [
        ("$", "RUB", "USD"), ("$", "CAD", "CAD"), ("руб.", "RUB", "RUB"), ("руб.", "BYN", "BYN"), ("kr.", "NOK", "NOK"),
        ("¥", "CNY", "CNY"), ("eur", "", "EUR"), ("?", "EUR", ""),
    ],
)  # fmt: skip
def test_a_sign_of_several_countries_is_the_branchs_own(sign: str, own: str, code: str) -> None:
    assert code_of(sign, own) == code


@pytest.mark.parametrize(
    ("cell", "sign"),
    [
        (Cell(CellKind.TEXT, "$300"), "$"),
        (Cell(CellKind.TEXT, "1 200,50 руб."), "РУБ."),
        (Cell(CellKind.TEXT, "1200"), ""),
        (Cell(CellKind.CURRENCY, 5, '_("$"* #,##0.00_)'), "$"),
        (Cell(CellKind.CURRENCY, 5, "[$€-407] #,##0.00"), "€"),
        (Cell(CellKind.CURRENCY, 5, '#,##0.00\\ "руб."'), "руб"),
        (Cell(CellKind.CURRENCY, 5, "EUR"), "EUR"),
        (Cell(CellKind.NUMBER, 5, "0.00"), ""),
    ],
)
def test_a_cell_states_its_currency_by_text_or_format(cell: Cell, sign: str) -> None:
    assert sign_of(cell, "") == sign
