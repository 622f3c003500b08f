"""A prepared statement answers and fails as the same statement run by SQLAlchemy does."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from psycopg.pq import TransactionStatus
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from chassis.database import Database, sqlstate_of
from chassis.ids import new_id
from chassis.prepared import Prepared, driver_of
from chassis.schema import consumer_mark, idempotency

ID = UUID(as_uuid=False)
NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def test_values_come_as_they_are_written_here(database: Database) -> None:
    one, other = new_id(), new_id()
    statement = sa.select(
        sa.bindparam("one", type_=ID).label("one"),
        sa.cast(sa.bindparam("all_ids", type_=ARRAY(sa.Text)), ARRAY(ID)).label("all_ids"),
        sa.literal(NOW, sa.TIMESTAMP(timezone=True)).label("moment"),
        sa.func.json_build_array(1, "a").label("entries"),
        sa.literal(other, ID).label("own"),
    )
    with database.reading() as work:
        [row] = work.fetch(Prepared(statement), {"one": one, "all_ids": [one, other]})
    assert (row.one, row.all_ids, row.moment, row.entries, row.own) == (one, [one, other], NOW, [1, "a"], other)


def test_rows_touched_are_counted_and_no_rows_are_none(database: Database) -> None:
    mark = {"consumer": "c", "source": "s", "epoch": 1, "position": 7, "event_time": NOW}
    add = Prepared(sa.insert(consumer_mark).values({name: sa.bindparam(name) for name in mark}))
    move = Prepared(sa.update(consumer_mark).values(position=sa.bindparam("to")).where(consumer_mark.c.consumer == "c"))
    with database.transaction() as work:
        assert work.run(move, {"to": 8}) == 0
        assert work.fetch(add, mark) == []
        assert work.run(move, {"to": 8}) == 1


def test_a_refusal_is_the_one_sqlalchemy_would_raise_and_tells_no_value(database: Database) -> None:
    again = Prepared(sa.insert(idempotency).values(principal="a", method="m", key="secret-key", body_sha256=b"x"))
    with database.transaction() as work:
        work.run(again)
    with pytest.raises(sa.exc.IntegrityError) as refused, database.transaction() as work:
        work.run(again)
    assert sqlstate_of(refused.value) == "23505"
    assert "secret-key" not in str(refused.value).partition("DETAIL")[0]


def test_a_lost_connection_leaves_the_pool(database: Database) -> None:
    suicide = Prepared(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))
    with pytest.raises(sa.exc.OperationalError) as lost, database.transaction() as work:
        work.run(suicide)
    assert lost.value.connection_invalidated
    with database.reading() as work:
        assert work.fetch(Prepared(sa.text("SELECT 1 AS one")))[0].one == 1


def test_an_open_in_is_refused(database: Database) -> None:
    open_in = Prepared(sa.select(idempotency.c.key).where(idempotency.c.key.in_(["a", "b"])))
    with pytest.raises(TypeError), database.reading() as work:
        work.fetch(open_in)


def test_a_read_sees_each_commit_at_once_and_holds_no_transaction(database: Database) -> None:
    count = Prepared(sa.text("SELECT count(*) AS things FROM thing"))

    def add() -> None:
        with database.transaction() as work:
            work.execute(sa.text("INSERT INTO thing (name) VALUES ('x')"))

    with database.reading() as work:
        assert work.fetch(count)[0].things == 0
        other = threading.Thread(target=add)
        other.start()
        other.join()
        assert work.fetch(count)[0].things == 1
        assert driver_of(work.connection).pgconn.transaction_status == TransactionStatus.IDLE


def test_a_percent_sign_in_a_statement_is_a_percent_sign(database: Database) -> None:
    rest = Prepared(sa.select((sa.bindparam("number", type_=sa.Integer) % 7).label("rest"), sa.text("'5%' AS share")))
    with database.reading() as work:
        [row] = work.fetch(rest, {"number": 12})
    assert (row.rest, row.share) == (5, "5%")


def test_what_is_planned_anew_leaves_no_statement_at_the_server(database: Database) -> None:
    planned, kept = (Prepared(sa.text(f"SELECT 1 AS {name}"), replan=name == "planned") for name in ("planned", "kept"))
    named = Prepared(sa.text("SELECT statement FROM pg_prepared_statements WHERE statement LIKE 'SELECT 1 AS%'"))
    with database.transaction() as work:
        for _ in range(10):
            work.fetch(planned)
            work.fetch(kept)
        assert [row.statement for row in work.fetch(named)] == ["SELECT 1 AS kept"]
