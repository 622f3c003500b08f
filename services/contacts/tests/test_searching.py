"""The right card is found by a part of its name in any script, a phone in any spelling, an e-mail; and quickly."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from contacts.tables import person
from contacts.visibility import visible_cards
from contacts.words import name_questions
from crm.contacts.v1 import contacts_pb2 as pb
from services.contacts.tests.world import MOSCOW_SELLER, Contacts, Refusal, a_row


@pytest.fixture
def market(contacts: Contacts) -> Contacts:
    rows = [
        a_row("Всеволод Гранин", "+79123456789", "granin@epoch.ru", "Бюро «Эпоха»"),
        a_row("Гранина Анна", "+74951112233", organization="Бюро «Эпоха»"),
        a_row("Ivanov Pyotr", "+74872256789"),
        a_row("Müller-Lüdenscheidt Karl", "+4930901820"),
        a_row("山田太郎", "+81312345678"),
        a_row("O'Neil Pat", "+12025550123", "director@example.com"),
        a_row("محمد علي", "+96265001234"),
    ]
    contacts.import_persons(*rows, run="r1")
    return contacts


@pytest.mark.parametrize(
    ("query", "name", "matched"),
    [
        ("гран все", "Всеволод Гранин", "name"),
        ("granin", "Всеволод Гранин", "name"),
        ("ГРАНИН", "Всеволод Гранин", "name"),
        ("иванов", "Ivanov Pyotr", "name"),
        ("muller", "Müller-Lüdenscheidt Karl", "name"),
        ("mueller karl", "Müller-Lüdenscheidt Karl", "name"),
        ("太郎", "山田太郎", "name"),
        ("oneil", "O'Neil Pat", "name"),
        ("o'ne", "O'Neil Pat", "name"),
        ("محمد", "محمد علي", "name"),
        ("+7 (912) 345-67-89", "Всеволод Гранин", "phone"),
        ("89123456789", "Всеволод Гранин", "phone"),
        ("9123456789", "Всеволод Гранин", "phone"),
        ("912 345", "Всеволод Гранин", "phone"),
        ("67-89", "Всеволод Гранин", "phone"),
        ("25-67-89", "Ivanov Pyotr", "phone"),
        ("Granin@Epoch.ru", "Всеволод Гранин", "email"),
        ("direct", "O'Neil Pat", "email"),
        ("@epoch.ru", "Всеволод Гранин", "email"),
        ("эпоха", "Бюро «Эпоха»", "name"),
    ],
)
def test_a_customer_is_found(market: Contacts, query: Any, name: Any, matched: Any) -> None:
    hits = market.call("SearchCustomers", pb.SearchCustomersRequest(query=query)).hits
    assert (name, matched) in [(one.display_name, one.matched) for one in hits]


def test_whole_words_come_before_beginnings_and_persons_show_their_organization(market: Contacts) -> None:
    hits = market.call("SearchCustomers", pb.SearchCustomersRequest(query="гранин")).hits
    assert [one.display_name for one in hits] == ["Всеволод Гранин", "Гранина Анна"]
    assert {one.detail for one in hits} == {"Бюро «Эпоха»"}


@pytest.mark.parametrize("query", ["!!", "***", "'; DROP TABLE person; --", "a:*b", "\\", "((", "& | !", "' '"])
def test_what_no_name_holds_finds_nothing_and_breaks_nothing(market: Contacts, query: Any) -> None:
    assert len(market.call("SearchCustomers", pb.SearchCustomersRequest(query=query * 2)).hits) == 0


def test_a_query_too_short_or_too_long_is_refused(contacts: Contacts, refusal: Refusal) -> None:
    for query in ("", "я", "x" * 201):
        assert refusal("SearchCustomers", pb.SearchCustomersRequest(query=query)).violations[0].field == "query"


def fill(contacts: Contacts, count: int) -> None:
    """Persons enough for plans to matter, half of a unit that nobody here sees."""
    with contacts.database.engine.begin() as connection:
        connection.execute(
            sa.text("""
            INSERT INTO person (id, version, display_name, sort_key, unit_id, unit_ids, attributes, create_time,
                                update_time, search)
            SELECT gen_random_uuid(), 1, 'Иванов ' || n, 'иванов ' || lpad(n::text, 7, '0'), u.id, ARRAY[u.id], '{}',
                   now(), now(), array_to_tsvector(ARRAY['nиванов', 'n' || n, 'p7916' || lpad(n::text, 7, '0')])
            FROM generate_series(1, :count) n,
                 LATERAL (SELECT id FROM unit WHERE path = CASE n % 2 WHEN 0 THEN 'hq.moscow' ELSE 'hq.tula' END) u"""),
            {"count": count},
        )
    with contacts.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE person"))


def plan_of(contacts: Contacts, statement: sa.Select[object]) -> str:
    with contacts.database.transaction() as work:
        text = statement.compile(dialect=contacts.database.engine.dialect, compile_kwargs={"literal_binds": True})
        return "\n".join(work.execute(sa.text(f"EXPLAIN {text}".replace(":", r"\:").replace("%%", "%"))).scalars())


def test_important_reads_use_their_indexes(contacts: Contacts) -> None:
    fill(contacts, 20_000)
    visible = visible_cards(MOSCOW_SELLER, person)
    question = sa.text(f"$q${name_questions('иванов 77')[-1]}$q$::tsquery")
    found = sa.select(person.c.id).where(person.c.search.bool_op("@@")(question), visible).limit(200)
    assert "person_search" in plan_of(contacts, found)
    page = sa.select(person.c.id).order_by(person.c.sort_key, person.c.id).limit(51)
    assert "person_sort" in plan_of(contacts, page)
    assert "Seq Scan on person" not in plan_of(contacts, page.where(visible))
