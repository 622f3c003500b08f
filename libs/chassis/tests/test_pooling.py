"""The connection put back last is lent first, and what nobody needs is closed, whichever pool notices."""

from __future__ import annotations

import threading

import pytest

from chassis import pooling
from chassis.database import Database
from chassis.pooling import RestingPool
from chassis.prepared import driver_of


def test_the_connection_put_back_last_is_lent_first(database: Database) -> None:
    with database.reading() as one:
        with database.reading() as two:
            assert driver_of(two.connection) is not driver_of(one.connection)
        last = driver_of(one.connection)
    for _ in range(3):
        with database.reading() as again:
            assert driver_of(again.connection) is last


def test_what_rests_is_closed_by_the_next_use_of_any_pool(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Database(database.url, "other", pool_size=1, overflow=0)
    with database.reading(), database.reading() as work:
        drivers = [driver_of(work.connection)]
    monkeypatch.setattr(pooling, "REST_SECONDS", 0.0)
    monkeypatch.setattr(RestingPool, "_next_look", 0.0)
    with other.reading():
        pass
    assert all(driver.closed for driver in drivers)
    monkeypatch.undo()
    for _ in range(3):  # the one place of the other pool is free again
        with other.reading() as work:
            assert driver_of(work.connection).pgconn.transaction_status == 0
    other.close()


def test_beyond_the_usual_number_one_that_is_given_back_soon_is_waited_for(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pooling, "PATIENCE_SECONDS", 10.0)
    small = Database(database.url, "small", pool_size=1, overflow=1)
    with small.reading() as work:
        usual = driver_of(work.connection)
        soon = threading.Timer(0.02, work.connection.close)
        soon.start()
        with small.reading() as waited:
            assert driver_of(waited.connection) is usual
        soon.join()
    small.close()


def test_where_all_are_held_for_long_another_one_is_made(database: Database) -> None:
    small = Database(database.url, "small", pool_size=1, overflow=1)
    with small.reading() as held, small.reading() as another:
        assert driver_of(held.connection) is not driver_of(another.connection)
    small.close()
