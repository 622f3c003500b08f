"""The invented customers of Northlight: who they are, and how each branch that knows them writes their telephone."""

from __future__ import annotations

import random
from dataclasses import dataclass, field


def _list(words: str, sign: str = " ") -> list[str]:
    return words.split(sign)


MALE = _list("Андрей Сергей Алексей Дмитрий Михаил Николай Виктор Павел Игорь Евгений Роман Владимир")
FEMALE = _list("Анна Елена Мария Наталья Ольга Светлана Татьяна Ирина Екатерина Юлия Вера Людмила")
FATHERS = _list("Андреев Сергеев Алексеев Дмитриев Михайлов Николаев Викторов Павлов Игорев Романов Владимиров Петров")
FAMILIES = _list(
    "Абрамов Беляев Виноградов Голубев Данилов Егоров Жуков Зайцев Исаев Калинин Лебедев Макаров Никитин Осипов Панов "
    "Рябов Сафонов Титов Уваров Фомин Харитонов Цветков Чернов Широков Щукин Юдин Яшин Крылов Громов Медведев"
)
RUSSIAN_ROLES = _list(
    "директор|главный инженер|начальник снабжения|архитектор|главный энергетик|менеджер по закупкам", "|"
)
RUSSIAN_FIRMS = _list(
    "Альтаир Байкал Вектор Гранит Диалог Заря Импульс Каскад Лидер Меридиан Нева Орион Пламя Радуга Сокол Триумф Урал "
    "Факел Горизонт Спектр Эталон Юпитер Янтарь Контур Парабола Эпоха Маяк Простор Родник Созвездие Тверца Упа"
)
GERMAN_GIVEN = _list(
    "Anna Lukas Sophie Jonas Laura Maximilian Katharina Stefan Julia Matthias Sabine Jürgen Petra Björn"
)
GERMAN_FAMILY = _list(
    "Müller Schmidt Weber Fischer Wagner Becker Hoffmann Schäfer Koch Bauer Klein Wolf Schröder Neumann Schwarz "
    "Zimmermann Krüger Hartmann Lange Krause Lehmann Köhler Maier Fuchs Scholz Möller Weiß Jung Hahn Vogel"
)
GERMAN_ROLES = _list("Geschäftsführerin|Einkauf|Technische Leitung|Projektleitung|Architektur", "|")
GERMAN_FIRMS = _list(
    "Lichtwerk Havelbau Spreebogen Tiergarten Kontrast Brandenburger Elektro Nordstern Hallenbau Panke Wohnkonzept "
    "Adlershof Messebau Köpenick Planwerk Funkturm Grünau Bauhof Technikum"
)
LATIN = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        _list("a b v g d e e zh z i i k l m n o p r s t u f kh ts ch sh sch _ y _ e yu ya"),
        strict=True,
    )
)
SHARED_RUSSIAN, SHARED_GERMAN = 12, 6  # customers that a second branch knows too
COUNTS = {"moscow": 110, "tula": 75, "berlin": 85}


@dataclass(frozen=True)
class Organization:
    """A customer's organization; `other_spelling` is how a second branch writes it."""

    name: str
    other_spelling: str
    tax_id: str = ""


@dataclass(eq=False)
class Person:
    """A customer; `phones` by branch in the branch's own spelling; `shared` when two branches know the person."""

    family: str
    given: str
    middle: str
    role: str
    organization: Organization
    email: str
    phones: dict[str, str] = field(default_factory=dict)
    shared: bool = False


def draw_customers(chance: random.Random) -> dict[str, list[Person]]:
    """The customers of each branch; the shared ones are the same objects in two lists."""
    moscow = draw_russians("moscow", COUNTS["moscow"], 0, chance)
    tula = draw_russians("tula", COUNTS["tula"] - SHARED_RUSSIAN, 1, chance)
    berlin = draw_germans(COUNTS["berlin"], chance)
    for person in chance.sample(moscow, SHARED_RUSSIAN):
        person.shared = True
        person.phones["tula"] = (
            person.phones["moscow"].replace("8 (495) ", "+7495").replace("-", "")
            if person.phones["moscow"].startswith("8")
            else f"8 495 {person.phones['moscow']}"
        )
        tula.append(person)
    for person in chance.sample(berlin, SHARED_GERMAN):
        person.shared = True
        person.phones["moscow"] = "+49 30 " + person.phones["berlin"].removeprefix("030 ").replace(" ", "-")
        moscow.append(person)
    return {"moscow": moscow, "tula": tula, "berlin": berlin}


