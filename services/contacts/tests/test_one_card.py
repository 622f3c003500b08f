"""One card per customer, however many write at once, in whatever order, spelling and number of parts."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from contacts.tables import organization, person, possible_duplicate
from crm.contacts.v1 import contacts_pb2 as pb
from services.contacts.tests.world import MOSCOW, TULA, Contacts, a_person, a_row, fates_of

GIVEN = ["Иван", "Пётр", "Анна", "Мария", "Сергей", "Ольга", "Дмитрий", "Елена", "Алексей", "Наталья"]
FAMILY = ["Гранин", "Петров", "Сидоров", "Кузнецов", "Смирнов", "Попов", "Волков", "Соколов", "Лебедев", "Козлов"]


def spell_name(name: str, rng: random.Random) -> str:
    return rng.choice(
        (name, name.upper(), name.lower(), f"  {name.replace(' ', '   ')} ", " ".join(name.split()[::-1]))
    )


def spell_phone(digits: str, rng: random.Random) -> str:
    """Ten digits as people write them."""
    grouped = f"{digits[:3]}) {digits[3:6]}-{digits[6:8]}-{digits[8:]}"
    return rng.choice((f"+7{digits}", f"8{digits}", f"+7 ({grouped}", f"8 ({grouped}", digits))


def spell_organization(name: str, rng: random.Random) -> str:
    return rng.choice((name, name.upper(), name.replace("ООО ", "ооо  "), f"{name} "))


def a_customer(n: int, rng: random.Random) -> pb.PersonRow:
    at = n + n // 700 * 13  # no namesakes among the seven of one organization
    name = f"{FAMILY[at % 10]} {GIVEN[at // 10 % 10]}"
    email = f"user{n}@example.ru"
    return a_row(
        spell_name(name, rng),
        spell_phone(f"916{n:07d}", rng),
        rng.choice((email, email.upper())),
        spell_organization(f"ООО Ромашка {n % 700}", rng),
        role="снабженец",
    )


@pytest.mark.timeout(300)
def test_sixteen_writers_of_the_same_customers_make_each_card_once(contacts: Contacts) -> None:
    def write(writer: int) -> list[pb.RowFate]:
        rng = random.Random(writer)
        rows = [a_customer(n, rng) for n in range(200)]
        rng.shuffle(rows)
        return contacts.import_persons(*rows, run=f"r{writer}", source=f"s{writer}", unit_id=rng.choice((MOSCOW, TULA)))

    with ThreadPoolExecutor(16) as pool:
        fates = [fate for answer in pool.map(write, range(16)) for fate in answer]
    assert Counter(fates_of(fates)) == {"created": 200, "merged": 15 * 200}
    assert (contacts.count(person), contacts.count(organization)) == (200, 200)
    assert len({fate.record_id for fate in fates}) == 200
    assert contacts.count(possible_duplicate) == 0
    assert len(contacts.events("PersonCreated")) == 200


def test_a_hundred_creations_of_one_person_at_once_make_one_card(contacts: Contacts) -> None:
    def create(n: int) -> Any:
        rng = random.Random(n)
        return contacts.create(name=spell_name("Гранин Всеволод", rng), phone=spell_phone("9161234567", rng))

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(create, range(100)))
    assert len({answer.person.id for answer in answers}) == 1
    assert sum(not answer.existed for answer in answers) == 1
    assert contacts.count(person) == 1


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [3, 11])
def test_parts_of_a_market_in_any_order_and_one_twice_give_each_customer_once(contacts: Contacts, seed: Any) -> None:
    """Scenario C3: 5,000 persons of 700 organizations in ten parts, a fifth of the rows in two of them."""
    rng = random.Random(seed)
    people = list(range(5000))
    rng.shuffle(people)
    parts = [people[start : start + 500] for start in range(0, 5000, 500)]
    parts = [part + rng.sample(people, 100) for part in parts]
    order = [*rng.sample(range(10), 10), 3]
    totals: Counter[str] = Counter()
    for run, part in enumerate(order):
        rows = [a_customer(n, rng) for n in parts[part]]
        fates = contacts.import_persons(*rows, run=f"run{run}", source="market")
        assert all(fate.organization_id for fate in fates)
        totals.update(fates_of(fates))
    assert totals.total() == sum(len(parts[part]) for part in order)
    assert totals["created"] == 5000
    assert totals["refused"] == 0
    count = contacts.call("CountCustomers", pb.CountCustomersRequest())
    assert (count.persons, count.organizations) == (5000, 700)
    assert contacts.count(possible_duplicate) == 0
    page = contacts.call("ListPersons", pb.ListPersonsRequest(page_size=500)).persons
    assert all(len(one.affiliations) == 1 for one in page)


def test_people_and_files_meet_on_one_card(contacts: Contacts) -> None:
    made = contacts.create(name="Всеволод Гранин", phone="8 916 123-45-67")
    [fate] = contacts.import_persons(a_row("ГРАНИН ВСЕВОЛОД", "+79161234567", "granin@example.ru"), run="r1")
    again = contacts.create(name="гранин всеволод", email="Granin@Example.ru")
    assert {made.person.id, fate.record_id, again.person.id} == {made.person.id}
    assert again.existed
    assert again.person.etag == "2"


def test_whoever_insists_gets_a_second_card_and_the_pair_is_told(contacts: Contacts) -> None:
    first = contacts.create(name="Всеволод Гранин", phone="+79161234567").person
    second = contacts.create(name="Всеволод Гранин", phone="+79161234567", allow_duplicate=True)
    assert not second.existed
    assert second.person.id != first.id
    [pair] = second.possible_duplicates
    assert (pair.first_id, pair.second_id, pair.reason) == (first.id, second.person.id, "name and phone")
    third = contacts.call("CreatePerson", pb.CreatePersonRequest(person=a_person(phone="+79161234567")))
    assert third.person.id == first.id
