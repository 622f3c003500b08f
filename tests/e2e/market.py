"""The market of one seller as ten workbooks know it: overlapping rows, each time written a little differently."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import xlsxwriter

PARTS = 10
PERSONS, ORGANIZATIONS = 5_000, 700
OVERLAP = 5  # one row in so many comes from another part as well
GIVEN = (
    "Анна Борис Вера Глеб Дарья Егор Жанна Захар Ирина Кирилл Лариса Матвей Нина Олег Полина Роман Софья Тимур "
    "Ульяна Фёдор Anna Boris Clara David Emma Frank Greta Henry Irene Jacob Karin Louis Maria Niels Olga Peter "
    "Quentin Rosa Simon Tessa Uwe Vera Walter Xenia Yvonne Zoltan Amélie Björn Chloë Đorđe"
)
FAMILY = (
    "Ковач Мельник Бондарь Шевчук Гончар Кравец Ткач Коваль Швец Скляр Чумак Лях Гай Дуб Клён Сокол Орёл Бобр "
    "Волк Рысь Adler Becker Cramer Dietz Ebert Fuchs Gruber Huber Imhof Jäger Keller Lang Maurer Nagel Otto "
    "Pfeiffer Quast Richter Sommer Thoma Ulrich Vogel Weber Xander Young Zimmer Muñoz Núñez Østby Škoda"
)

Row = TypeVar("Row")


@dataclass(frozen=True)
class Contact:
    """One person of the market; `digits` are a mobile number without its country code."""

    name: str
    digits: str
    company: str


def market() -> list[Contact]:
    """Every person once. Two share each name; their numbers and companies tell them apart."""
    names = [f"{given} {family}" for given in GIVEN.split() for family in FAMILY.split()]
    return [
        Contact(names[number % len(names)], f"916{number:07d}", f"Дом {number % ORGANIZATIONS:03d} Trade")
        for number in range(PERSONS)
    ]


def companies() -> list[tuple[str, str]]:
    """Every organization once, with its town."""
    return [(f"Дом {number:03d} Trade", f"Город {number % 50}") for number in range(ORGANIZATIONS)]


def write_parts(folder: Path, seed: int) -> list[tuple[str, Path]]:
    """Write both kinds in ten parts each, in an order of chance, the third parts twice; answers kind and file."""
    chance = random.Random(seed)  # noqa: S311 (a test that can be repeated)
    files = []
    for part in range(PARTS):
        persons = [_vary_person(one, chance) for one in _part(market(), part, chance)]
        files.append(("persons", _write(folder / f"persons {part}.xlsx", ("Name", "Phone", "Company"), persons)))
        known = [_vary_company(one, chance) for one in _part(companies(), part, chance)]
        files.append(("organizations", _write(folder / f"companies {part}.xlsx", ("Company name", "City"), known)))
    chance.shuffle(files)
    return files + [file for file in files if file[1].stem.endswith(" 3")]


def _part(rows: Sequence[Row], part: int, chance: random.Random) -> list[Row]:
    """The rows of a part and, one for every five, rows of the others."""
    own = list(rows[part::PARTS])
    others = [row for number, row in enumerate(rows) if number % PARTS != part]
    mixed = own + chance.sample(others, len(own) // OVERLAP)
    chance.shuffle(mixed)
    return mixed


def _vary_person(one: Contact, chance: random.Random) -> tuple[str, str, str]:
    digits = one.digits
    forms = (
        f"+7 ({digits[:3]}) {digits[3:6]}-{digits[6:8]}-{digits[8:]}",
        f"8{digits}",
        f"8 {digits[:3]} {digits[3:6]} {digits[6:]}",
        digits,
        f"+7{digits}",
    )
    return _vary_text(one.name, chance), chance.choice(forms), _vary_text(one.company, chance)


def _vary_company(one: tuple[str, str], chance: random.Random) -> tuple[str, str]:
    return _vary_text(one[0], chance), one[1]


def _vary_text(text: str, chance: random.Random) -> str:
    """The same words in another case, with other blanks."""
    return chance.choice(
        (text, text.upper(), text.lower(), f"  {text} ", text.replace(" ", "  "), text.replace(" ", "\u00a0"))
    )


def _write(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("Sheet1")
        for line, row in enumerate((header, *rows)):
            sheet.write_row(line, 0, row)
    return path
