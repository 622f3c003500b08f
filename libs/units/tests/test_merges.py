"""The id of a merged card leads to where it is now, in whatever order merges and their undoing are heard of."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from chassis.database import Database
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.testing.postgres import fresh_database
from units.merges import (
    Merge,
    find_survivors,
    keep_moved,
    list_merged_into,
    list_moved,
    metadata,
    note_merges,
    note_unmerges,
)

A, B, C, D = (f"00000000-0000-7000-8000-00000000000{n}" for n in "abcd")
CALL = "00000000-0000-7000-8000-0000000000ca"
FIRST = Merge("00000000-0000-7000-8000-000000000001", A, B)
SECOND = Merge("00000000-0000-7000-8000-000000000002", B, C)
BACK = Merge("00000000-0000-7000-8000-000000000003", B, A)


def make_tables(url: str) -> None:
    engine = sa.create_engine(url)
    metadata.create_all(engine)
    engine.dispose()


@pytest.fixture
def database(postgres: EmbeddedPostgres) -> Iterator[Database]:
    made = Database(fresh_database(postgres, "merges", make_tables), "deals")
    yield made
    made.close()


@pytest.mark.parametrize("order", [(FIRST, SECOND), (SECOND, FIRST)])
def test_a_chain_leads_to_its_end_in_whatever_order_its_links_come(
    database: Database, order: tuple[Merge, Merge]
) -> None:
    with database.transaction() as work:
        for one in order:
            assert note_merges(work, [one]) == [one]
        assert find_survivors(work, [A, B, C, "no id"]) == {A: C, B: C}
        assert sorted(list_merged_into(work, C)) == [A, B]


def test_a_merge_is_news_once(database: Database) -> None:
    with database.transaction() as work:
        assert note_merges(work, [FIRST, FIRST]) == [FIRST]
        assert note_merges(work, [FIRST]) == []
        assert note_unmerges(work, [FIRST]) == [FIRST]
        assert note_unmerges(work, [FIRST]) == []
        assert note_merges(work, [FIRST]) == []
        assert find_survivors(work, [A]) == {}


def test_a_merge_heard_of_after_its_undoing_changes_nothing(database: Database) -> None:
    with database.transaction() as work:
        assert note_unmerges(work, [FIRST]) == []
        assert note_merges(work, [FIRST]) == []
        assert find_survivors(work, [A]) == {}


def test_what_was_below_an_undone_link_leads_to_that_card_again(database: Database) -> None:
    below = Merge("00000000-0000-7000-8000-000000000004", D, A)
    with database.transaction() as work:
        note_merges(work, [below, FIRST, SECOND])
        assert find_survivors(work, [D]) == {D: C}
        note_unmerges(work, [SECOND])
        assert find_survivors(work, [D, A, B]) == {D: B, A: B}


def test_a_ring_that_later_news_breaks_leads_to_the_right_card_then(database: Database) -> None:
    with database.transaction() as work:
        note_merges(work, [FIRST])
        note_merges(work, [BACK])
        note_unmerges(work, [FIRST])
        assert find_survivors(work, [A, B]) == {B: A}


@pytest.mark.parametrize("late", [False, True])
def test_a_record_goes_back_the_way_it_came(database: Database, late: bool) -> None:
    with database.transaction() as work:
        for one in (SECOND, FIRST) if late else (FIRST, SECOND):
            note_merges(work, [one])
            if late is (
                one is FIRST
            ):  # the record named A; of the second merge it is moved on where that is news later
                keep_moved(work, [(A, "person_id", CALL)])
            elif not late:
                keep_moved(work, [(B, "person_id", CALL)])
        note_unmerges(work, [SECOND])
        [back] = list_moved(work, [SECOND])
        assert (back.record_id, back.field, back.merged_id, back.final_id) == (CALL, "person_id", B, C)
        note_unmerges(work, [FIRST])
        [home] = list_moved(work, [FIRST])
        assert (home.merged_id, home.final_id) == (A, B)
