"""How far two values of cards agree."""

from __future__ import annotations

from datetime import date

import pytest

from chassis.ids import new_id
from contacts.alike.comparing import AGREES, DIFFERS, MISSING, NEARLY, PARTLY, Comparer, compare_day, compare_number
from contacts.alike.describing import BIRTH, FAMILY, GIVEN, MAIL, NAME, PLACE, STREET, TELEPHONE, describe_card
from contacts.alike.weights import ORGANIZATION, PERSON, default_model
from contacts.cards import EMAIL, PHONE, Address, AnyCard, Channel, OrganizationCard, PersonCard

ADDRESS = ("street", "city", "region", "postal_code", "country")


def a_card(name: str = "", **values: str) -> PersonCard:
    """A person's card of texts, "family, given" in `name`."""
    family, _, given = name.partition(", ")
    channels = [Channel(kind, values[kind], values[kind]) for kind in (EMAIL, PHONE) if kind in values]
    address = Address(*(values.get(part, "") for part in ADDRESS))
    born = date.fromisoformat(values["born"]) if "born" in values else None
    return PersonCard(
        id=new_id(), unit_id="", display_name=name, given_name=given, family_name=family, birth_date=born,
        channels=channels, address=address,
    )  # fmt: skip


def a_company(name: str, street: str = "") -> OrganizationCard:
    """An organization's card."""
    return OrganizationCard(id=new_id(), unit_id="", display_name=name, address=Address(street))


def level(field: str, left: AnyCard, right: AnyCard) -> int:
    """How far two cards agree in one field."""
    model = default_model(PERSON if isinstance(left, PersonCard) else ORGANIZATION, 1_000)
    compared = Comparer(model.fields, model.rarity).compare(describe_card(left, ()), describe_card(right, ()))
    return compared[model.fields.index(field)]


@pytest.mark.parametrize(
    ("left", "right", "given", "family"),
    [
        ("Иванов, Иван", "Ivanov, Ivan", AGREES, AGREES),
        ("Müller, Jörg", "Muller, Jorg", AGREES, AGREES),
        ("Hall, Isla", "Isla, Hall", AGREES, AGREES),  # the other way round
        ("Rowe, Caleb", "Rwoe, Caleb", AGREES, NEARLY),
        ("Smith, Rob", "Smith, Robert", PARTLY, AGREES),
        ("Smith, R", "Smith, Robert", PARTLY, AGREES),
        ("Smith, Anna", "Smith, Boris", DIFFERS, AGREES),
        (", Anna", "Smith, Anna", AGREES, MISSING),
    ],
)
def test_names_agree_in_any_script_order_and_spelling(left: str, right: str, given: int, family: int) -> None:
    assert (level(GIVEN, a_card(left), a_card(right)), level(FAMILY, a_card(left), a_card(right))) == (given, family)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("1976-03-04", "1976-03-04", AGREES),
        ("1976-03-04", "1976-04-03", NEARLY),  # day and month exchanged
        ("1976-03-14", "1979-03-14", NEARLY),  # one digit
        ("1976-03-14", "1958-03-14", PARTLY),
        ("1976-03-14", "1958-11-02", DIFFERS),
    ],
)
def test_days_of_birth_agree_with_a_slip(left: str, right: str, expected: int) -> None:
    assert level(BIRTH, a_card(born=left), a_card(born=right)) == expected
    assert compare_day(right.replace("-", ""), left.replace("-", "")) == expected


@pytest.mark.parametrize(
    ("field", "left", "right", "expected"),
    [
        (MAIL, {EMAIL: "ivan.petrov@a.org"}, {EMAIL: "ivan.petrov@b.org"}, NEARLY),
        (MAIL, {EMAIL: "ivan.petrov@a.org"}, {EMAIL: "info@a.org"}, DIFFERS),
        (MAIL, {EMAIL: "ivan@a.org"}, {PHONE: "+74951234567"}, MISSING),
        (TELEPHONE, {PHONE: "+74951234567"}, {PHONE: "123-45-67"}, NEARLY),
        (TELEPHONE, {PHONE: "+74951234567"}, {PHONE: "+74951234576"}, NEARLY),
        (TELEPHONE, {PHONE: "+74951234567"}, {PHONE: "+74959998877"}, DIFFERS),
        (PLACE, {"city": "London"}, {"city": "Lonodn"}, NEARLY),
        (PLACE, {"postal_code": "60607"}, {"postal_code": "60607", "city": "Chicago"}, AGREES),
        (STREET, {"street": "1 N Ogden Avenue"}, {"street": "1 North Ogden Ave."}, AGREES),
        (STREET, {"street": "34 E. 115th St."}, {"street": "234 E 114th Street"}, PARTLY),
        (STREET, {"street": "37 W 47th St"}, {"street": "4910 S King"}, DIFFERS),
    ],
)
def test_ways_to_reach_and_places(field: str, left: dict[str, str], right: dict[str, str], expected: int) -> None:
    assert level(field, a_card(**left), a_card(**right)) == expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("ООО «Ромашка»", "Ромашка, ООО", AGREES),
        ("YMCA Garfield School", "Garfield YMCA Schools", NEARLY),
        ("YMCA Garfield", "YMCA of Metropolitan Chicago Garfield", PARTLY),
        ("Bethel New Life", "Carole Robertson Center", DIFFERS),
    ],
)
def test_names_of_organizations_agree_by_their_words(left: str, right: str, expected: int) -> None:
    assert level(NAME, a_company(left), a_company(right)) == expected


def test_numbers_allow_one_slip_unless_they_are_short() -> None:
    assert [compare_number(*pair) for pair in (("7535316", "7535361"), ("7535316", "9497788"), ("12", "13"))] == [
        NEARLY,
        DIFFERS,
        DIFFERS,
    ]
