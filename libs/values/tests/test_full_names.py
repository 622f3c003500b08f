"""How full names part, by themselves and over sets of labelled names."""

from __future__ import annotations

import csv
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from values.full_names import NameParts, split_full_name
from values.names import fold_name, person_key

DataSet = Callable[[str], Path]
GIVEN = {"GivenName", "FirstInitial"}
MIDDLE = {"MiddleName", "MiddleInitial"}
FAMILY = {"Surname", "LastInitial", "SuffixGenerational"}


@pytest.mark.parametrize(
    ("text", "given_name", "middle", "family"),
    [
        ("Иванов Иван Иванович", "Иван", "Иванович", "Иванов"),
        ("Иван Иванович Иванов", "Иван", "Иванович", "Иванов"),
        ("Иванов Иван", "Иван", "", "Иванов"),
        ("Иван Иванов", "Иван", "", "Иванов"),
        ("Петрова Анна", "Анна", "", "Петрова"),
        ("Мамедов Али Гасан оглы", "Али", "Гасан оглы", "Мамедов"),
        ("Smith, John A.", "John", "A.", "Smith"),
        ("John A. Smith", "John", "A.", "Smith"),
        ("John Smith, Jr.", "John", "", "Smith, Jr."),
        ("Smith, Jr.", "", "", "Smith, Jr."),
        ("Jan van der Berg", "Jan", "", "van der Berg"),
        ("Maria de la Vega III", "Maria", "", "de la Vega III"),
        ("Juan Carlos García", "Juan", "Carlos", "García"),
        ("Иванов И. П.", "И.", "П.", "Иванов"),
        ("Иванов И.П.", "И.", "П.", "Иванов"),
        ("И.П. Иванов", "И.", "П.", "Иванов"),
        ("山田 太郎", "太郎", "", "山田"),
        ("김 민준", "민준", "", "김"),
        ("Robert St. Amant", "Robert", "", "St. Amant"),
        ("Kim Do", "Kim", "", "Do"),
        ("Cher", "Cher", "", ""),
        ("", "", "", ""),
    ],
)
def test_a_full_name_parts_by_its_order(text: str, given_name: str, middle: str, family: str) -> None:
    assert split_full_name(text) == NameParts(given_name, middle, family, text)


@pytest.mark.parametrize(
    ("text", "given_name", "middle", "family", "aside"),
    [
        ("Dr. Hugh F Smisson Jr.", "Hugh", "F", "Smisson Jr.", "Dr."),
        ("Scott P. Rose, MD", "Scott", "P.", "Rose", "MD"),
        ("Arthur Gray, Jr., M.D.", "Arthur", "", "Gray, Jr.", "M.D."),
        ("Smith, Dr. John A.", "John", "A.", "Smith", "Dr."),
        ('John T. "Jack" Schiff', "John", "T.", "Schiff", '"Jack"'),
        ("г-н Иванов Иван Иванович", "Иван", "Иванович", "Иванов", "г-н"),
        ("Dr. Bell", "", "", "Bell", "Dr."),
        ("Frau Prof. Dr. Anna von Braun", "Anna", "", "von Braun", "Frau Prof. Dr."),
    ],
)
def test_titles_degrees_and_nicknames_stand_aside(
    text: str, given_name: str, middle: str, family: str, aside: str
) -> None:
    assert split_full_name(text) == NameParts(given_name, middle, family, text, aside)


@pytest.mark.parametrize(
    "text", ["John & Mary Smith", "Jan und Eva Novak", "Иван и Анна Петровы", "(Bell)", ",", " , Jr."]
)
def test_what_is_not_one_name_is_not_parted(text: str) -> None:
    assert not split_full_name(text).middle
    assert not split_full_name(text).given or not split_full_name(text).family


WORDS = st.lists(st.text(alphabet=st.characters(categories=["L"]), min_size=1, max_size=8), min_size=1, max_size=6)


@settings(max_examples=300, deadline=None)
@given(words=WORDS, separator=st.sampled_from([" ", "  ", ", "]))
def test_no_word_of_a_full_name_is_lost(words: list[str], separator: str) -> None:
    text = separator.join(words)
    parts = split_full_name(text)
    assert parts.display == text
    said = " ".join((parts.given, parts.middle, parts.family, parts.aside))
    assert person_key(None, None, None, said) == person_key(None, None, None, text)


def test_labelled_names_part_as_people_labelled_them(shared_data: DataSet) -> None:
    """Source: probablepeople's 1,625 names of several parts; the rest no order tells ("Martin Lawrence")."""
    names = ET.parse(shared_data("names-parse-probablepeople") / "person_labeled.xml").getroot()
    right = []
    for name in names:
        parts = [(part.tag, part.text or "") for part in name]
        if len(parts) < 2 or any(tag == "And" for tag, _ in parts):
            continue
        wanted = [fold_name(" ".join(text for tag, text in parts if tag in tags)) for tags in (GIVEN, MIDDLE, FAMILY)]
        found = split_full_name(" ".join(text for _, text in parts))
        right.append([fold_name(part) for part in (found.given, found.middle, found.family)] == wanted)
    assert len(right) == 1625
    assert sum(right) / len(right) >= 0.96


def test_russian_names_part_in_both_orders(shared_data: DataSet) -> None:
    with (shared_data("names-ru-petrovich") / "people.tsv").open(encoding="utf-8-sig") as file:
        people = list(csv.DictReader(file, delimiter="\t"))
    whole = [row for row in people if all(row[name].strip() for name in ("lastname", "firstname", "midname"))]
    assert whole
    for row in whole:
        family, given_name, middle = (row[name].strip() for name in ("lastname", "firstname", "midname"))
        for text in (
            f"{family} {given_name} {middle}",
            f"{given_name} {middle} {family}",
            f"{family}, {given_name} {middle}",
        ):
            assert split_full_name(text) == NameParts(given_name, middle, family, text)


def test_patronymics_are_known_as_such(shared_data: DataSet) -> None:
    with (shared_data("names-ru-petrovich") / "midnames.gender.tsv").open(encoding="utf-8-sig") as file:
        words = [row["lemma"].capitalize() for row in csv.DictReader(file, delimiter="\t")]
    found = [split_full_name(f"Ткач Антон {word}").middle == word for word in words]
    assert sum(found) / len(found) >= 0.99
