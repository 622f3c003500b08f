"""A read model ends with the newest state of each record, however many come at once and in whatever order."""

from __future__ import annotations

import random
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from chassis.database import Database
from chassis.ids import new_id
from chassis.projection import upsert_newer

MANY = 50


def a_table(name: str, *more: sa.Column[Any]) -> sa.Table:
    return sa.Table(
        name,
        sa.MetaData(),
        sa.Column("id", sa.Uuid(as_uuid=False), primary_key=True),
        sa.Column("name", sa.Text),
        sa.Column("units", ARRAY(sa.Text)),
        sa.Column("epoch", sa.Integer),
        sa.Column("version", sa.BigInteger),
        *more,
    )


PLAIN, WITH_JSON = a_table("plain"), a_table("with_json", sa.Column("more", JSONB))


@pytest.fixture(params=[PLAIN, WITH_JSON], ids=["plain", "with JSON"])
def table(request: Any, database: Database) -> sa.Table:
    made: sa.Table = request.param
    made.create(database.engine)
    return made


def a_row(table: sa.Table, record_id: str, version: int = 1) -> dict[str, Any]:
    row = {"id": record_id, "name": f"v{version}\t\\", "units": ["a", "b c"], "epoch": 1, "version": version}
    return {**row, "more": {"v": [version]}} if "more" in table.c else row


def stored(database: Database, table: sa.Table) -> dict[str, int]:
    with database.transaction() as work:
        rows = work.execute(sa.select(table)).all()
    assert all(row.name == f"v{row.version}\t\\" and row.units == ["a", "b c"] for row in rows)
    return {row.id: row.version for row in rows}


def write(database: Database, table: sa.Table, rows: list[dict[str, Any]]) -> tuple[set[str], list[str]]:
    with database.transaction() as work:
        return upsert_newer(work, table, rows)


def test_what_was_just_made_is_written_and_told_as_new(database: Database, table: sa.Table) -> None:
    ids = [new_id() for _ in range(2 * MANY)]
    assert write(database, table, [a_row(table, one) for one in ids]) == (set(ids), [])
    assert stored(database, table) == dict.fromkeys(ids, 1)


def test_of_a_large_batch_in_which_some_are_known_only_the_newer_ones_are_written(
    database: Database, table: sa.Table
) -> None:
    known, newer, fresh = ([new_id() for _ in range(MANY)] for _ in range(3))
    write(database, table, [a_row(table, one, 2) for one in known] + [a_row(table, one, 1) for one in newer])

    assert write(database, table, [a_row(table, one) for one in (*known, *fresh)]) == (set(fresh), [])
    written, replaced = write(database, table, [a_row(table, one, 3) for one in newer])

    assert (written, sorted(replaced)) == (set(newer), sorted(newer))
    assert stored(database, table) == {
        **dict.fromkeys(known, 2), **dict.fromkeys(newer, 3), **dict.fromkeys(fresh, 1)
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_any_order_of_many_batches_ends_the_same(database: Database, table: sa.Table, seed: int) -> None:
    chance = random.Random(seed)
    ids = [new_id() for _ in range(3 * MANY)]
    batches = [[a_row(table, one, version) for one in chance.sample(ids, 2 * MANY)] for version in (1, 1, 2, 3)]
    expected: dict[str, int] = {}
    for row in (row for batch in batches for row in batch):
        expected[row["id"]] = max(expected.get(row["id"], 0), row["version"])
    chance.shuffle(batches)
    for batch in batches:
        write(database, table, batch)
    assert stored(database, table) == expected
