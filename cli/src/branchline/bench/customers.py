"""Workbooks of customers for measuring: persons with organizations, phones in local spelling, e-mails, dates."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

GIVEN = "Anna Boris Clara Dmitri Elena Fyodor Galina Henry Irina Jan Karin Leo Maria Nikolai Olga Pavel Rita Sergei Tanya Viktor".split()  # noqa: E501, SIM905
ROOTS = "Abramov Belov Chernov Dorofeev Egorov Filatov Gusev Hartmann Ivanov Jansen Kuznetsov Lebedev Morozov Novikov Orlov".split()  # noqa: E501, SIM905
ENDINGS = ("", "a", "sky", "enko", "ich")
ROLES = ("director", "accountant", "buyer", "storekeeper", "")
HEADER = ("ID", "First name", "Last name", "Phone", "E-mail", "Company", "Position", "Birth date", "City", "Note")
PERSONS_A_COMPANY = 5
Row = tuple[int, str, str, str, str, str, str, int, str, str]


def customer_rows(count: int, seed: int = 7) -> Iterator[Row]:
    """`count` different persons in `count / 5` companies; the same for the same seed."""
    chance = random.Random(seed)
    for number in range(1, count + 1):
        given, family = chance.choice(GIVEN), chance.choice(ROOTS) + chance.choice(ENDINGS)
        phone = f"8 (9{number % 90 + 10:02d}) {number // 1000 % 1000:03d}-{number // 10 % 100:02d}-{number % 100:02d}"
        mail = f"{given}.{family}.{number}@mail{number % 50}.example.com".lower()
        company = f"Company {seed} {number // PERSONS_A_COMPANY} LLC"
        day = 20_000 + number % 15_000
        yield (number, given, family, phone, mail, company, chance.choice(ROLES), day, "Moscow", f"note {number}")


def write_workbook(path: Path, count: int, seed: int = 7) -> None:
    """An XLSX of that many customers; memory stays flat."""
    import xlsxwriter

    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = book.add_worksheet("Contacts")
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for column, title in enumerate(HEADER):
        sheet.write_string(0, column, title)
    for line, row in enumerate(customer_rows(count, seed), 1):
        for column, value in enumerate(row):
            if isinstance(value, str):
                sheet.write_string(line, column, value)
            else:
                sheet.write_number(line, column, value, day if column == HEADER.index("Birth date") else None)
    book.close()
