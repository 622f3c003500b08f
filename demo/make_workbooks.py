"""Makes the demo workbooks and expected.json beside them: three branches of the invented company Northlight.

python demo/make_workbooks.py

Everything is invented and drawn with a fixed seed; running it again gives the same files. The Berlin orders hold one
quantity of 25,676 sets that somebody formatted as a percentage, so the cell holds 256.76 and shows 25676%.
"""

from __future__ import annotations

import csv
import io
import json
import random
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import people
import xlsxwriter

from deals import CURRENCIES, LAMP_SET, MONEY_PLANS, PRODUCTS, REASONS, SET_PLANS, SETS, STAGES, Deal, draw_deals

FOLDER = Path(__file__).resolve().parent / "workbooks"
SEED = 2026
MADE = datetime(2026, 4, 1)  # a fixed day in the files' properties keeps them the same from run to run
RUSSIAN_STAGES = dict(
    zip(STAGES, ("Лид", "Квалификация", "Предложение", "Переговоры", "Продажа", "Отказ"), strict=True)
)
RUSSIAN_PLAN = "Период|Товар|План, руб|План, шт|Валюта"
GERMAN_STAGES = dict(
    zip(STAGES, ("Anfrage", "Qualifiziert", "Angebot", "Verhandlung", "Gewonnen", "Verloren"), strict=True)
)
RUSSIAN_REASONS = dict(zip(REASONS, ("Дорого", "Конкурент", "Нет ответа", "Отложено"), strict=True))
GERMAN_REASONS = dict(zip(REASONS, ("Preis", "Wettbewerber", "Keine Antwort", "Zeitpunkt"), strict=True))


def write_xlsx(
    name: str,
    sheet: str,
    title: str,
    header: str,
    rows: Sequence[Sequence[Any]],
    percent: Sequence[tuple[int, int]] = (),
) -> None:
    """A workbook with one sheet: a title row where there is one, the header, the rows.

    The header's words are parted by `|`; `percent` are cells (row, column) of `rows` formatted as percentages.
    """
    with xlsxwriter.Workbook(FOLDER / name) as book:
        book.set_properties({"title": sheet, "author": "Northlight", "created": MADE})
        bold, days = book.add_format({"bold": True}), book.add_format({"num_format": "dd.mm.yyyy"})
        shares = book.add_format({"num_format": "0%"})
        page = book.add_worksheet(sheet)
        top = 0
        if title:
            page.write(0, 0, title, bold)
            top = 2
        page.write_row(top, 0, header.split("|"), bold)
        for at, row in enumerate(rows):
            for column, value in enumerate(row):
                if isinstance(value, date):
                    page.write_datetime(top + 1 + at, column, datetime(value.year, value.month, value.day), days)
                elif isinstance(value, Decimal | int):
                    page.write_number(top + 1 + at, column, float(value), shares if (at, column) in percent else None)
                elif value:
                    page.write_string(top + 1 + at, column, value)
        page.set_column(0, header.count("|"), 20)


def write_csv(name: str, header: str, rows: Sequence[Sequence[Any]]) -> None:
    """A text file as the Tula branch's program writes it: cp1251, semicolons, decimal comma, day.month.year."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(header.split("|"))
    writer.writerows([[spell_russian(value) for value in row] for row in rows])
    (FOLDER / name).write_bytes(text.getvalue().encode("cp1251"))


def spell_russian(value: Any) -> str:
    """A value as Russian office programs show it."""
    if isinstance(value, date):
        return f"{value:%d.%m.%Y}"
    return f"{value:f}".replace(".", ",") if isinstance(value, Decimal) else str(value)


def write_moscow(persons: Sequence[people.Person], deals: Sequence[Deal]) -> None:
    """The Moscow branch: workbooks with Russian headers and a title row."""
    rows: list[list[Any]] = [
        [people.family_first(one), one.role, *firm_of(one), one.phones["moscow"], one.email, "Москва"]
        for one in persons
    ]
    header = "ФИО|Должность|Организация|ИНН организации|Телефон|E-mail|Город"
    write_xlsx("moscow-clients.xlsx", "Клиенты", "Северный свет, Москва: клиенты на 31.03.2026", header, rows)
    header = (
        "Номер сделки|Организация|Контактное лицо|Менеджер|Этап|Дата открытия|Дата закрытия|Артикул|Количество|"
        "Цена за единицу|Сумма|Валюта|Причина отказа"
    )
    rows = [
        [
            one.number, one.person.organization.name, people.family_first(one.person), one.owner,
            RUSSIAN_STAGES[one.stage], one.opened, one.closed or "", one.product.code, *figures_of(one),
            RUSSIAN_REASONS.get(one.reason, ""),
        ]
        for one in deals
    ]  # fmt: skip
    write_xlsx("moscow-deals.xlsx", "Сделки", "Сделки, I квартал 2026", header, rows)
    write_xlsx("moscow-plan.xlsx", "План", "", RUSSIAN_PLAN, plan_rows("moscow"))


def write_tula(persons: Sequence[people.Person], deals: Sequence[Deal]) -> None:
    """The Tula branch: text files of an older program, which writes customers of other branches its own way."""
    rows: list[list[Any]] = [
        [
            one.family, one.given, one.middle, one.role, *firm_of(one, other_spelling=True), one.phones["tula"],
            one.email.upper() if one.shared else one.email,
        ]
        for one in persons
    ]  # fmt: skip
    write_csv("tula-clients.csv", "Фамилия|Имя|Отчество|Должность|Компания|ИНН компании|Тел.|Эл. почта", rows)
    header = (
        "Номер заказа|Компания|Контактное лицо|Ответственный|Стадия|Дата заказа|Дата закрытия|Товар|Кол-во|Цена|Сумма|"
        "Валюта|Причина"
    )
    rows = [
        [
            one.number, one.person.organization.other_spelling, people.given_first(one.person), one.owner,
            RUSSIAN_STAGES[one.stage], one.opened, one.closed or "", one.product.name, *figures_of(one),
            RUSSIAN_REASONS.get(one.reason, ""),
        ]
        for one in deals
    ]  # fmt: skip
    write_csv("tula-deals.csv", header, rows)
    write_csv("tula-plan.csv", RUSSIAN_PLAN, plan_rows("tula"))


def write_berlin(persons: Sequence[people.Person], deals: Sequence[Deal]) -> None:
    """The Berlin branch: workbooks with German headers; the orders once with the percent cell, once corrected."""
    rows: list[list[Any]] = [
        [people.given_first(one), one.role, one.organization.name, one.phones["berlin"], one.email] for one in persons
    ]
    write_xlsx("berlin-kunden.xlsx", "Kunden", "", "Name|Funktion|Firma|Telefon|E-Mail", rows)
    header = (
        "Auftragsnummer|Firma|Ansprechpartner|Verkäufer|Stufe|Auftragsdatum|Abschlussdatum|Produkt|Menge|Einzelpreis|"
        "Betrag|Währung|Verlustgrund"
    )
    rows = [
        [
            one.number, one.person.organization.name, people.given_first(one.person), one.owner,
            GERMAN_STAGES[one.stage], one.opened, one.closed or "", one.product.name, *figures_of(one),
            GERMAN_REASONS.get(one.reason, ""),
        ]
        for one in deals
    ]  # fmt: skip
    write_xlsx("berlin-auftraege-corrected.xlsx", "Aufträge", "", header, rows)
    column = header.split("|").index("Menge")
    wrong = next(at for at, row in enumerate(rows) if row[column] == SETS["berlin"][0])
    rows[wrong][column] /= 100  # 256.76 in the cell, shown as 25676%
    write_xlsx("berlin-auftraege.xlsx", "Aufträge", "", header, rows, percent=[(wrong, column)])
    write_xlsx("berlin-plan.xlsx", "Plan", "", "Monat|Produkt|Plan Umsatz|Menge|Währung", plan_rows("berlin"))


def firm_of(person: people.Person, other_spelling: bool = False) -> tuple[str, str]:
    """Name and tax id of the person's organization."""
    firm = person.organization
    return firm.other_spelling if other_spelling else firm.name, firm.tax_id