def draw_russians(branch: str, count: int, half: int, chance: random.Random) -> list[Person]:
    """Customers of a Russian branch; `half` chooses the firms so that no two branches have one by accident."""
    firms = [
        Organization(f"ООО «{name}»", f'"{name.upper()}" ООО', draw_inn(chance)) for name in RUSSIAN_FIRMS[half::2]
    ]
    names: set[tuple[str, str, str]] = set()
    persons: list[Person] = []
    while len(persons) < count:
        woman = chance.random() < 0.5
        family = chance.choice(FAMILIES[half::2]) + ("а" if woman else "")
        given = chance.choice(FEMALE if woman else MALE)
        middle = chance.choice(FATHERS) + ("на" if woman else "ич")
        if (family, given, middle) in names:
            continue
        names.add((family, given, middle))
        email = f"{to_latin(given[0])}.{to_latin(family)}{len(persons) + 1}@{branch}.example"
        persons.append(Person(family, given, middle, chance.choice(RUSSIAN_ROLES), chance.choice(firms), email))
        persons[-1].phones[branch] = spell_phone(branch, len(persons), chance)
    return persons


def spell_phone(branch: str, at: int, chance: random.Random) -> str:
    """A telephone of the branch's town as its people write it: mostly without the area code. All differ by `at`."""
    line = chance.randrange(100, 999)
    if branch == "tula":  # four digits of area code leave six
        number = f"{20 + at % 70}-{line % 90 + 10}-{at:02}"[:8]
        return number if at % 3 else f"8 (4872) {number}"
    number = f"{line}-{at // 100 + 10}-{at % 100:02}"
    return number if at % 3 else f"8 (495) {number}"


def draw_germans(count: int, chance: random.Random) -> list[Person]:
    """Customers of the Berlin branch."""
    firms = [Organization(f"{name} GmbH", f"{name.upper()} GmbH") for name in GERMAN_FIRMS]
    pairs = [(given, family) for given in GERMAN_GIVEN for family in GERMAN_FAMILY]
    persons = []
    for at, (given, family) in enumerate(chance.sample(pairs, count), 1):
        firm = chance.choice(firms)
        email = f"{plain(given)}.{plain(family)}@{plain(firm.name.removesuffix(' GmbH'))}.example"
        person = Person(family, given, "", chance.choice(GERMAN_ROLES), firm, email)
        person.phones["berlin"] = f"030 {chance.randrange(2000, 8999)} {1000 + at}"
        persons.append(person)
    return persons


def draw_inn(chance: random.Random) -> str:
    """A ten-digit Russian tax id with its right check digit."""
    digits = [7, 7, *(chance.randrange(10) for _ in range(7))]
    weights = (2, 4, 10, 3, 5, 9, 4, 6, 8)
    check = sum(weight * digit for weight, digit in zip(weights, digits, strict=True)) % 11 % 10
    return "".join(map(str, (*digits, check)))


def family_first(person: Person) -> str:
    """`Family Given Patronymic`, as lists are sorted in Russia; foreigners, who have none, as `Given FAMILY`."""
    if not person.middle:
        return f"{person.given} {person.family.upper()}"
    return f"{person.family} {person.given} {person.middle}"


def given_first(person: Person) -> str:
    """`Given Patronymic Family`."""
    return " ".join(part for part in (person.given, person.middle, person.family) if part)


def to_latin(text: str) -> str:
    """Russian letters in Latin, as addresses have them."""
    return "".join(LATIN.get(sign, sign) for sign in text.lower()).replace("_", "")


def plain(text: str) -> str:
    """German letters in ASCII, as addresses have them."""
    pairs = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", " ": ""}
    return "".join(pairs.get(sign, sign) for sign in text.lower())
