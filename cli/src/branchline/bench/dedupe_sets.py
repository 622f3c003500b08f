"""The sets that `bench dedupe` measures: their columns named as a card's fields, as an import maps them."""

from __future__ import annotations

import csv
import os
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations
from pathlib import Path

from branchline.exits import Exit, Failure
from branchline.platform.folder import ROOT

Row = dict[str, str]
DUPLICATES = 0.06  # of the made persons have a second card
SYLLABLES = ("ba", "ri", "so", "len", "ka", "mi", "tor", "an", "vel", "do", "sha", "ne", "gor", "li", "pu", "ter")


@dataclass(frozen=True)
class LabelledSet:
    """A table of cards and its true pairs, by the column `number`."""

    name: str
    rows: list[Row]
    true: frozenset[tuple[str, str]]


def read_sets() -> Iterator[LabelledSet]:
    """The labelled sets of the shared folder. Errors: Failure where it is not beside this checkout."""
    folder = Path(os.environ.get("BRANCHLINE_SHARED") or ROOT.parent / "shared") / "data"
    if not folder.is_dir():
        raise Failure(f"the labelled sets are not in {folder}", Exit.FAILED, "DATA_MISSING")
    for number in (1, 2, 3):
        rows = _read(folder / "er-febrl-123" / f"dataset{number}.csv")
        yield _label(f"febrl{number}", map(_of_febrl, rows))
    yield _label("fake1000", map(_of_fake, _read(folder / "er-splink-fake1000" / "fake_1000.csv")))
    yield _label("rldata500", map(_of_rldata, _read(folder / "er-rldata500" / "RLdata500.csv")))
    sites = _read(folder / "er-dedupe-chicago" / "csv_example_input_with_true_ids.csv")
    yield _label("chicago", map(_of_chicago, sites))


def make_persons(count: int) -> LabelledSet:
    """Persons with names as unevenly spread as names are, some of them twice with a flaw; the same ones each time."""
    dice = random.Random(count)
    given, family = _make_names(dice, 800, 2), _make_names(dice, 20_000, 3)
    labelled: list[tuple[str, Row]] = []
    for number in range(int(count / (1 + DUPLICATES))):
        row = _make_person(dice, number, given, family)
        labelled.append((str(number), row))
        if dice.random() < DUPLICATES:
            labelled.append((str(number), _flaw(dice, row)))
    return _label("persons", iter(labelled))


def _read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, skipinitialspace=True))


def _label(name: str, labelled: Iterable[tuple[str, Row]]) -> LabelledSet:
    rows, cards = [], defaultdict(list)
    for at, (entity, row) in enumerate(labelled):
        number = f"{at:06}"
        rows.append({"number": number, **{key: " ".join(value.split()) for key, value in row.items()}})
        cards[entity].append(number)
    return LabelledSet(name, rows, frozenset(pair for one in cards.values() for pair in combinations(one, 2)))


def _of_febrl(row: Row) -> tuple[str, Row]:
    born = row["date_of_birth"]
    street = " ".join((row["street_number"], row["address_1"], row["address_2"]))
    return row["rec_id"].split("-")[1], {
        "given_name": row["given_name"], "family_name": row["surname"],
        "birth_date": _day(born[:4], born[4:6], born[6:]), "street": street, "city": row["suburb"],
        "postal_code": row["postcode"], "fact": row["soc_sec_id"],
    }  # fmt: skip


def _of_fake(row: Row) -> tuple[str, Row]:
    return row["cluster"], {
        "given_name": row["first_name"].lower(), "family_name": row["surname"].lower(), "birth_date": row["dob"],
        "city": row["city"].lower(), "email": row["email"].lower(),
    }  # fmt: skip


def _of_rldata(row: Row) -> tuple[str, Row]:
    one = {key: "" if value == "NA" else value.lower() for key, value in row.items()}
    return row["ent_id"], {
        "given_name": one["fname_c1"], "middle_name": one["fname_c2"],
        "family_name": f"{one['lname_c1']} {one['lname_c2']}", "birth_date": _day(one["by"], one["bm"], one["bd"]),
    }  # fmt: skip


def _of_chicago(row: Row) -> tuple[str, Row]:
    email = row["Email Address"].strip().lower()
    return row["True Id"], {
        "name": row["Site name"].lower(), "street": row["Address"].lower(), "postal_code": row["Zip"],
        "phone": row["Phone"], "email": email if "@" in email else "",
    }  # fmt: skip


def _day(year: str, month: str, day: str) -> str:
    """ISO 8601, empty for what is no day."""
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return ""


def _make_names(dice: random.Random, count: int, syllables: int) -> list[str]:
    return ["".join(dice.choices(SYLLABLES, k=syllables + dice.randrange(2))) for _ in range(count)]


def _make_person(dice: random.Random, number: int, given: list[str], family: list[str]) -> Row:
    # The square of a uniform number: the first tenth of names has a third of the people.
    first = given[int(len(given) * dice.random() ** 2)]
    last = family[int(len(family) * dice.random() ** 2)]
    born = date(1940, 1, 1) + timedelta(days=dice.randrange(24_000))
    return {
        "given_name": first, "family_name": last, "birth_date": born.isoformat() if dice.random() < 0.7 else "",
        "phone": f"+7495{dice.randrange(10**7):07}" if dice.random() < 0.8 else "",
        "email": f"{first[:1]}.{last}{number % 1000}@example.org" if dice.random() < 0.6 else "",
        "city": f"town {dice.randrange(400)}",
    }  # fmt: skip


def _flaw(dice: random.Random, row: Row) -> Row:
    """Another card of the same person: one value mistyped, one perhaps missing."""
    flawed = dict(row)
    mistyped = dice.choice([key for key in ("given_name", "family_name", "phone", "email") if row[key]])
    at = dice.randrange(len(row[mistyped]) - 1)
    text = row[mistyped]
    flawed[mistyped] = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    missing = dice.choice(("phone", "email", "birth_date", "city"))
    return flawed | {missing: ""} if missing != mistyped else flawed