def figures_of(deal: Deal) -> tuple[Decimal, Decimal, Decimal, str]:
    """Quantity, price, amount, currency."""
    return deal.quantity, deal.price, deal.amount, deal.currency


def plan_rows(branch: str) -> list[list[Any]]:
    """Revenue by month, and the sets of March."""
    currency = CURRENCIES[branch]
    months: list[list[Any]] = [
        [f"{month:02}.2026", "", Decimal(amount), "", currency] for month, amount in enumerate(MONEY_PLANS[branch], 1)
    ]
    return [*months, ["03.2026", LAMP_SET, "", Decimal(SET_PLANS[branch]), ""]]


def write_products() -> None:
    """The company's price list."""
    rows = [
        [one.code, one.name, one.category, one.unit, "yes" if one.fraction else "no", one.prices["EUR"], "EUR"]
        for one in PRODUCTS
    ]
    header = "Code|Product|Category|Unit of measure|Fraction allowed|List price|Currency"
    write_xlsx("products.xlsx", "Price list", "Northlight: price list 2026", header, rows)


def expect(persons: dict[str, list[people.Person]], deals: dict[str, list[Deal]]) -> dict[str, Any]:
    """The figures that the platform must come to, worked out from the same facts without it."""
    known = {id(person) for of_branch in persons.values() for person in of_branch}
    organizations = {id(person.organization) for of_branch in persons.values() for person in of_branch}
    won = {branch: [deal for deal in of_branch if deal.stage == "Won"] for branch, of_branch in deals.items()}
    sets = {branch: sum(SETS[branch]) for branch in SETS}
    return {
        "persons": len(known),
        "organizations": len(organizations),
        "persons_by_branch": {branch: len(of_branch) for branch, of_branch in persons.items()},
        "deals": {branch: len(of_branch) for branch, of_branch in deals.items()},
        "stages": {branch: dict(Counter(deal.stage for deal in of_branch)) for branch, of_branch in deals.items()},
        "won_count": {branch: len(of_branch) for branch, of_branch in won.items()},
        "won_amount": {branch: f"{sum(deal.amount for deal in of_branch):f}" for branch, of_branch in won.items()},
        "currency": CURRENCIES,
        "sets": sets,
        "sets_total": sum(sets.values()),
        "sets_plan": SET_PLANS,
        "sets_plan_total": sum(SET_PLANS.values()),
        "products": len(PRODUCTS),
    }  # fmt: skip


def main() -> None:
    """Write everything."""
    chance = random.Random(SEED)
    FOLDER.mkdir(exist_ok=True)
    persons = people.draw_customers(chance)
    deals = {branch: draw_deals(branch, persons[branch], chance) for branch in persons}
    write_products()
    write_moscow(persons["moscow"], deals["moscow"])
    write_tula(persons["tula"], deals["tula"])
    write_berlin(persons["berlin"], deals["berlin"])
    text = json.dumps(expect(persons, deals), indent=2, ensure_ascii=False) + "\n"
    (FOLDER.parent / "expected.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
