"""What waits goes with the next statement or the commit, in its order; what is kept ready stays usable."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from chassis import driver as under_test
from chassis.database import Database, UnitOfWork, sqlstate_of
from chassis.driver import Driver
from chassis.prepared import Prepared, driver_of

ADD = Prepared(sa.text("INSERT INTO thing (name) VALUES (:name)"))
ADD_ONCE = Prepared(sa.text("INSERT INTO idempotency (principal, method, key, body_sha256) VALUES (:name, '', '', '')"))
NAMES = Prepared(sa.text("SELECT name FROM thing ORDER BY name"))
READY = sa.text("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'ready%'")


def test_what_waits_is_done_before_the_next_statement_whoever_sends_it(database: Database) -> None:
    with database.transaction() as work:
        work.run_later(ADD, {"name": "a"})
        assert [row.name for row in work.fetch(NAMES)] == ["a"]
        work.run_later(ADD, {"name": "b"})
        assert work.execute(sa.text("SELECT count(*) FROM thing")).scalar_one() == 2
        work.run_later(ADD, {"name": "c"})
    with database.reading() as work:
        assert [row.name for row in work.fetch(NAMES)] == ["a", "b", "c"]


def test_what_waits_fails_where_it_went_and_nothing_is_done(database: Database) -> None:
    def add_twice(work: UnitOfWork) -> None:
        for statement in (ADD, ADD_ONCE, ADD_ONCE, ADD):
            work.run_later(statement, {"name": "secret-name"})

    def add_twice_and_look(work: UnitOfWork) -> None:
        add_twice(work)
        work.fetch(NAMES)

    for act in (add_twice, add_twice_and_look):
        with pytest.raises(sa.exc.IntegrityError) as refused:
            database.attempt(act)
        assert sqlstate_of(refused.value) == "23505"
    with database.reading() as work:
        assert work.fetch(NAMES) == []


def test_what_waits_is_forgotten_with_its_transaction(database: Database) -> None:
    def add_and_fail(work: UnitOfWork) -> None:
        work.run_later(ADD, {"name": "a"})
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.attempt(add_and_fail)
    with database.transaction() as work:
        assert work.fetch(NAMES) == []


def test_a_transaction_that_sqlalchemy_begins_by_itself_is_one(database: Database) -> None:
    """It makes the cursor first and begins after that."""
    with database.engine.connect() as connection:
        connection.execute(sa.text("INSERT INTO thing (name) VALUES ('a')"))
        connection.rollback()
    with database.reading() as work:
        assert work.fetch(NAMES) == []


def test_a_transaction_in_which_nothing_is_done_costs_no_trip(database: Database) -> None:
    moment = Prepared(sa.text("SELECT state_change FROM pg_stat_activity WHERE pid = :pid"))
    with database.reading() as other, database.transaction() as empty:
        given = {"pid": driver_of(empty.connection).pgconn.backend_pid}
        before = other.fetch(moment, given)
        empty.connection.commit()
        assert other.fetch(moment, given) == before


def test_what_is_ready_outlives_that_psycopg_lets_all_its_statements_go(database: Database) -> None:
    """After a rollback psycopg has the server forget every statement, if it had one of its own there."""

    def add_look_and_fail(work: UnitOfWork) -> None:
        work.run(ADD, {"name": "a"})
        for _ in range(10):
            work.execute(sa.text("SELECT name FROM thing"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.attempt(add_look_and_fail)
    with database.transaction() as work:
        assert work.run(ADD, {"name": "b"}) == 1


def test_the_statement_unused_longest_is_let_go(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "MOST_READY", 3)
    statements = [Prepared(sa.text(f"SELECT {number} AS number")) for number in range(6)]
    with database.transaction() as work:
        for statement in [*statements, statements[0]]:
            work.fetch(statement)
        assert work.execute(READY).scalar_one() == 3


WHO = b"SELECT current_setting('branchline.sight', true)"
RAISE = b"SELECT set_config('branchline.sight', $1, true)"


@pytest.fixture
def connection(database: Database) -> Iterator[Driver]:
    """A connection that begins no transaction by itself."""
    with database.reading() as work:
        yield driver_of(work.connection)


def sight_seen(driver: Driver, *, walled: bool = True) -> str | None:
    ((told,),) = driver.load_rows(driver.run(WHO, [], ready=True, walled=walled), tuple)
    return told or None


def test_a_wall_goes_ahead_of_each_statement_and_leaves_nothing_behind(connection: Driver) -> None:
    connection.raise_wall(RAISE, ["theirs"])
    assert [sight_seen(connection) for _ in range(2)] == ["theirs"] * 2
    assert sight_seen(connection, walled=False) is None
    assert connection.is_resting
    connection.lower_wall()
    assert sight_seen(connection) is None


def test_what_a_cursor_sends_goes_behind_the_wall_as_well(connection: Driver) -> None:
    connection.raise_wall(RAISE, ["theirs"])
    assert connection.execute("SELECT current_setting('branchline.sight', true)").fetchone() == ("theirs",)
    assert sight_seen(connection) == "theirs"
    assert sight_seen(connection, walled=False) is None  # the transaction that the cursor left open is over
    connection.execute("SELECT 1")
    connection.rollback()
    assert sight_seen(connection) is None
